import { random } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';
import { conv2dRow } from './conv2d.ts';
import { convTranspose2dRow } from './conv-transpose2d.ts';
import { averagePool2dRow, maxPool2dRow } from './pool2d.ts';

/** The rows of two dimensions, of planes of height 1; `attributes` gives those that it takes for the case's own. */
function rowOf(plain: OpRow, cases: readonly OpCase[], attributes: (given: never) => object): OpRow {
  const upright = ({ shape, ...rest }: Host): Host => ({ ...rest, shape: shape.toSpliced(2, 0, 1) });
  return {
    ...plain,
    cases,
    reference(inputs, given) {
      const planes = Object.entries(inputs).map(([name, host]) => [name, name === 'bias' ? host : upright(host)]);
      const y = plain.reference(Object.fromEntries(planes), attributes(given as never)) as Host;
      return { ...y, shape: y.shape.toSpliced(2, 1) };
    },
  };
}

interface Given {
  readonly kernel?: number;
  readonly stride?: number;
  readonly padding?: readonly [number, number] | 'same';
  readonly dilation?: number;
}

const across = ({ kernel = 1, stride, padding, dilation = 1, ...rest }: Given) => ({
  ...rest,
  kernel: [1, kernel],
  stride: [1, stride ?? kernel],
  dilation: [1, dilation],
  padding: typeof padding === 'string' ? padding : padding ? [0, padding[0], 0, padding[1]] : 0,
});

type Three = readonly [number, number, number];

const convolutions = (shapes: readonly (readonly [Three, Three, outputs: number, object])[]): OpCase[] =>
  shapes.map(([x, weight, outputs, attributes], index) => ({
    inputs: { x: random(x, 3 * index), weight: random(weight, 3 * index + 1), bias: random([outputs], 3 * index + 2) },
    attributes,
    samples: x[0],
    batched: ['x'],
  }));

export const conv1dRow = rowOf(
  conv2dRow,
  convolutions([
    [[3, 4, 21], [6, 2, 3], 6, { groups: 2, padding: [2, 0], dilation: 2, activation: 'relu' }],
    [[2, 2, 9], [3, 2, 4], 3, { stride: 2, padding: 'same' }],
  ]),
  across,
);

export const convTranspose1dRow = rowOf(
  convTranspose2dRow,
  convolutions([
    [[3, 4, 5], [4, 3, 3], 6, { groups: 2, stride: 2, padding: [1, 0], outputPadding: 1, known: [1, 11, 0, 1] }],
  ]),
  across,
);

const pools = (attributes: readonly object[]): OpCase[] =>
  attributes.map((one, index) => ({
    inputs: { x: random([3, 2, 11], index) },
    attributes: one,
    samples: 3,
    batched: ['x'],
  }));

export const maxPool1dRow = rowOf(
  maxPool2dRow,
  pools([{ kernel: 3, stride: 2, padding: [1, 0], dilation: 2 }]),
  across,
);

export const averagePool1dRow = rowOf(
  averagePool2dRow,
  pools([{ kernel: 2, ceil: true, activation: 'tanh' }, { kernel: 4, stride: 3, padding: [1, 2], countPadding: true }]),
  across,
);
