import type { ConcatAttributes } from '../../src/kernels/concat.ts';
import type { PadAttributes } from '../../src/kernels/pad.ts';
import type { SliceAttributes } from '../../src/kernels/slice.ts';
import { host, random } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';

/** The positions `from..to` along an axis: those of x, zeros where it has none. */
function positions({ shape, data, dtype }: Host, axis: number, from: number, to: number): Host {
  const at = axis < 0 ? axis + shape.length : axis;
  const length = shape[at]!;
  const stride = shape.slice(at + 1).reduce((size, count) => size * count, 1);
  const outer = shape.slice(0, at).reduce((size, count) => size * count, 1);
  const y: number[] = [];
  for (let before = 0; before < outer; before++) {
    for (let i = from; i < to; i++) {
      for (let behind = 0; behind < stride; behind++) {
        y.push(i >= 0 && i < length ? data[(before * length + i) * stride + behind]! : 0);
      }
    }
  }
  return host(shape.with(at, to - from), y, dtype);
}

const ofSamples = (inputs: OpCase['inputs'], attributes: object): OpCase => {
  const [first] = Object.values(inputs);
  return { inputs, attributes, samples: first!.shape[0]!, batched: Object.keys(inputs) };
};

const paddings = [{}, { before: 2 }, { after: 3 }, { before: 1, after: 2 }, { before: -1, after: 3 }, { after: -2 }];

export const padRow: OpRow = {
  cases: [
    ...paddings.flatMap((padding, seed) => [
      ofSamples({ x: random([3, 3, 2, 5], seed) }, { ...padding, axis: 1 }),
      ofSamples({ x: random([6, 4], seed) }, { ...padding, axis: -1 }),
      { inputs: { x: random([3, 7], seed) }, attributes: { ...padding, axis: 0 } },
    ]),
    ofSamples({ x: random([5, 65, 3], 1) }, { axis: 1, before: 1 }),
  ],
  reference({ x }, attributes) {
    const { axis, before = 0, after = 0 } = attributes as PadAttributes;
    return positions(x!, axis, -before, x!.shape.at(axis)! + after);
  },
  ulps: () => 0,
  differentiable: ['x'],
};

export const sliceRow: OpRow = {
  cases: [
    ofSamples({ x: random([1, 1], 1) }, { axis: 1 }),
    ofSamples({ x: random([3, 63], 2) }, { axis: -1, start: 62 }),
    ofSamples({ x: random([5, 65], 3) }, { axis: 1, end: 64 }),
    ofSamples({ x: random([7, 1000], 4) }, { axis: 1, start: 1, end: 999 }),
    ofSamples({ x: random([6, 4, 3, 2], 5) }, { axis: 2, start: 1, end: 2 }),
    ofSamples({ x: random([2, 3, 5], 6) }, { axis: -2, start: 1 }),
    { inputs: { x: random([7, 3], 7) }, attributes: { axis: 0, start: 2, end: 5 } },
  ],
  reference({ x }, attributes) {
    const { axis, start = 0, end = x!.shape.at(axis)! } = attributes as SliceAttributes;
    return positions(x!, axis, start, end);
  },
  ulps: () => 0,
  differentiable: ['x'],
};

export const concatRow: OpRow = {
  cases: [
    ofSamples({ a: random([1, 1], 1), b: random([1, 1], 2) }, { axis: 1 }),
    ofSamples({ a: random([3, 63], 3), b: random([3, 1], 4) }, { axis: -1 }),
    ofSamples({ a: random([5, 65], 5), b: random([5, 1000], 6) }, { axis: 1 }),
    ofSamples({ a: random([6, 4, 3, 2], 7), b: random([6, 4, 5, 2], 8) }, { axis: 2 }),
    ofSamples({ a: random([2, 3, 5], 9), b: random([2, 4, 5], 10) }, { axis: -2 }),
    { inputs: { a: random([2, 3], 11), b: random([5, 3], 12) }, attributes: { axis: 0 } },
  ],
  reference({ a, b }, attributes) {
    const { axis } = attributes as ConcatAttributes;
    const [ofA, all] = [a!.shape.at(axis)!, a!.shape.at(axis)! + b!.shape.at(axis)!];
    // What of each lies in the other's place is zeros.
    const [left, right] = [positions(a!, axis, 0, all), positions(b!, axis, -ofA, all - ofA)];
    return host(left.shape, left.data.map((value, index) => value + right.data[index]!));
  },
  ulps: () => 0,
  differentiable: ['a', 'b'],
};
