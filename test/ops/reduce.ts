import { distinct, host, random } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';

interface Attributes {
  readonly axes?: readonly number[];
  readonly keepDims?: boolean;
}

type Make = (shape: readonly number[], seed: number) => Host;
const around1: Make = (shape, seed) => random(shape, seed, 0.5, 1.5);

const whole = (shape: readonly number[], attributes: Attributes = {}, make: Make = around1): OpCase => ({
  inputs: { x: make(shape, shape.length + shape[0]!) },
  attributes,
});

const sampled = (shape: readonly number[], samples: number, attributes: Attributes, make?: Make): OpCase => ({
  ...whole(shape, attributes, make),
  samples,
  batched: ['x'],
});

const cases: readonly OpCase[] = [
  whole([1]),
  whole([3, 5], { keepDims: true }),
  whole([255]),
  whole([256]),
  whole([257]),
  whole([1000]),
  // Three steps of the tree.
  whole([66_000]),
  whole([0, 3], { axes: [0] }),
  whole([3, 0], { axes: [0] }),
  whole([63, 65], { axes: [0] }),
  whole([65, 64], { axes: [-1] }),
  whole([600, 3], { axes: [0] }),
  whole([2, 3, 4, 5], { axes: [1, 2], keepDims: true }),
  whole([3, 2, 300], { axes: [0, 2] }),
  whole([2, 3, 2, 3, 2, 3], { axes: [1, 3, 5] }),
  whole([2, 3, 2, 3, 2, 3], { axes: [0, 2, 4] }),
  whole([4, 5], { axes: [] }),
  sampled([3, 10], 3, { axes: [1] }),
  sampled([6, 300], 3, { axes: [1], keepDims: true }),
  sampled([5, 4, 36], 5, { axes: [2] }),
  sampled([2, 3, 700], 2, { axes: [1, -1] }),
];

/** Of which elements each result is made, in double precision. */
function groups({ shape, data }: Host, { axes, keepDims }: Attributes): { shape: number[]; elements: number[][] } {
  const reduced = new Set(axes?.map((axis) => (axis + shape.length) % shape.length) ?? shape.keys());
  const kept = shape.map((length, axis) => (reduced.has(axis) ? 1 : length));
  const elements: number[][] = Array.from({ length: kept.reduce((product, length) => product * length, 1) }, () => []);
  data.forEach((value, index) => {
    let [rest, at, stride] = [index, 0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (!reduced.has(axis)) at += (rest % shape[axis]!) * stride;
      rest = Math.floor(rest / shape[axis]!);
      stride *= kept[axis]!;
    }
    elements[at]!.push(value);
  });
  return { shape: keepDims ? kept : kept.filter((_, axis) => !reduced.has(axis)), elements };
}

const add = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

type Of = (values: readonly number[]) => number;

function row(of: Of, ulps: (count: number) => number, given: readonly OpCase[] = cases): OpRow {
  return {
    cases: given,
    reference({ x }, attributes) {
      const { shape, elements } = groups(x!, attributes);
      return host(shape, elements.map(of), x!.dtype);
    },
    ulps: ({ inputs, attributes = {} }) => ulps(groups(inputs['x']!, attributes).elements[0]?.length ?? 0),
    differentiable: ['x'],
  };
}

/** What the members but the first are tried with: one step of the tree, two, none; with samples and without. */
const few = (make: Make): OpCase[] => [
  whole([65, 64], { axes: [-1] }, make),
  whole([3, 2, 300], { axes: [0, 2] }, make),
  whole([3, 0], { axes: [1] }, make),
  sampled([6, 300], 3, { axes: [1], keepDims: true }, make),
];

/** Far enough apart that a finite difference does not change which is the greatest. */
const apart: Make = (shape, seed) => distinct(shape, seed, 0.001);

/** At least 1/2 from 0, of both signs. */
const signed: Make = (shape, seed) => {
  const { data } = random(shape, seed, 0.5, 1.5);
  return host(shape, data.map((value, index) => (index % 3 ? value : -value)));
};

/** So near to 1 that the product of many stays in range. */
const factors: Make = (shape, seed) => random(shape, seed, 0.98, 1.02);

/** Whose exponentials no f32 holds. */
const large: Make = (shape, seed) => random(shape, seed, 95, 105);

const root = (values: readonly number[]): number => Math.sqrt(add(values.map((value) => value ** 2)));

const logSumExp: Of = (values) => {
  const greatest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  return values.length ? greatest + Math.log(add(values.map((value) => Math.exp(value - greatest)))) : -Infinity;
};

export const maxOf: Of = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
export const minOf: Of = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);

export const reduceRows = {
  sum: row(add, (count) => count),
  mean: row((values) => (values.length ? add(values) / values.length : 0), (count) => count + 2),
  max: row(maxOf, () => 0, few(apart)),
  min: row(minOf, () => 0, few(apart)),
  prod: row((values) => values.reduce((a, b) => a * b, 1), (count) => count + 1, few(factors)),
  l1: row((values) => add(values.map(Math.abs)), (count) => count, few(signed)),
  l2: row(root, (count) => count + 4, few(signed)),
  sumSquare: row((values) => add(values.map((value) => value ** 2)), (count) => count + 1, few(signed)),
  // WGSL promises 3 ulp of log, relative to a result that is far from 0.
  logSum: row((values) => Math.log(add(values)), (count) => count + 4, few(around1)),
  logSumExp: row(logSumExp, (count) => count + 8, few(large)),
} satisfies Record<string, OpRow>;
