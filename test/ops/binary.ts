import { distinct, host, random } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';
import { Random } from '../../src/random.ts';
import type { Dtype } from '../../src/tensor/spec.ts';
import { broadcastShape, repeated } from './broadcast.ts';

type Make = (shape: readonly number[], seed: number) => Host;

const pairs: readonly (readonly [a: readonly number[], b: readonly number[]])[] = [
  [[1], [1]],
  [[3], [3]],
  [[65], [1]],
  [[], [63]],
  [[0, 3], [3]],
  [[1000], [1000]],
  [[64, 65], [65]],
  [[4, 1, 3], [5, 1]],
  [[2, 1, 3, 1, 2, 1], [1, 2, 1, 3, 1, 2]],
];

/** Of the first member. */
const every = (a: Make, b: Make): OpCase[] => [
  ...pairs.map(([left, right], seed) => ({ inputs: { a: a(left, seed), b: b(right, seed + 100) } })),
  { inputs: { a: a([3, 70], 30), b: b([3, 70], 31) }, samples: 3, batched: ['a', 'b'] },
  { inputs: { a: a([6, 5], 32), b: b([5], 33) }, samples: 3, batched: ['a'] },
  { inputs: { a: a([1, 4, 1], 34), b: b([5, 1, 3], 35) }, samples: 5, batched: ['b'] },
  { inputs: { a: a([2, 3, 4], 36), b: b([2, 3, 1], 37) }, samples: 2, batched: ['a', 'b'] },
];

/** Of those that share its kernel. */
const few = (a: Make, b: Make): OpCase[] => [
  { inputs: { a: a([65], 1), b: b([65], 2) } },
  { inputs: { a: a([3, 4, 1], 3), b: b([5], 4) }, samples: 3, batched: ['a'] },
];

/** `of` the elements of operands that broadcast. */
function broadcasting(operands: readonly Host[], dtype: Dtype, of: (...values: number[]) => number): Host {
  const shape = broadcastShape(...operands.map((operand) => operand.shape));
  const [first, ...rest] = operands.map((operand) => repeated(operand, shape));
  return host(shape, first!.map((value, index) => of(value, ...rest.map((data) => data[index]!))), dtype);
}

const between = (low: number, high: number): Make => (shape, seed) => random(shape, seed, low, high);

const awayFrom0: Make = (shape, seed) =>
  host(shape, distinct(shape, seed, 0.1).data.map((value) => Math.fround(value + 0.013)));

/** Whole numbers from `low` to below `high`. */
const whole = (dtype: Dtype, low: number, high: number): Make => (shape, seed) => {
  const source = new Random(seed);
  return host(shape, random(shape, seed).data.map(() => low + source.below(high - low)), dtype);
};

function row(
  of: (a: number, b: number, attributes: never) => number,
  ulps: number,
  cases = few(between(-2, 2), between(-2, 2)),
): OpRow {
  return {
    cases,
    reference: ({ a, b }, attributes) => broadcasting([a!, b!], a!.dtype, (p, q) => of(p, q, attributes as never)),
    ulps: (opCase) => (opCase.inputs['a']!.dtype === 'f32' ? ulps : 0),
    differentiable: ['a', 'b'],
  };
}

const positive = between(0.5, 2);

/** The same of integers: `of` their values, as the oracle has them. */
function withIntegers(
  one: OpRow,
  of: (a: number, b: number, attributes: never) => number,
  cases = integerCases,
): OpRow {
  return {
    ...one,
    cases: [...one.cases, ...cases],
    reference(inputs, attributes) {
      const { a, b } = inputs;
      if (a!.dtype === 'f32') return one.reference(inputs, attributes);
      return broadcasting([a!, b!], a!.dtype, (p, q) => of(p, q, attributes as never));
    },
  };
}

const integerCases: OpCase[] = [
  ...few(whole('i32', -1000, 1000), whole('i32', -7, 7)).slice(1),
  ...few(whole('u32', 2_000_000_000, 4_000_000_000), whole('u32', 0, 7)).slice(1),
];

const divide = (a: number, b: number): number => (b === 0 ? a : Math.trunc(a / b));
const wrapped = (value: number): number => Number(BigInt.asUintN(32, BigInt(value)));
/** In the range of the dtype that a is of; the tests have those above 2^31 in u32 alone. */
const wrapsLike = (a: number, value: number): number => (a >= 1e9 ? wrapped(value) : value);

const mod = (a: number, b: number, { fmod }: { fmod?: boolean }): number => {
  if (b === 0) return 0;
  const rest = a % b;
  return !fmod && rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
};
/** From 1/2 to 2 and from -2 to -1/2. */
const ofBothSigns: Make = (shape, seed) =>
  host(shape, random(shape, seed, 0.5, 2).data.map((value, index) => (index % 2 ? value : -value)));

