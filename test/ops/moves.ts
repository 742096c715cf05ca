import type { ConcatAttributes } from '../../src/kernels/concat.ts';
import type { PadAttributes } from '../../src/kernels/pad.ts';
import type { SliceAttributes } from '../../src/kernels/slice.ts';
import { random } from '../op-table.ts';
import type { Host, OpRow } from '../op-table.ts';
import { build, element, ofSamples } from './shapes.ts';

const paddings = [{}, { before: 2 }, { after: 3 }, { before: 1, after: 2 }, { before: -1, after: 3 }, { after: -2 }];

/** The position of x that one before, within or behind it shows; none in mode constant. */
type Shown = (at: number, length: number) => number | undefined;
const shown: Readonly<Record<NonNullable<PadAttributes['mode']>, Shown>> = {
  constant: (at, length) => (at >= 0 && at < length ? at : undefined),
  reflect: (at, length) => (at < 0 ? -at : at < length ? at : 2 * length - 2 - at),
  edge: (at, length) => Math.min(Math.max(at, 0), length - 1),
  wrap: (at, length) => ((at % length) + length) % length,
};

const modes = (['reflect', 'edge', 'wrap'] as const).flatMap((mode, seed) => [
  ofSamples({ x: random([3, 4, 5], seed) }, { mode, axis: 1, before: 3, after: 2 }),
  ofSamples({ x: random([2, 65], seed) }, { mode, axis: -1, before: 1, after: 64 }),
  { inputs: { x: random([2, 3], seed) }, attributes: { mode, axis: 0, after: 1 } },
  { inputs: { x: random([3], seed) }, attributes: { mode, axis: 0, before: 2, after: mode === 'reflect' ? 2 : 11 } },
]);

export const padRow: OpRow = {
  cases: [
    ...paddings.map((padding, seed) => ofSamples({ x: random([3, 3, 2, 5], seed) }, { ...padding, axis: 1 })),
    ofSamples({ x: random([6, 4], 6) }, { axis: -1, before: 1, after: -2 }),
    { inputs: { x: random([3, 7], 7) }, attributes: { axis: 0, before: -1, after: 3 } },
    ofSamples({ x: random([5, 65, 3], 1) }, { axis: 1, before: 1 }),
    ofSamples({ x: random([2, 3, 4], 2) }, { axis: 1, before: 1, after: 2, value: -2.5 }),
    { inputs: { x: random([0, 2], 3) }, attributes: { axis: 0, before: 1, value: 3 } },
    { inputs: { x: random([3, 2], 4) }, attributes: { axis: 0, before: -1, after: -2 } },
    ...modes,
  ],
  reference({ x }, attributes) {
    const { axis, before = 0, after = 0, mode = 'constant', value = 0 } = attributes as PadAttributes;
    const at = axis < 0 ? axis + x!.shape.length : axis;
    const length = x!.shape[at]!;
    return build(x!.shape.with(at, length + before + after), (place) => {
      const from = shown[mode](place[at]! - before, length);
      return from === undefined ? value : element(x!, place.with(at, from));
    });
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
    { inputs: { x: random([7, 3], 8) }, attributes: { axis: 0, start: 4, end: 4 } },
    { inputs: { x: random([0], 9) }, attributes: { axis: 0 } },
    ofSamples({ x: random([3, 7, 2], 10) }, { axis: 1, step: 2 }),
    ofSamples({ x: random([3, 8, 2], 11) }, { axis: 1, step: -1 }),
    ofSamples({ x: random([2, 3, 65], 12) }, { axis: -1, start: 63, end: 2, step: -7 }),
    ofSamples({ x: random([4, 1000], 13) }, { axis: 1, start: 1, end: 998, step: 3 }),
    { inputs: { x: random([5, 3], 14) }, attributes: { axis: 0, start: 2, end: -1, step: -2 } },
    { inputs: { x: random([5, 3], 15) }, attributes: { axis: 0, start: -1, step: -1 } },
    { inputs: { x: random([5, 3], 16) }, attributes: { axis: 0, start: 1, step: 9 } },
  ],
  reference({ x }, attributes) {
    const { axis, step = 1, ...given } = attributes as SliceAttributes;
    const at = axis < 0 ? axis + x!.shape.length : axis;
    const all = [...Array(x!.shape[at]).keys()];
    const { start = step < 0 ? all.length - 1 : 0, end = step < 0 ? -1 : all.length } = given;
    const inside = (i: number): boolean => (step > 0 ? i >= start && i < end : i <= start && i > end);
    const taken = all.filter((i) => inside(i) && (i - start) % step === 0);
    const order = step > 0 ? taken : taken.toReversed();
    return build(x!.shape.with(at, order.length), (place) => element(x!, place.with(at, order[place[at]!]!)));
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
    { inputs: { a: random([0, 3], 13), b: random([5, 3], 14) }, attributes: { axis: 0 } },
    ...[3, 4].map((count) => {
      const parts = ['a', 'b', 'c', 'd'].slice(0, count);
      const inputs = Object.fromEntries(parts.map((name, part) => [name, random([3, 2 + part, 2], 15 + part)]));
      return ofSamples(inputs, { axis: 1 });
    }),
  ],
  reference(parts, attributes) {
    const { axis } = attributes as ConcatAttributes;
    const [a, ...others] = Object.values(parts) as [Host, ...Host[]];
    const at = axis < 0 ? axis + a.shape.length : axis;
    const length = others.reduce((total, { shape }) => total + shape[at]!, a.shape[at]!);
    return build(a.shape.with(at, length), (place) => {
      let position = place[at]!;
      const part = [a, ...others].find(({ shape }) => position < shape[at]! || void (position -= shape[at]!))!;
      return element(part, place.with(at, position));
    });
  },
  ulps: () => 0,
  differentiable: ['a', 'b'],
};
