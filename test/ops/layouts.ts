import type { ExpandAttributes } from '../../src/kernels/expand.ts';
import type { SpaceAttributes } from '../../src/kernels/depth-space.ts';
import type { TileAttributes } from '../../src/kernels/tile.ts';
import type { TransposeAttributes } from '../../src/kernels/transpose.ts';
import type { TriangleAttributes } from '../../src/kernels/triangle.ts';
import { host, random } from '../op-table.ts';
import type { OpRow } from '../op-table.ts';
import { broadcastShape, repeated } from './broadcast.ts';
import { build, element, ofSamples } from './shapes.ts';

const moved = { ulps: () => 0, differentiable: ['x'] } as const;

export const transposeRow: OpRow = {
  cases: [
    ...[0, 1, 3, 63, 64, 65, 1000].map((length, seed) => ({ inputs: { x: random([length, 3], seed) } })),
    { inputs: { x: random([5], 10) } },
    { inputs: { x: random([2, 3, 4], 11) } },
    { inputs: { x: random([2, 3, 4], 11) }, attributes: { permutation: [1, -1, 0] } },
    { inputs: { x: random([2, 3, 2, 2, 3, 2], 12) }, attributes: { permutation: [5, 3, 1, 4, 2, 0] } },
    ofSamples({ x: random([3, 4, 5], 14) }, { permutation: [0, 2, 1] }),
    ofSamples({ x: random([5, 2, 3, 4], 15) }, { permutation: [0, 3, 1, 2] }),
    { ...ofSamples({ x: random([6, 2, 3], 16) }, { permutation: [0, 2, 1] }), samples: 3 },
  ],
  reference({ x }, attributes) {
    const { permutation = [...x!.shape.keys()].toReversed() } = attributes as TransposeAttributes;
    const order = permutation.map((axis) => (axis < 0 ? axis + x!.shape.length : axis));
    const shape = order.map((axis) => x!.shape[axis]!);
    return build(shape, (at) => element(x!, order.map((_, axis) => at[order.indexOf(axis)]!)));
  },
  ...moved,
};

export const expandRow: OpRow = {
  cases: [
    { inputs: { x: random([1], 1) }, attributes: { shape: [65] } },
    { inputs: { x: random([3, 1], 2) }, attributes: { shape: [3, 4] } },
    { inputs: { x: random([3, 1], 3) }, attributes: { shape: [2, 1, 6] } },
    { inputs: { x: random([1, 3, 1], 4) }, attributes: { shape: [1, 1] } },
    { inputs: { x: random([2, 1, 2, 1, 3, 1], 5) }, attributes: { shape: [2, 3, 2, 2, 3, 2] } },
    { inputs: { x: random([3, 1], 6) }, attributes: { shape: [3, 0] } },
    ofSamples({ x: random([5, 1, 3], 7) }, { shape: [1, 4, 3] }),
    ofSamples({ x: random([3, 4, 1], 8) }, { shape: [65] }),
  ],
  reference({ x }, attributes) {
    const { shape } = attributes as ExpandAttributes;
    const lengths = broadcastShape(shape, x!.shape);
    return host(lengths, repeated(x!, lengths));
  },
  ulps: () => 0,
  differentiable: ['x'],
};

export const tileRow: OpRow = {
  cases: [
    { inputs: { x: random([2, 2], 1) }, attributes: { repeats: [2, 2] } },
    { inputs: { x: random([3], 2) }, attributes: { repeats: [65] } },
    { inputs: { x: random([2, 3, 4], 3) }, attributes: { repeats: [3, 1, 2] } },
    { inputs: { x: random([2, 1, 3, 2], 4) }, attributes: { repeats: [2, 3, 2, 2] } },
    { inputs: { x: random([2, 3], 5) }, attributes: { repeats: [0, 2] } },
    ofSamples({ x: random([3, 4, 5], 6) }, { repeats: [1, 2, 3] }),
  ],
  reference({ x }, attributes) {
    const { repeats } = attributes as TileAttributes;
    const shape = x!.shape.map((length, axis) => length * repeats[axis]!);
    return build(shape, (at) => element(x!, at.map((position, axis) => position % x!.shape[axis]!)));
  },
  ...moved,
};

