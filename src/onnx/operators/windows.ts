import type { Conv2dAttributes } from '../../kernels/conv2d.ts';
import type { ConvTranspose2dAttributes } from '../../kernels/conv-transpose2d.ts';
import { constant } from '../../kernels/define.ts';
import type { Operand, Value } from '../../kernels/define.ts';
import type { MaxPool2dAttributes } from '../../kernels/pool2d.ts';
import * as ops from '../../kernels/registry.ts';
import type { Pair, Sides, WindowAttributes } from '../../kernels/window2d.ts';
import type { Conv3dAttributes, MaxPool3dAttributes, Triple, Window3dAttributes } from '../../kernels/window3d.ts';
import { float, indices } from '../node.ts';
import type { Mappings, NodeReader, OnnxValue } from '../node.ts';

/** A value with one spatial axis gets a second of length 1 before it. */
const inPlanes = (x: Operand): Operand =>
  x.shape.length === 3 ? ops.reshape({ x }, { shape: x.shape.toSpliced(2, 0, 1) }) : x;

/** The result in as many axes as the input has. */
const backFrom = (n: NodeReader, y: Operand): Operand =>
  n.at(0).shape.length === 3 ? ops.reshape({ x: y }, { shape: y.shape.toSpliced(2, 1) }) : y;

/** As many spatial axes as `n.at(0)` has, up to three; a single one counts as a width, of height `alone`. */
function lengthsOf(n: NodeReader, name: string, alone: number): Pair | Triple | undefined {
  const given = n.ints(name);
  if (!given) return undefined;
  const spatial = n.at(0).shape.length - 2;
  if (given.length !== spatial) n.reject(`expected ${name} of ${spatial} axes, got ${given.length}`);
  return (given.length === 1 ? [alone, given[0]!] : given) as Pair | Triple;
}

function paddingOf(n: NodeReader): WindowAttributes['padding'] | Window3dAttributes['padding'] {
  const auto = n.text('auto_pad', 'NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID');
  if (auto === 'SAME_UPPER') return 'same';
  if (auto === 'SAME_LOWER') return 'same-lower';
  const pads = n.ints('pads');
  if (!pads || auto === 'VALID') return 0;
  return (pads.length === 2 ? [0, pads[0]!, 0, pads[1]!] : pads) as Sides;
}

/** Stride, padding and dilation. */
function windowOf(n: NodeReader) {
  const spatial = n.at(0).shape.length - 2;
  if (spatial < 1 || spatial > 3) n.reject(`${spatial} spatial axes: 1 to 3 are built`);
  return {
    stride: lengthsOf(n, 'strides', 1) ?? 1,
    dilation: lengthsOf(n, 'dilations', 1) ?? 1,
    padding: paddingOf(n) ?? 0,
  };
}

const isVolume = (n: NodeReader): boolean => n.at(0).shape.length === 5;

/** What an operation makes of the attributes, which are for planes, or for volumes where the input is one. */
function pooled<A>(n: NodeReader, more: A, planes: Pool2d<A>, volumes?: Pool3d<A>): OnnxValue {
  const kernel = lengthsOf(n, 'kernel_shape', 1) ?? n.reject('expected a kernel_shape');
  const attributes = { ...windowOf(n), kernel, ceil: n.flag('ceil_mode'), ...more };
  if (!isVolume(n)) return n.like(0, backFrom(n, planes({ x: inPlanes(n.at(0)) }, attributes as never)));
  return n.like(0, (volumes ?? n.reject('3 spatial axes: 1 and 2 are built'))({ x: n.at(0) }, attributes as never));
}

type Pool2d<A> = (inputs: { x: Operand }, attributes: MaxPool2dAttributes & A) => Value;
type Pool3d<A> = (inputs: { x: Operand }, attributes: MaxPool3dAttributes & A) => Value;

