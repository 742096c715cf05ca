import { host, random } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';

interface Attributes {
  readonly axes?: readonly number[];
  readonly keepDims?: boolean;
}

const whole = (shape: readonly number[], attributes: Attributes = {}): OpCase => ({
  inputs: { x: random(shape, shape.length + shape[0]!, 0.5, 1.5) },
  attributes,
});

const sampled = (shape: readonly number[], samples: number, attributes: Attributes): OpCase => ({
  ...whole(shape, attributes),
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

function row(of: Of, ulps: (count: number) => number, differentiable?: readonly string[]): OpRow {
  return {
    cases,
    reference({ x }, attributes) {
      const { shape, elements } = groups(x!, attributes);
      return host(shape, elements.map(of));
    },
    ulps: ({ inputs, attributes = {} }) => ulps(groups(inputs['x']!, attributes).elements[0]?.length ?? 0),
    differentiable,
  };
}

export const reduceRows = {
  sum: row(add, (count) => count, ['x']),
  mean: row((values) => (values.length ? add(values) / values.length : 0), (count) => count + 2, ['x']),
  max: row((values) => values.reduce((a, b) => Math.max(a, b), -Infinity), () => 0),
  min: row((values) => values.reduce((a, b) => Math.min(a, b), Infinity), () => 0),
} satisfies Record<string, OpRow>;