export const triangleRow: OpRow = {
  cases: [
    { inputs: { x: random([4, 5], 1) } },
    { inputs: { x: random([4, 5], 2) }, attributes: { upper: true } },
    { inputs: { x: random([3, 3, 2], 3) }, attributes: { diagonal: -1 } },
    { inputs: { x: random([2, 65, 63], 4) }, attributes: { upper: true, diagonal: 7 } },
    { inputs: { x: random([3, 4], 5) }, attributes: { diagonal: -100 } },
    { inputs: { x: random([3, 0, 5], 6) }, attributes: { upper: true } },
    ofSamples({ x: random([3, 4, 4], 7) }, { upper: true, diagonal: -2 }),
    ofSamples({ x: random([3, 2, 3, 5], 8) }, { diagonal: 1 }),
  ],
  reference({ x }, attributes) {
    const { upper = false, diagonal = 0 } = attributes as TriangleAttributes;
    return build(x!.shape, (at) => {
      const right = at.at(-1)! - at.at(-2)! - diagonal;
      return (upper ? right >= 0 : right <= 0) ? element(x!, at) : 0;
    });
  },
  ...moved,
};

/** Where an element of the pixels stands among the channels. */
function inDepth(place: readonly number[], { block, mode }: SpaceAttributes, channels: number): number[] {
  const [image, channel, y, x] = place;
  const square = (y! % block) * block + (x! % block);
  const deep = mode === 'CRD' ? channel! * block ** 2 + square : square * channels + channel!;
  return [image!, deep, Math.floor(y! / block), Math.floor(x! / block)];
}

export const depthToSpaceRow: OpRow = {
  cases: (['DCR', 'CRD'] as const).flatMap((mode, seed) => [
    { inputs: { x: random([1, 8, 2, 3], seed) }, attributes: { block: 2, mode } },
    ofSamples({ x: random([2, 18, 3, 2], seed + 2) }, { block: 3, mode }),
  ]),
  reference({ x }, attributes) {
    const given = attributes as SpaceAttributes;
    const { block } = given;
    const [images, deep, height, width] = x!.shape as [number, number, number, number];
    const channels = deep / block ** 2;
    return build([images, channels, height * block, width * block], (at) => element(x!, inDepth(at, given, channels)));
  },
  ...moved,
};

export const spaceToDepthRow: OpRow = {
  cases: (['DCR', 'CRD'] as const).flatMap((mode, seed) => [
    { inputs: { x: random([1, 2, 4, 6], seed) }, attributes: { block: 2, mode } },
    ofSamples({ x: random([2, 2, 3, 6], seed + 2) }, { block: 3, mode }),
  ]),
  reference({ x }, attributes) {
    const given = attributes as SpaceAttributes;
    const { block } = given;
    const [images, channels, height, width] = x!.shape as [number, number, number, number];
    const y = build([images, channels * block ** 2, height / block, width / block], () => 0);
    build(x!.shape, (at) => {
      const [image, deep, row, column] = inDepth(at, given, channels) as [number, number, number, number];
      return (y.data[((image * y.shape[1]! + deep) * y.shape[2]! + row) * y.shape[3]! + column] = element(x!, at));
    });
    return y;
  },
  ...moved,
};

const sameElements: Omit<OpRow, 'cases'> = { reference: ({ x }) => host([x!.data.length], x!.data), ...moved };

export const squeezeRow: OpRow = {
  cases: [
    { inputs: { x: random([1, 3, 1], 1) } },
    { inputs: { x: random([1, 3, 1], 2) }, attributes: { axes: [-1] } },
    ofSamples({ x: random([2, 1, 3], 3) }, {}),
  ],
  ...sameElements,
};

export const unsqueezeRow: OpRow = {
  cases: [
    { inputs: { x: random([3, 4, 5], 1) }, attributes: { axes: [-1, 2, 0] } },
    ofSamples({ x: random([3, 4], 2) }, { axes: [1] }),
  ],
  ...sameElements,
};

export const flattenRow: OpRow = {
  cases: [
    { inputs: { x: random([2, 3, 4], 1) } },
    { inputs: { x: random([2, 3, 4], 2) }, attributes: { axis: 0 } },
    { inputs: { x: random([2, 3, 4], 3) }, attributes: { axis: 3 } },
    ofSamples({ x: random([3, 2, 4], 4) }, { axis: -1 }),
  ],
  ...sameElements,
};
