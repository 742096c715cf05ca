import { describe, expect, it } from 'vitest';
import { depthToSpace, spaceToDepth } from '../../src/kernels/depth-space.ts';
import { trace } from '../../src/graph/trace.ts';
import { argMax } from '../../src/kernels/arg-reduce.ts';
import { embedding } from '../../src/kernels/embedding.ts';
import { expand } from '../../src/kernels/expand.ts';
import { gather, gatherElements } from '../../src/kernels/gather.ts';
import { oneHot } from '../../src/kernels/one-hot.ts';
import { pad } from '../../src/kernels/pad.ts';
import { randomNormal, randomUniform } from '../../src/kernels/random-fill.ts';
import { flatten, squeeze, unsqueeze } from '../../src/kernels/reshape.ts';
import { scatterAdd } from '../../src/kernels/scatter-add.ts';
import { slice } from '../../src/kernels/slice.ts';
import type { SliceAttributes } from '../../src/kernels/slice.ts';
import { split } from '../../src/kernels/split.ts';
import { tile } from '../../src/kernels/tile.ts';
import { transpose } from '../../src/kernels/transpose.ts';
import { triangle } from '../../src/kernels/triangle.ts';
import { Rows } from '../../src/tensor/spec.ts';
import type { Dtype, Spec } from '../../src/tensor/spec.ts';

const rows = new Rows(4);
const fixed = (...shape: number[]): Spec => ({ dtype: 'f32', shape });
const sampled = (...shape: number[]): Spec => ({ dtype: 'f32', shape, rows });
const of = (dtype: Dtype, spec: Spec): Spec => ({ ...spec, dtype });

/** Calls operations that are made of others: `call` is given values as specs say. */
const called = (spec: Spec, call: (x: never) => unknown) => (): void =>
  void trace({ x: spec }, ({ x }) => (call(x as never), {}));