const modCases = [undefined, { fmod: true }].flatMap((attributes) => [
  ...few(between(-9, 9), ofBothSigns),
  ...integerCases,
].map((opCase) => ({ ...opCase, ...(attributes && { attributes }) })));

const integerPower = (a: number, b: number): number => {
  if (b < 0) return a === 1 ? 1 : a === -1 ? (b % 2 ? -1 : 1) : 0;
  return Number(BigInt.asIntN(32, BigInt(a) ** BigInt(b)));
};

export const binaryRows = {
  add: withIntegers(row((a, b) => a + b, 1, every(between(-2, 2), between(-2, 2))), (a, b) => wrapsLike(a, a + b)),
  sub: withIntegers(row((a, b) => a - b, 1), (a, b) => wrapsLike(a, a - b)),
  mul: withIntegers(row((a, b) => a * b, 1), (a, b) => wrapsLike(a, a * b)),
  div: withIntegers(row((a, b) => a / b, 4, few(positive, positive)), divide),
  maximum: withIntegers(row((a, b) => Math.max(a, b), 0), (a, b) => Math.max(a, b)),
  minimum: withIntegers(row((a, b) => Math.min(a, b), 0), (a, b) => Math.min(a, b)),
  mod: row(mod, 0, modCases),
  // A base below 0 has a gradient to itself, not to the exponent; see `pow of a negative base`.
  pow: withIntegers(
    row((a, b) => a ** b, 8, few(between(0.25, 4), between(-3, 3))),
    integerPower,
    few(whole('i32', -3, 4), whole('i32', -3, 20)).slice(1),
  ),
  prelu: row((a, b) => (a < 0 ? a * b : a), 1, few(awayFrom0, between(0.1, 2))),
  reluGrad: withoutGradient(row((a, b) => (a > 0 ? b : 0), 0)),
  sigmoidGrad: withoutGradient(row((a, b) => b * a * (1 - a), 4)),
  tanhGrad: withoutGradient(row((a, b) => b * (1 - a * a), 4)),
} satisfies Record<string, OpRow>;

function withoutGradient(one: OpRow): OpRow {
  return { ...one, differentiable: undefined };
}

const inTruth = (of: (a: number, b: number) => boolean, cases: OpCase[]): OpRow => ({
  cases,
  reference: ({ a, b }) => broadcasting([a!, b!], 'u32', (p, q) => Number(of(p, q))),
  ulps: () => 0,
});

/** Some equal, some not; beyond 2^31 as well. */
const close: OpCase[] = [
  ...few(whole('f32', -3, 3), whole('f32', -3, 3)),
  ...few(whole('i32', -3, 3), whole('i32', -3, 3)).slice(1),
  ...few(whole('u32', 2 ** 31 - 2, 2 ** 31 + 2), whole('u32', 2 ** 31 - 2, 2 ** 31 + 2)).slice(1),
];
const truths = few(whole('u32', 0, 3), whole('u32', 0, 2));

export const compareRows = {
  equal: inTruth((a, b) => a === b, [...every(whole('f32', -3, 3), whole('f32', -3, 3)), ...close]),
  notEqual: inTruth((a, b) => a !== b, close),
  less: inTruth((a, b) => a < b, close),
  lessOrEqual: inTruth((a, b) => a <= b, close),
  greater: inTruth((a, b) => a > b, close),
  greaterOrEqual: inTruth((a, b) => a >= b, close),
  and: inTruth((a, b) => a !== 0 && b !== 0, truths),
  or: inTruth((a, b) => a !== 0 || b !== 0, truths),
  xor: inTruth((a, b) => (a !== 0) !== (b !== 0), truths),
} satisfies Record<string, OpRow>;

const chosen = (condition: Make, a: Make, b: Make): OpCase[] => [
  { inputs: { condition: condition([65], 1), a: a([65], 2), b: b([65], 3) } },
  { inputs: { condition: condition([4, 1], 4), a: a([3], 5), b: b([2, 1, 3], 6) } },
  { inputs: { condition: condition([5, 1], 7), a: a([3], 8), b: b([1], 9) }, samples: 5, batched: ['condition'] },
  { inputs: { condition: condition([3], 10), a: a([2, 3], 11), b: b([], 12) }, samples: 2, batched: ['a'] },
];

export const whereRow: OpRow = {
  cases: [
    ...chosen(whole('u32', 0, 3), between(-1, 1), between(-1, 1)),
    ...chosen(whole('u32', 0, 2), whole('i32', -9, 9), whole('i32', -9, 9)).slice(2),
  ],
  reference: ({ condition, a, b }) =>
    broadcasting([condition!, a!, b!], a!.dtype, (holds, p, q) => (holds ? p : q)),
  ulps: () => 0,
  differentiable: ['a', 'b'],
};