function convolution(n: NodeReader): OnnxValue {
  const attributes = { ...windowOf(n), groups: n.number('group', 1) };
  const bias = n.maybe(2);
  const inputs = { x: inPlanes(n.at(0)), weight: inPlanes(n.at(1)), ...(bias && { bias }) };
  if (isVolume(n)) return n.like(0, ops.conv3d(inputs, attributes as Conv3dAttributes));
  return n.like(0, backFrom(n, ops.conv2d(inputs, attributes as Conv2dAttributes)));
}

function transposed(n: NodeReader): OnnxValue {
  if (isVolume(n)) n.reject('3 spatial axes: 1 and 2 are built');
  const outputPadding = lengthsOf(n, 'output_padding', 0);
  const outputSize = lengthsOf(n, 'output_shape', 1);
  const window = windowOf(n);
  const attributes = {
    ...window,
    groups: n.number('group', 1),
    ...(outputPadding && { outputPadding }),
    // Where the size is given, the padding follows from it; pads are not looked at.
    ...(outputSize && { outputSize, padding: window.padding === 'same' ? 'same' : 'same-lower' }),
  };
  const bias = n.maybe(2);
  const inputs = { x: inPlanes(n.at(0)), weight: inPlanes(n.at(1)), ...(bias && { bias }) };
  return n.like(0, backFrom(n, ops.convTranspose2d(inputs, attributes as ConvTranspose2dAttributes)));
}

/** Positions in a plane counted down its columns, from those along its rows. */
function byColumns(a: Operand, height: number, width: number): Value {
  const number = (value: number): Value => constant({ dtype: 'i32', shape: [] }, Int32Array.of(value));
  const column = ops.mod({ a, b: number(width) });
  return ops.add({ a: ops.mul({ a: column, b: number(height) }), b: ops.div({ a, b: number(width) }) });
}

/** A depthwise convolution that looks back only, and what it has to remember: the last inputs, one less than taps. */
function causalConvolution(n: NodeReader): OnnxValue[] {
  const channels = n.at(0).shape[1]!;
  const taps = n.at(1).shape[2]!;
  const past = n.maybe(3);
  const x = past
    ? ops.concat({ a: past, b: n.at(0) }, { axis: 2 })
    : ops.pad({ x: n.at(0) }, { axis: 2, before: taps - 1 });
  const bias = n.maybe(2);
  const y = ops.conv1d({ x, weight: n.at(1), ...(bias && { bias }) }, { groups: channels });
  const activation = n.text('activation', 'none', 'silu', 'swish');
  const present = ops.slice({ x }, { axis: 2, start: x.shape[2]! - (taps - 1) });
  return [float(activation === 'none' ? y : ops.silu({ x: y })), float(present)];
}

/** ONNX counts positions through the whole tensor, row by row or, where asked, column by column. */
function maxPool(n: NodeReader): OnnxValue | OnnxValue[] {
  if (n.outputs < 2) return pooled(n, {}, ops.maxPool2d, ops.maxPool3d);
  const x = inPlanes(n.at(0));
  let at: Operand | undefined;
  const y = pooled(n, {}, (inputs, attributes) => {
    const found = ops.maxPool2dIndices(inputs, attributes);
    at = found.indices;
    return found.y;
  });
  const [samples, channels, height, width] = x.shape as [number, number, number, number];
  const planes = Int32Array.from({ length: samples * channels }, (_, plane) => plane * height * width);
  const offsets = constant({ dtype: 'i32', shape: [samples, channels, 1, 1] }, planes);
  const inPlane = ops.cast({ x: at! }, { to: 'i32' });
  const counted = n.flag('storage_order') ? byColumns(inPlane, height, width) : inPlane;
  const everywhere = ops.add({ a: counted, b: offsets });
  return [y, indices(backFrom(n, everywhere))];
}

export const windows: Mappings = {
  AveragePool: (n) =>
    pooled(n, { countPadding: n.flag('count_include_pad') }, ops.averagePool2d, ops.averagePool3d),
  CausalConvWithState: causalConvolution,
  Conv: convolution,
  ConvTranspose: transposed,
  LpPool: (n) => pooled(n, { p: n.number('p', 2) }, ops.lpPool2d),
  MaxPool: maxPool,
};