/** What each says of a call that it refuses. */
const refused: readonly (readonly [says: string, call: () => unknown])[] = [
  ['slice: expected a whole step other than 0, got 0', () => slice.infer({ x: fixed(5) }, { axis: 0, step: 0 })],
  [
    'slice: expected -1 <= end <= start < 5, got 5 and -1',
    () => slice.infer({ x: fixed(5) }, { axis: 0, start: 5, step: -1 }),
  ],
  [
    'pad: expected 0 to 2 on each side of 3 positions in mode reflect, got 3 and 0',
    () => pad.infer({ x: fixed(3) }, { axis: 0, before: 3, mode: 'reflect' }),
  ],
  [
    'pad: expected 0 or more on each side of 3 positions in mode edge, got 0 and -1',
    () => pad.infer({ x: fixed(3) }, { axis: 0, after: -1, mode: 'edge' }),
  ],
  [
    'pad: expected 0 to 0 on each side of 0 positions in mode wrap, got 1 and 0',
    () => pad.infer({ x: fixed(0) }, { axis: 0, before: 1, mode: 'wrap' }),
  ],
  [
    'pad: expected a mode of constant, reflect, edge or wrap, got mirror',
    () => pad.infer({ x: fixed(3) }, { axis: 0, mode: 'mirror' as never }),
  ],
  [
    'pad: expected a value that u32 holds, got -1',
    () => pad.infer({ x: of('u32', fixed(3)) }, { axis: 0, before: 1, value: -1 }),
  ],
  [
    'transpose: expected each of 3 axes once, got [0, 1, 1] for f32[2, 3, 4]',
    () => transpose.infer({ x: fixed(2, 3, 4) }, { permutation: [0, 1, 1] }),
  ],
  [
    'transpose: expected a permutation that begins with 0, the axis of the samples, got [1, 0] for f32[rows, 3]',
    () => transpose.infer({ x: sampled(4, 3) }, {}),
  ],
  [
    'transpose: expected at most 6 axes to be moved apart from each other; move some of them first, got f32[2, ' +
      '2, 2, 2, 2, 2, 2]',
    () => transpose.infer({ x: fixed(2, 2, 2, 2, 2, 2, 2) }, {}),
  ],
  [
    'expand: expected an operand that repeats to [4, 5], got f32[3, 1]',
    () => expand.infer({ x: fixed(3, 1) }, { shape: [4, 5] }),
  ],
  [
    'expand: expected an operand that repeats to [2, 4, 3], the leading one that of the samples, got f32[rows, 1]',
    () => expand.infer({ x: sampled(4, 1) }, { shape: [2, 4, 3] }),
  ],
  [
    'expand: expected an operand that repeats to [3, 2], the leading one for 4 rows, got f32[1, 2]',
    () => expand.infer({ x: fixed(1, 2) }, { shape: [3, 2], rows }),
  ],
  [
    'tile: expected repeats of 2 whole numbers, the first of them 1 for the samples, got [2, 1] for f32[rows, 3]',
    called(sampled(4, 3), (x) => tile({ x }, { repeats: [2, 1] })),
  ],
  [
    'gather: expected samples of x or of indices, not of both; gatherElements and scatterAddElements take indices for ' +
      'each sample, got f32[rows, 3] and u32[rows, 2]',
    () => gather.infer({ x: sampled(4, 3), indices: of('u32', sampled(4, 2)) }, { axis: 1 }),
  ],
  [
    'gather: expected an axis behind that of the samples, not 0, got f32[rows, 3] and u32[2]',
    () => gather.infer({ x: sampled(4, 3), indices: of('u32', fixed(2)) }, { axis: 0 }),
  ],
  [
    'gather: expected axis 0, where indices have samples, not -1, got f32[2, 3] and u32[rows]',
    () => gather.infer({ x: fixed(2, 3), indices: of('u32', sampled(4)) }, { axis: -1 }),
  ],
  [
    'gather: expected indices u32 or i32, got f32[3] and f32[2]',
    () => gather.infer({ x: fixed(3), indices: fixed(2) }, { axis: 0 }),
  ],
  [
    'gather-elements: expected indices u32 or i32, of the same samples as x, and alike but for axis 1, got ' +
      'f32[3, 4] and u32[2, 4]',
    () => gatherElements.infer({ x: fixed(3, 4), indices: of('u32', fixed(2, 4)) }, { axis: 1 }),
  ],
  [
    'scatter-add: expected updates f32[2, 4] of the samples of x or indices, got f32[2, 3]',
    () => scatterAdd.infer({ x: fixed(3, 4), indices: of('u32', fixed(2)), updates: fixed(2, 3) }, { axis: 0 }),
  ],
  [
    'one-hot: expected indices u32 or i32, and a new axis behind that of their samples, got u32[rows]',
    () => oneHot.infer({ indices: of('u32', sampled(4)) }, { depth: 3, axis: 0 }),
  ],
  [
    'one-hot: expected an axis from -2 to 1, got 2',
    () => oneHot.infer({ indices: of('u32', fixed(4)) }, { depth: 3, axis: 2 }),
  ],
  [
    'one-hot: expected a depth of 1 or more, got 1.5',
    () => oneHot.infer({ indices: of('u32', fixed(4)) }, { depth: 1.5 }),
  ],
  [
    'embedding: expected weight [vocabulary, channels] without samples and indices u32 or i32, got f32[rows, 3] ' +
      'and f32[rows, 3]',
    called(sampled(4, 3), (x) => embedding({ weight: x, indices: x })),
  ],
  [
    'triangle: expected x [samples, ..., rows, columns], got f32[rows, 3]',
    () => triangle.infer({ x: sampled(4, 3) }, {}),
  ],
  [
    'depth-to-space: expected x [images, channels, height, width] of channels, a multiple of 4, got f32[1, 6, 2, 2]',
    called(fixed(1, 6, 2, 2), (x) => depthToSpace({ x }, { block: 2 })),
  ],
  [
    'space-to-depth: expected x [images, channels, height, width] of sides, multiples of 2, got f32[1, 6, 3, 2]',
    called(fixed(1, 6, 3, 2), (x) => spaceToDepth({ x }, { block: 2 })),
  ],
  [
    'split: expected parts of 7 positions together, got [3, 3] along axis 1 of f32[rows, 7]',
    called(sampled(4, 7), (x) => split({ x }, { axis: 1, parts: [3, 3] })),
  ],
  [
    'split: expected an axis behind that of the samples, got 0',
    called(sampled(4, 7), (x) => split({ x }, { axis: 0, parts: 2 })),
  ],
  [
    'squeeze: expected axes of length 1, not the samples, got 1 of f32[rows, 7]',
    called(sampled(4, 7), (x) => squeeze({ x }, { axes: [-1] })),
  ],
  [
    'unsqueeze: expected different axes behind that of the samples, got [0] for f32[rows, 7]',
    called(sampled(4, 7), (x) => unsqueeze({ x }, { axes: [0] })),
  ],
  [
    'unsqueeze: expected different axes, got [1, -2] for f32[7]',
    called(fixed(7), (x) => unsqueeze({ x }, { axes: [1, -2] })),
  ],
  [
    'flatten: expected an axis behind that of the samples, got 0 of f32[rows, 7]',
    called(sampled(4, 7), (x) => flatten({ x }, { axis: 0 })),
  ],
  ['random-uniform: expected seed u32[1], got f32[1]', () => randomUniform.infer({ seed: fixed(1) }, { shape: [3] })],
  [
    'random-normal: expected a shape of whole lengths, the leading one a multiple of 4 rows, got [3]',
    () => randomNormal.infer({ seed: of('u32', fixed(1)) }, { shape: [3], rows }),
  ],
  [
    'random-uniform: expected finite numbers in ascending order, got 2 and 1',
    () => randomUniform.infer({ seed: of('u32', fixed(1)) }, { shape: [3], low: 2 }),
  ],
];

