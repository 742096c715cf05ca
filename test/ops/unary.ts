import { distinct, host, random } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';

const lengths = [0, 1, 3, 63, 64, 65, 255, 257, 1000] as const;

type Make = (shape: readonly number[], seed: number) => Host;

const batched = (make: Make, attributes: object): OpCase[] => [
  { inputs: { x: make([5, 7, 3], 20) }, attributes, samples: 5, batched: ['x'] },
  { inputs: { x: make([64, 130], 21) }, attributes, samples: 32, batched: ['x'] },
];

/** Of the first member: without samples in many lengths, with samples in a few shapes. */
const every = (make: Make, attributes: object): OpCase[] => [
  ...lengths.map((length, seed) => ({ inputs: { x: make([length], seed) }, attributes })),
  ...batched(make, attributes),
];

/** Of those that share its kernels. */
const few = (make: Make, attributes: object): OpCase[] => [
  { inputs: { x: make([257], 1) }, attributes },
  ...batched(make, attributes).slice(0, 1),
];

/** Distinct multiples of a small step, none of them 0, where a derivative may be missing. */
const around0: Make = (shape, seed) => {
  const { data } = distinct(shape, seed, 0.01);
  return host(shape, data.map((value) => Math.fround(value || 0.005)));
};
/** The same, about as far from 0 on both sides: distinct, and no multiple of 1/2, 1/3, ... */
const wide = (far: number): Make => (shape, seed) => {
  const { data } = distinct(shape, seed, (2 * far) / Math.max(1, shape.reduce((a, b) => a * b, 1)));
  return host(shape, data.map((value) => Math.fround(value + 0.00137)));
};
const between = (low: number, high: number): Make => (shape, seed) => random(shape, seed, low, high);
const integers: Make = (shape, seed) => {
  const { data } = distinct(shape, seed, 1);
  return host(shape, data.map((value) => Math.floor(value) * 1e6), 'i32');
};

/** As many units as an operation is off in the last place of the greatest result. */
function row(
  of: (x: number, attributes: never) => number,
  ulps: number,
  make = around0,
  attributes = {},
  cases = few,
): OpRow {
  return {
    cases: cases(make, attributes),
    reference: ({ x }, given) => host(x!.shape, x!.data.map((value) => of(value, given as never)), x!.dtype),
    ulps: () => ulps,
    differentiable: ['x'],
  };
}

const withIntegers = (one: OpRow, attributes = {}): OpRow => ({
  ...one,
  cases: [...one.cases, ...few(integers, attributes)],
  ulps: (opCase) => (opCase.inputs['x']!.dtype === 'f32' ? one.ulps(opCase) : 0),
});
/**
 * Of x times a factor that rounds as a number near 1 does, however small it is (`1 + erf`, `x / 6 + 1 / 2`): as many units
 * in the last place of the greatest x.
 */
const timesFactor = (one: OpRow): OpRow => ({
  ...one,
  ulps(opCase) {
    const greatest = ({ data }: Host): number => data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const y = one.reference(opCase.inputs, opCase.attributes ?? {}) as Host;
    return one.ulps(opCase) * Math.max(1, greatest(opCase.inputs['x']!) / (greatest(y) || 1));
  },
});
const step = (of: (x: number) => number, make: Make): OpRow => ({ ...row(of, 0, make), differentiable: undefined });

/** By its series, or the continued fraction of its complement (Abramowitz and Stegun 7.1.6, 7.1.14). */
function erf(x: number): number {
  const t = Math.abs(x);
  if (t < 3) {
    let [term, sum] = [t, t];
    for (let n = 1; Math.abs(term) > 1e-18; n++) sum += term *= (2 * t * t) / (2 * n + 1);
    return (Math.sign(x) * 2 * Math.exp(-t * t) * sum) / Math.sqrt(Math.PI);
  }
  let fraction = t;
  for (let n = 60; n > 0; n--) fraction = t + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-t * t) / fraction / Math.sqrt(Math.PI));
}

const roundHalfToEven = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

/** Half steps, which rounding tells apart. */
const halves: Make = (shape, seed) => distinct(shape, seed, 0.5);

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
/** log(1 + e^x) */
export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const geluTanh = (x: number): number => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
const gelu = (x: number): number => (x / 2) * (1 + erf(x / Math.SQRT2));
type Alpha = { readonly alpha: number };
type AlphaBeta = { readonly alpha: number; readonly beta: number };

