import type { GatherAttributes } from '../../src/kernels/gather.ts';
import type { OneHotAttributes } from '../../src/kernels/one-hot.ts';
import { host, random, randomIndices } from '../op-table.ts';
import type { Host, OpRow } from '../op-table.ts';
import { build, element, ofSamples, strides } from './shapes.ts';

/** Also such as count from the end, and such as are out of range on either side. */
const signed = (shape: readonly number[], seed: number, length: number, beyond = 2): Host => {
  const { data } = randomIndices(shape, seed, 2 * length + 2 * beyond);
  return host(shape, data.map((value) => value - length - beyond), 'i32');
};
const within = (shape: readonly number[], seed: number, length: number): Host => signed(shape, seed, length, 0);

const placeOf = (index: number, length: number): number => (index < 0 ? index + length : index);
const axisOf = (x: Host, { axis }: GatherAttributes): number => (axis < 0 ? axis + x.shape.length : axis);

/** Where the element `at` of what `gather` gives comes from; its place along the axis may not be there. */
function source(x: Host, indices: Host, axis: number, at: readonly number[]): number[] {
  const rank = indices.shape.length;
  const index = element(indices, at.slice(axis, axis + rank));
  return at.toSpliced(axis, rank, placeOf(index, x.shape[axis]!));
}

const sourceOfElement = (x: Host, indices: Host, axis: number, at: readonly number[]): number[] =>
  at.with(axis, placeOf(element(indices, at), x.shape[axis]!));

const isThere = (x: Host, axis: number, at: readonly number[]): boolean => at[axis]! >= 0 && at[axis]! < x.shape[axis]!;

const picked = (from: typeof source, each: boolean): Pick<OpRow, 'reference' | 'ulps' | 'differentiable'> => ({
  reference({ x, indices }, attributes) {
    const given = attributes as GatherAttributes;
    const axis = axisOf(x!, given);
    const shape = each ? indices!.shape : x!.shape.toSpliced(axis, 1, ...indices!.shape);
    return build(shape, (at) => {
      const place = from(x!, indices!, axis, at);
      return isThere(x!, axis, place) ? element(x!, place) : (given.fill ?? NaN);
    });
  },
  ulps: () => 0,
  differentiable: ['x'],
});

export const gatherRow: OpRow = {
  cases: [
    { inputs: { x: random([5, 3], 1), indices: randomIndices([4], 1, 5) }, attributes: { axis: 0 } },
    { inputs: { x: random([3, 65, 2], 2), indices: within([3, 4], 2, 65) }, attributes: { axis: 1 } },
    { inputs: { x: random([4, 7], 3), indices: signed([1000], 3, 7) }, attributes: { axis: -1, fill: 0.5 } },
    { inputs: { x: random([4, 7], 4), indices: randomIndices([], 4, 7) }, attributes: { axis: 1 } },
    { inputs: { x: random([4, 7], 5), indices: randomIndices([0], 5, 7) }, attributes: { axis: 1 } },
    ofSamples({ x: random([3, 4, 2], 6), indices: signed([5], 6, 4) }, { axis: 1, fill: 0 }, ['x']),
    ofSamples({ x: random([9, 4], 7), indices: within([3, 5], 7, 9) }, { axis: 0 }, ['indices']),
    ofSamples({ x: random([9], 8), indices: randomIndices([130], 8, 9) }, { axis: 0 }, ['indices']),
  ],
  ...picked(source, false),
};

export const gatherElementsRow: OpRow = {
  cases: [
    { inputs: { x: random([3, 3], 1), indices: randomIndices([2, 3], 1, 3) }, attributes: { axis: 0 } },
    { inputs: { x: random([3, 5, 2], 2), indices: within([3, 65, 2], 2, 5) }, attributes: { axis: 1 } },
    ofSamples({ x: random([3, 4], 3), indices: signed([3, 9], 3, 4) }, { axis: -1, fill: 0 }),
    ofSamples({ x: random([4, 5, 3], 4), indices: within([4, 2, 3], 4, 5) }, { axis: 1 }),
  ],
  ...picked(sourceOfElement, true),
};

