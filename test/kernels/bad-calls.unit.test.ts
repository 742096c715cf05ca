import { expect, it } from 'vitest';
import { ExitGpuError } from '../../src/errors.ts';
import { trace } from '../../src/graph/trace.ts';
import type { Value } from '../../src/kernels/define.ts';
import * as ops from '../../src/kernels/registry.ts';
import { Rows } from '../../src/tensor/spec.ts';
import type { Spec } from '../../src/tensor/spec.ts';

const rows = new Rows(8, 'samples');
const f32 = (...shape: number[]): Spec => ({ dtype: 'f32', shape });
const i32 = (...shape: number[]): Spec => ({ dtype: 'i32', shape });
const u32 = (...shape: number[]): Spec => ({ dtype: 'u32', shape });
const ofSamples = (...shape: number[]): Spec => ({ dtype: 'f32', shape: [8, ...shape], rows });
const others = (...shape: number[]): Spec => ({ dtype: 'f32', shape: [8, ...shape], rows: new Rows(8, 'others') });

type Values = Record<string, Value>;
type Bad = readonly [call: string, specs: Record<string, Spec>, call: (values: never) => unknown];

const bad = (name: string, specs: Record<string, Spec>, call: (values: any) => unknown): Bad => [name, specs, call];

/** Shapes, element types, axes, attributes and samples that operations do not take. */
const calls: readonly Bad[] = [
  bad('add: shapes', { a: f32(3), b: f32(4) }, ({ a, b }) => ops.add({ a, b })),
  bad('add: element types', { a: f32(3), b: i32(3) }, ({ a, b }) => ops.add({ a, b })),
  bad('add: seven axes', { a: f32(1, 1, 1, 1, 1, 1, 2), b: f32(2) }, ({ a, b }) => ops.add({ a, b })),
  bad('add: other samples', { a: ofSamples(3), b: others(3) }, ({ a, b }) => ops.add({ a, b })),
  bad('mul: nothing', { a: f32(3) }, ({ a }) => ops.mul({ a } as never)),
  bad('and: numbers', { a: f32(3), b: f32(3) }, ({ a, b }) => ops.and({ a, b })),
  bad('pow: element types', { a: f32(3), b: u32(3) }, ({ a, b }) => ops.pow({ a, b })),
  bad('where: condition', { c: f32(3), a: f32(3), b: f32(3) }, ({ c, a, b }) => ops.where({ condition: c, a, b })),
  bad('where: choices', { c: u32(3), a: f32(3), b: i32(3) }, ({ c, a, b }) => ops.where({ condition: c, a, b })),
  bad('relu: integers', { x: i32(3) }, ({ x }) => ops.relu({ x })),
  bad('exp: integers', { x: u32(3) }, ({ x }) => ops.exp({ x })),
  bad('cast: to what', { x: f32(3) }, ({ x }) => ops.cast({ x }, { to: 'f64' as never })),
  bad('clip: least above greatest', { x: f32(3) }, ({ x }) => ops.clip({ x }, { min: NaN })),
  bad('celu: alpha', { x: f32(3) }, ({ x }) => ops.celu({ x }, { alpha: 0 })),
  bad('gelu: approximation', { x: f32(3) }, ({ x }) => ops.gelu({ x }, { approximate: 'fast' as never })),
  bad('sum: axis', { x: f32(2, 3) }, ({ x }) => ops.sum({ x }, { axes: [2] })),
  bad('sum: axis twice', { x: f32(2, 3) }, ({ x }) => ops.sum({ x }, { axes: [1, -1] })),
  bad('mean: integers', { x: i32(2, 3) }, ({ x }) => ops.mean({ x }, { axes: [1] })),
  bad('max: seven axes', { x: f32(1, 1, 1, 1, 1, 1, 2) }, ({ x }) => ops.max({ x })),
  bad('argMax: axis', { x: f32(2, 3) }, ({ x }) => ops.argMax({ x }, { axis: -3 })),
  bad('argMax: of nothing', { x: f32(2, 0) }, ({ x }) => ops.argMax({ x }, { axis: 1 })),
  bad('topK: more than there are', { x: f32(2, 3) }, ({ x }) => ops.topK({ x }, { k: 4 })),
  bad('topK: none', { x: f32(2, 3) }, ({ x }) => ops.topK({ x }, { k: 0 })),
  bad('cumulativeSum: axis', { x: f32(2, 3) }, ({ x }) => ops.cumulativeSum({ x }, { axis: 5 })),
  bad('softmax: axis', { x: f32(2, 3) }, ({ x }) => ops.softmax({ x }, { axis: 2 })),
  bad('softmax: the axis of the samples', { x: ofSamples(3) }, ({ x }) => ops.softmax({ x }, { axis: 0 })),
  bad('logSoftmax: integers', { x: i32(2, 3) }, ({ x }) => ops.logSoftmax({ x })),
  bad('nll: labels', { x: f32(2, 3), l: f32(2) }, ({ x, l }) => ops.nll({ x, label: l })),
  bad('nll: weights', { x: f32(2, 3), l: u32(2), w: f32(2) }, ({ x, l, w }) => ops.nll({ x, label: l, weight: w })),
  bad('crossEntropy: labels', { x: f32(2, 3), l: u32(3) }, ({ x, l }) => ops.crossEntropy({ logits: x, labels: l } as never)),
  bad('matmul: inner lengths', { a: f32(2, 3), b: f32(4, 5) }, ({ a, b }) => ops.matmul({ a, b })),
  bad('matmul: vectors', { a: f32(3), b: f32(3) }, ({ a, b }) => ops.matmul({ a, b })),
  bad('matmul: batches', { a: f32(2, 2, 3), b: f32(3, 3, 2) }, ({ a, b }) => ops.matmul({ a, b })),
  bad('linear: features', { x: f32(2, 3), w: f32(5, 4) }, ({ x, w }) => ops.linear({ x, weight: w })),
  bad('linear: bias', { x: f32(2, 3), w: f32(5, 3), b: f32(3) }, ({ x, w, b }) => ops.linear({ x, weight: w, bias: b })),
  bad('gemm: c', { a: f32(2, 3), b: f32(3, 4), c: f32(3) }, ({ a, b, c }) => ops.gemm({ a, b, c })),
  bad('conv2d: channels', { x: f32(1, 3, 8, 8), w: f32(4, 2, 3, 3) }, ({ x, w }) => ops.conv2d({ x, weight: w })),
  bad('conv2d: groups', { x: f32(1, 4, 8, 8), w: f32(3, 2, 3, 3) }, ({ x, w }) => ops.conv2d({ x, weight: w }, { groups: 2 })),
  bad('conv2d: kernel beyond the image', { x: f32(1, 1, 2, 2), w: f32(1, 1, 3, 3) }, ({ x, w }) => ops.conv2d({ x, weight: w })),
  bad('conv2d: stride', { x: f32(1, 1, 8, 8), w: f32(1, 1, 3, 3) }, ({ x, w }) => ops.conv2d({ x, weight: w }, { stride: 0 })),
  bad('conv2d: padding', { x: f32(1, 1, 8, 8), w: f32(1, 1, 3, 3) }, ({ x, w }) =>
    ops.conv2d({ x, weight: w }, { padding: 'valid' as never })),
  bad('convTranspose2d: output padding', { x: f32(1, 1, 8, 8), w: f32(1, 1, 3, 3) }, ({ x, w }) =>
    ops.convTranspose2d({ x, weight: w }, { stride: 2, outputPadding: 2 })),
  bad('maxPool2d: padding', { x: f32(1, 1, 8, 8) }, ({ x }) => ops.maxPool2d({ x }, { kernel: 2, padding: 2 })),
  bad('maxPool2d: rank', { x: f32(8, 8) }, ({ x }) => ops.maxPool2d({ x }, { kernel: 2 })),
  bad('lpPool2d: p', { x: f32(1, 1, 8, 8) }, ({ x }) => ops.lpPool2d({ x }, { kernel: 2, p: 0 })),
  bad('layerNorm: scale', { x: f32(2, 3), s: f32(2) }, ({ x, s }) => ops.layerNorm({ x, scale: s })),
  bad('layerNorm: epsilon', { x: f32(2, 3), s: f32(3) }, ({ x, s }) => ops.layerNorm({ x, scale: s }, { epsilon: -1 })),
  bad('groupNorm: groups', { x: f32(2, 6, 4), s: f32(6), b: f32(6) }, ({ x, s, b }) =>
    ops.groupNorm({ x, scale: s, bias: b }, { groups: 4 })),
  bad('batchNorm: statistics', { x: f32(2, 3, 4), s: f32(4) }, ({ x, s }) =>
    ops.batchNorm({ x, mean: s, variance: s, scale: s, shift: s })),
  bad('attention: heads', { q: f32(1, 3, 4, 8), k: f32(1, 2, 4, 8) }, ({ q, k }) => ops.attention({ q, k, v: k })),
  bad('attention: mask', { q: f32(1, 2, 4, 8), m: f32(5, 4) }, ({ q, m }) => ops.attention({ q, k: q, v: q, mask: m })),
  bad('rotaryEmbedding: tables', { x: f32(1, 2, 4, 8), c: f32(4, 3) }, ({ x, c }) => ops.rotaryEmbedding({ x, cos: c, sin: c })),
  bad('reshape: size', { x: f32(2, 3) }, ({ x }) => ops.reshape({ x }, { shape: [4, 2] })),
  bad('reshape: two unknown', { x: f32(2, 3) }, ({ x }) => ops.reshape({ x }, { shape: [-1, -1] })),
  bad('transpose: permutation', { x: f32(2, 3) }, ({ x }) => ops.transpose({ x }, { permutation: [0, 0] })),
  bad('transpose: samples', { x: ofSamples(3) }, ({ x }) => ops.transpose({ x }, { permutation: [1, 0] })),
  bad('slice: bounds', { x: f32(2, 3) }, ({ x }) => ops.slice({ x }, { axis: 1, start: 2, end: 1 })),
  bad('slice: step', { x: f32(2, 3) }, ({ x }) => ops.slice({ x }, { axis: 1, step: 0 })),
  bad('slice: samples', { x: ofSamples(3) }, ({ x }) => ops.slice({ x }, { axis: 0, end: 2 })),
  bad('pad: reflection', { x: f32(2, 3) }, ({ x }) => ops.pad({ x }, { axis: 1, before: 3, mode: 'reflect' })),
  bad('pad: mode', { x: f32(2, 3) }, ({ x }) => ops.pad({ x }, { axis: 1, before: 1, mode: 'mirror' as never })),
  bad('expand: shape', { x: f32(2, 3) }, ({ x }) => ops.expand({ x }, { shape: [2, 4] })),
  bad('tile: repeats', { x: f32(2, 3) }, ({ x }) => ops.tile({ x }, { repeats: [2] })),
  bad('concat: other axes', { a: f32(2, 3), b: f32(3, 3) }, ({ a, b }) => ops.concat({ a, b }, { axis: 1 })),
  bad('split: lengths', { x: f32(2, 6) }, ({ x }) => ops.split({ x }, { axis: 1, parts: [2, 3] })),
  bad('gather: indices', { x: f32(4, 3), i: f32(2) }, ({ x, i }) => ops.gather({ x, indices: i }, { axis: 0 })),
  bad('embedding: weight', { w: f32(4, 3, 2), i: u32(2) }, ({ w, i }) => ops.embedding({ weight: w, indices: i })),
  bad('oneHot: depth', { i: u32(2) }, ({ i }) => ops.oneHot({ indices: i }, { depth: 0 })),
  bad('squeeze: length', { x: f32(2, 3) }, ({ x }) => ops.squeeze({ x }, { axes: [1] })),
  bad('depthToSpace: block', { x: f32(1, 6, 2, 2) }, ({ x }) => ops.depthToSpace({ x }, { block: 2 })),
  bad('range: step', {}, () => ops.range({ end: 5, step: 0 })),
  bad('dropout: rate', { x: f32(2, 3) }, ({ x }) => (ops.dropout as never as (x: object, a: object) => Value)({ x, seed: x }, { rate: 2 })),
];

it.each(calls)('%s', (_, specs, call) => {
  let thrown: unknown;
  try {
    trace(specs, (values: Values) => ({ y: call(values as never) as Value }));
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ExitGpuError);
  const { name, message } = thrown as ExitGpuError;
  expect(`${name}: ${message}`).toMatchSnapshot();
});