/** In double precision; also what `not-finite.gpu.test.ts` holds them against. */
export const functions = {
  relu: (x: number) => Math.max(x, 0),
  sigmoid,
  tanh: Math.tanh,
  exp: Math.exp,
  log: Math.log,
  negate: (x: number) => -x,
  abs: Math.abs,
  sqrt: Math.sqrt,
  square: (x: number) => x * x,
  reciprocal: (x: number) => 1 / x,
  sign: Math.sign,
  ceil: Math.ceil,
  floor: Math.floor,
  round: roundHalfToEven,
  trunc: Math.trunc,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  erf,
  softplus,
  softsign: (x: number) => x / (1 + Math.abs(x)),
  mish: (x: number) => x * Math.tanh(softplus(x)),
  silu: (x: number) => x * sigmoid(x),
  gelu,
  hardSwish: (x: number) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1),
  elu: (x: number, { alpha = 1 }: Partial<Alpha> = {}) => (x > 0 ? x : alpha * Math.expm1(x)),
  selu: (x: number, { alpha = 1.6732632423543772, gamma = 1.0507009873554805 } = {}) =>
    gamma * (x > 0 ? x : alpha * Math.expm1(x)),
  celu: (x: number, { alpha = 1 }: Partial<Alpha> = {}) => (x > 0 ? x : alpha * Math.expm1(x / alpha)),
  leakyRelu: (x: number, { alpha = 0.01 }: Partial<Alpha> = {}) => (x > 0 ? x : alpha * x),
  hardSigmoid: (x: number, { alpha = 0.2, beta = 0.5 }: Partial<AlphaBeta> = {}) =>
    Math.min(Math.max(alpha * x + beta, 0), 1),
  thresholdedRelu: (x: number, { alpha = 1 }: Partial<Alpha> = {}) => (x <= alpha ? 0 : x),
  clip: (x: number, { min = -Infinity, max = Infinity } = {}) => Math.min(Math.max(x, min), max),
};

const f = functions;

// Bounds of 1 to 4 units: the polynomials come to one or two, a step or two more may be rounded.
export const unaryRows = {
  copy: withIntegers(row((x) => x, 0)),
  relu: row(f.relu, 0, around0, {}, every),
  // WGSL's exp and tanh, which promise no more.
  sigmoid: row(f.sigmoid, 32),
  tanh: row(f.tanh, 84, between(0.5, 4)),
  exp: row(f.exp, 2),
  log: row(f.log, 2, between(0.25, 4)),
  negate: withIntegers(row(f.negate, 0)),
  abs: withIntegers(row(f.abs, 0)),
  sqrt: row(f.sqrt, 4, between(0.25, 4)),
  square: { ...row(f.square, 1), cases: [...few(around0, {}), { inputs: { x: host([3], [-46340, 0, 7], 'i32') } }] },
  reciprocal: row(f.reciprocal, 4, between(0.25, 4)),
  sign: { ...withIntegers(row(f.sign, 0)), differentiable: undefined },
  scale: row((x, { by, plus }: { by: number; plus: number }) => by * x + plus, 4, around0, { by: -2.5, plus: 0.75 }),
  ceil: step(f.ceil, halves),
  floor: step(f.floor, halves),
  round: step(f.round, halves),
  trunc: step(f.trunc, halves),
  sin: row(f.sin, 2, wide(400), {}, every),
  cos: row(f.cos, 2, wide(400)),
  tan: row(f.tan, 4, wide(1.5)),
  asin: row(f.asin, 4, between(-0.99, 0.99)),
  acos: row(f.acos, 4, between(-0.99, 0.99)),
  atan: row(f.atan, 4, wide(8)),
  sinh: row(f.sinh, 4, wide(8)),
  cosh: row(f.cosh, 4, wide(8)),
  asinh: row(f.asinh, 4, wide(8)),
  acosh: row(f.acosh, 4, between(1.01, 8)),
  atanh: row(f.atanh, 4, between(-0.99, 0.99)),
  erf: row(f.erf, 2, wide(4)),
  softplus: row(f.softplus, 2, wide(30)),
  softsign: row(f.softsign, 4, wide(8)),
  mish: row(f.mish, 4, wide(8)),
  silu: row(f.silu, 8, wide(8)),
  gelu: {
    ...timesFactor(
      row((x, { approximate }: { approximate?: string }) => (approximate ? geluTanh(x) : gelu(x)), 8, wide(6)),
    ),
    cases: [...few(wide(6), {}), ...few(wide(6), { approximate: 'tanh' })],
  },
  hardSwish: timesFactor(row(f.hardSwish, 4, wide(5))),
  elu: row(f.elu, 2, wide(4), { alpha: 1.5 }),
  selu: row(f.selu, 2, wide(4)),
  celu: row(f.celu, 4, wide(4), { alpha: 0.5 }),
  leakyRelu: row(f.leakyRelu, 1, around0),
  hardSigmoid: row(f.hardSigmoid, 2, wide(5), { alpha: 0.25, beta: 0.4 }),
  thresholdedRelu: row(f.thresholdedRelu, 0, wide(4)),
  clip: row(f.clip, 0, wide(4), { min: -1, max: 2 }),
} satisfies Record<string, OpRow>;
