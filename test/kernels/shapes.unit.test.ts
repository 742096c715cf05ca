import { describe, expect, it } from 'vitest';
import { ArgumentError, ShapeError } from '../../src/errors.ts';
import { broadcast, broadcastStrides, mergeAxes } from '../../src/kernels/axes.ts';
import { concat } from '../../src/kernels/concat.ts';
import { linear } from '../../src/kernels/linear.ts';
import { matmul } from '../../src/kernels/matmul.ts';
import { pad } from '../../src/kernels/pad.ts';
import { max, mean, sum } from '../../src/kernels/reduce.ts';
import { slice } from '../../src/kernels/slice.ts';
import { relu } from '../../src/kernels/unary.ts';
import { Rows } from '../../src/tensor/spec.ts';
import type { Spec } from '../../src/tensor/spec.ts';

const rows = new Rows(4);
const fixed = (...shape: number[]): Spec => ({ dtype: 'f32', shape });
const sampled = (...shape: number[]): Spec => ({ dtype: 'f32', shape, rows });
const integers: Spec = { dtype: 'u32', shape: [4] };

describe('broadcasting', () => {
  it.each<[string, Spec, Spec, Spec]>([
    ['repeats a length of 1', fixed(4, 1, 3), fixed(5, 1), fixed(4, 5, 3)],
    ['keeps an empty axis', fixed(0, 3), fixed(3), fixed(0, 3)],
    ['keeps the samples first', fixed(3), sampled(8, 3), sampled(8, 3)],
  ])('%s', (_, a, b, expected) => expect(broadcast('add', [a, b])).toEqual({ rows: undefined, ...expected }));

  it.each<[string, Spec, Spec]>([
    ['lengths that differ', fixed(2, 3), fixed(2)],
    ['samples that are not first', sampled(4), fixed(3, 4)],
    ['samples of two kinds', sampled(4), { ...fixed(4), rows: new Rows(4) }],
    ['as many fixed elements as samples', sampled(4, 3), fixed(4, 3)],
    ['two and one entries per sample', sampled(8, 3), sampled(4, 3)],
    ['integers', fixed(4), integers],
    ['seven axes', fixed(1, 1, 1, 1, 1, 1, 2), fixed(2)],
  ])('refuses %s', (_, a, b) => {
    expect(() => broadcast('add', [a, b])).toThrow(ShapeError);
    expect(() => broadcast('add', [a, b])).toThrow(/^add: expected f32 operands .* got \w+\[/);
  });

  it('walks through what is repeated with a stride of 0', () => {
    expect(broadcastStrides(fixed(5, 1), [4, 5, 3])).toEqual([0, 1, 0]);
    expect(broadcastStrides(fixed(4, 1, 3), [4, 5, 3])).toEqual([3, 0, 1]);
  });
});

describe('mergeAxes', () => {
  const axis = (length: number, ...strides: number[]) => ({ length, strides });

  it.each([
    ['contiguous axes', [axis(2, 15, 15), axis(3, 5, 5), axis(5, 1, 1)], [axis(30, 1, 1)]],
    ['repeated axes', [axis(2, 0), axis(3, 0), axis(5, 1)], [axis(6, 0), axis(5, 1)]],
    ['axes of length 1', [axis(4, 3), axis(1, 0), axis(3, 1)], [axis(12, 1)]],
  ])('joins %s', (_, axes, expected) => expect(mergeAxes(axes)).toEqual(expected));

  it('keeps apart what one operand jumps at', () => {
    const axes = [axis(2, 3, 0), axis(3, 1, 1)];
    expect(mergeAxes(axes)).toEqual(axes);
  });

  it('leaves one axis of a single element', () => {
    expect(mergeAxes([axis(1, 7), axis(1, 7)])).toEqual([axis(1, 0)]);
    expect(mergeAxes([])).toEqual([axis(1)]);
  });
});

describe('infer', () => {
  it('says where the samples of a product are', () => {
    const product = (a: Spec, b: Spec, attributes = {}): Spec => matmul.infer({ a, b }, attributes).y;
    expect(product(sampled(8, 3), fixed(3, 5))).toEqual(sampled(8, 5));
    expect(product(sampled(8, 3), sampled(8, 5), { transposeA: true })).toEqual({ ...fixed(3, 5), rows: undefined });
    expect(product(sampled(8, 3, 2), sampled(8, 5, 2), { transposeB: true })).toEqual(sampled(8, 3, 5));
    expect(product(sampled(8, 1, 3, 2), fixed(6, 2, 5))).toEqual(sampled(8, 6, 3, 5));
    expect(product(fixed(1, 3, 2), sampled(8, 2, 5))).toEqual(sampled(8, 3, 5));
  });

  it.each<[string, Spec, Spec, object]>([
    ['inner lengths that differ', fixed(2, 3), fixed(2, 3), {}],
    ['a vector', fixed(3), fixed(3, 2), {}],
    ['batches that do not broadcast', fixed(2, 3, 4), fixed(3, 4, 5), {}],
    ['more than six axes', fixed(1, 1, 1, 1, 1, 3, 4), fixed(4, 5), {}],
    ['samples behind a batch', sampled(8, 4), fixed(3, 4, 5), {}],
    ['as many matrices as samples', sampled(8, 3, 4), fixed(8, 4, 5), {}],
    ['samples along n', fixed(2, 3), sampled(4, 3), { transposeB: true }],
    ['samples along k on one side', sampled(4, 3), fixed(4, 5), { transposeA: true }],
  ])('matmul refuses %s', (_, a, b, attributes) => {
    expect(() => matmul.infer({ a, b }, attributes)).toThrow(ShapeError);
    expect(() => matmul.infer({ a, b }, attributes)).toThrow(/^matmul: expected a f32\[.*\] and b f32\[.*got f32/);
  });

  it.each<[string, Spec, Spec, Spec]>([
    ['features that differ', fixed(2, 3), fixed(5, 4), fixed(5)],
    ['a bias of another length', fixed(2, 3), fixed(5, 3), fixed(3)],
    ['weights that depend on samples', fixed(2, 3), sampled(4, 3), fixed(4)],
    ['samples without features', sampled(4), fixed(5, 4), fixed(5)],
  ])('linear refuses %s', (_, x, weight, bias) => {
    expect(() => linear.infer({ x, weight, bias }, {})).toThrow(ShapeError);
  });

  it('counts multiply-accumulates', () => {
    const inputs = { x: sampled(4, 720), weight: fixed(84, 720), bias: fixed(84) };
    expect(linear.macs!(inputs, linear.infer(inputs, {}), {})).toBe(4 * 720 * 84);
  });

  it('drops the samples where they are reduced', () => {
    expect(sum.infer({ x: sampled(8, 3) }, { axes: [0] }).y).toEqual({ ...fixed(3), rows: undefined });
    expect(max.infer({ x: sampled(8, 3) }, { axes: [-1], keepDims: true }).y).toEqual(sampled(8, 1));
  });

  it('refuses axes that are not there and dtypes that are not f32', () => {
    expect(() => sum.infer({ x: fixed(2, 3) }, { axes: [2] })).toThrow(ArgumentError);
    expect(() => sum.infer({ x: fixed(2, 3) }, { axes: [2] })).toThrow('sum: expected axes from -2 to 1, got 2');
    expect(() => mean.infer({ x: integers }, {})).toThrow('mean: expected f32 of at most 6 axes, got u32[4]');
    expect(() => relu.infer({ x: integers }, {})).toThrow('relu: expected f32[...], got u32[4]');
  });
});

describe('moves along an axis', () => {
  it('keep samples and dtype', () => {
    expect(slice.infer({ x: sampled(8, 5) }, { axis: -1, start: 2 }).y).toEqual(sampled(8, 3));
    expect(pad.infer({ x: sampled(4, 5) }, { axis: 1, before: 1, after: -3 }).y).toEqual(sampled(4, 3));
    expect(concat.infer({ a: sampled(8, 2, 3), b: sampled(8, 5, 3) }, { axis: -2 }).y).toEqual(sampled(8, 7, 3));
    expect(concat.infer({ a: integers, b: integers }, { axis: 0 }).y).toEqual({ ...integers, shape: [8] });
  });

  it('leave the axis of the samples alone', () => {
    const says = (op: string) => `${op}: expected an axis behind that of the samples, got 0 of f32[rows, 3]`;
    expect(() => slice.infer({ x: sampled(4, 3) }, { axis: 0, end: 2 })).toThrow(says('slice'));
    expect(() => pad.infer({ x: sampled(4, 3) }, { axis: 0, after: 2 })).toThrow(says('pad'));
    expect(() => concat.infer({ a: sampled(4, 3), b: sampled(4, 3) }, { axis: 0 })).toThrow(says('concat'));
  });

  it.each<[string, Spec, Spec]>([
    ['samples and none', sampled(4, 3), fixed(4, 3)],
    ['samples of two kinds', sampled(4, 3), { ...fixed(4, 3), rows: new Rows(4) }],
    ['other lengths elsewhere', fixed(2, 3), fixed(3, 3)],
    ['more axes', fixed(2, 3), fixed(2, 3, 1)],
    ['fewer axes', fixed(2, 3), fixed(2)],
    ['two dtypes', { ...fixed(4), dtype: 'i32' }, integers],
  ])('refuse to join %s', (_, a, b) => {
    const axis = a.shape.length - 1;
    expect(() => concat.infer({ a, b }, { axis })).toThrow(/^concat: expected a and b of one dtype, .* but for axis/);
  });

  it('name the positions that are not there', () => {
    const x = fixed(5, 3);
    expect(() => slice.infer({ x }, { axis: 2 })).toThrow('slice: expected axes from -2 to 1, got 2');
    for (const [start, end] of [[-1, 2], [3, 2], [0, 6], [0.5, 2], [NaN, 2]] as const) {
      const says = `slice: expected 0 <= start <= end <= 5, got ${start} and ${end}`;
      expect(() => slice.infer({ x }, { axis: 0, start, end })).toThrow(says);
    }
    expect(() => pad.infer({ x }, { axis: 1, before: -2, after: -2 })).toThrow(
      'pad: expected whole numbers that leave out at most 3, got -2 and -2',
    );
  });
});