const scattered = (to: typeof source): Omit<OpRow, 'cases'> => ({
  reference({ x, indices, updates }, attributes) {
    const axis = axisOf(x!, attributes as GatherAttributes);
    const each = strides(x!.shape);
    const data = x!.data.slice();
    build(updates!.shape, (at) => {
      const place = to(x!, indices!, axis, at);
      const index = place.reduce((sum, position, i) => sum + position * each[i]!, 0);
      if (isThere(x!, axis, place)) data[index]! += element(updates!, at);
      return 0;
    });
    return host(x!.shape, data);
  },
  // Rounding of each addition, of those that one place gets.
  ulps: ({ inputs }) => 1 + inputs['indices']!.data.length / 8,
  differentiable: ['x', 'updates'],
});

export const scatterAddRow: OpRow = {
  cases: [
    {
      inputs: { x: random([5, 3], 1), indices: randomIndices([4], 1, 5), updates: random([4, 3], 2) },
      attributes: { axis: 0 },
    },
    {
      inputs: { x: random([3, 7, 2], 3), indices: signed([3, 4], 3, 7), updates: random([3, 3, 4, 2], 4) },
      attributes: { axis: 1 },
    },
    ...[0, 1000].map((length) => ({
      inputs: { x: random([9], 5), indices: within([length], 5, 9), updates: random([length], 6) },
      attributes: { axis: 0 },
    })),
    ofSamples(
      { x: random([3, 4, 2], 7), indices: signed([6], 7, 4), updates: random([3, 6, 2], 8) },
      { axis: 1 },
      ['x', 'updates'],
    ),
  ],
  ...scattered(source),
};

export const scatterAddElementsRow: OpRow = {
  cases: [
    {
      inputs: { x: random([3, 3], 1), indices: randomIndices([2, 3], 1, 3), updates: random([2, 3], 2) },
      attributes: { axis: 0 },
    },
    ofSamples({ x: random([3, 4], 3), indices: signed([3, 65], 3, 4), updates: random([3, 65], 4) }, { axis: -1 }),
    ofSamples(
      { x: random([4, 5, 3], 5), indices: within([4, 7, 3], 5, 5), updates: random([4, 7, 3], 6) },
      { axis: 1 },
    ),
  ],
  ...scattered(sourceOfElement),
};

export const embeddingRow: OpRow = {
  cases: [
    { inputs: { weight: random([7, 5], 1), indices: randomIndices([65], 1, 7) } },
    ofSamples({ weight: random([7, 3], 2), indices: within([5, 4], 2, 7) }, {}, ['indices']),
    // Two positions of the leading axis belong to each sample.
    { ...ofSamples({ weight: random([9, 4], 3), indices: randomIndices([6, 3], 3, 9) }, {}, ['indices']), samples: 3 },
  ],
  reference: ({ weight, indices }) =>
    build([...indices!.shape, weight!.shape[1]!], (at) => element(weight!, source(weight!, indices!, 0, at))),
  ulps: () => 0,
  differentiable: ['weight'],
};

export const oneHotRow: OpRow = {
  cases: [
    { inputs: { indices: randomIndices([65], 1, 7) }, attributes: { depth: 5 } },
    { inputs: { indices: signed([3, 4], 2, 6) }, attributes: { depth: 6, axis: 1, on: 3, off: -0.5 } },
    { inputs: { indices: randomIndices([], 3, 3) }, attributes: { depth: 3, axis: 0 } },
    ofSamples({ indices: signed([5, 2], 4, 4) }, { depth: 4, dtype: 'i32', on: -1 }),
    ofSamples({ indices: randomIndices([3, 2], 5, 3) }, { depth: 3, axis: 1, dtype: 'u32' }),
  ],
  reference({ indices }, attributes) {
    const { depth, axis = -1, on = 1, off = 0, dtype } = attributes as OneHotAttributes;
    const at = axis < 0 ? axis + indices!.shape.length + 1 : axis;
    const isOn = (place: number[]): boolean => place[at] === placeOf(element(indices!, place.toSpliced(at, 1)), depth);
    return build(indices!.shape.toSpliced(at, 0, depth), (place) => (isOn(place) ? on : off), dtype);
  },
  ulps: () => 0,
};