describe('moves', () => {
  it.each(refused)('refuse: %s', (says, call) => expect(call).toThrow(says));

  it('say where the samples are', () => {
    const indices = of('u32', sampled(8, 5));
    expect(gather.infer({ x: fixed(9, 3), indices }, { axis: 0 }).y).toEqual(sampled(8, 5, 3));
    const x = sampled(4, 9, 3);
    expect(gather.infer({ x, indices: of('i32', fixed(2, 5)) }, { axis: -2 }).y).toEqual(sampled(4, 2, 5, 3));
    expect(transpose.infer({ x: sampled(8, 2, 3) }, { permutation: [0, 2, 1] }).y).toEqual(sampled(8, 3, 2));
    expect(expand.infer({ x: fixed(3) }, { shape: [8, 1], rows }).y).toEqual(sampled(8, 3));
    expect(oneHot.infer({ indices }, { depth: 3, axis: 1 }).y).toEqual(sampled(8, 3, 5));
    trace({ weight: fixed(9, 3), indices }, ({ weight, indices }) => {
      expect(embedding({ weight: weight!, indices: indices! })).toMatchObject(sampled(8, 5, 3));
      return {};
    });
  });

  it('that keep all elements give the shape asked for', () => {
    trace({ x: fixed(2, 1, 3, 1), samples: sampled(4, 1, 3, 1) }, ({ x: fixedX, samples: sampledX }) => {
      const [x, samples] = [fixedX!, sampledX!];
      expect(squeeze({ x })).toMatchObject(fixed(2, 3));
      expect(squeeze({ x }, { axes: [-1] })).toMatchObject(fixed(2, 1, 3));
      expect(squeeze({ x: samples })).toMatchObject(sampled(4, 3));
      expect(squeeze({ x: samples }, { axes: [-1] })).toMatchObject(sampled(4, 1, 3));
      expect(unsqueeze({ x }, { axes: [-1, 2, 0] })).toMatchObject(fixed(1, 2, 1, 1, 3, 1, 1));
      expect(flatten({ x }, { axis: 0 })).toMatchObject(fixed(1, 6));
      expect(flatten({ x: samples })).toMatchObject(sampled(4, 3));
      expect(flatten({ x: samples }, { axis: 3 })).toMatchObject(sampled(12, 1));
      expect(flatten({ x: samples }, { axis: -1 })).toMatchObject(sampled(12, 1));
      return {};
    });
    const x = sampled(4, 2, 3);
    expect(argMax.infer({ x }, { axis: -2 }).y).toEqual(of('u32', sampled(4, 3)));
    expect(argMax.infer({ x }, { axis: -2, keepDims: true }).y).toEqual(of('u32', sampled(4, 1, 3)));
  });

  it('count the positions taken in steps', () => {
    const count = (start: number | undefined, end: number | undefined, step: number) =>
      slice.infer({ x: fixed(7) }, { axis: 0, start, end, step } as SliceAttributes).y.shape[0];
    expect(count(undefined, undefined, 3)).toBe(3);
    expect(count(1, 7, 3)).toBe(2);
    expect(count(undefined, undefined, -1)).toBe(7);
    expect(count(5, 1, -2)).toBe(2);
    expect(count(3, 3, -1)).toBe(0);
  });
});
