import { distinct, host, random } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';

const lengths = [0, 1, 3, 63, 64, 65, 255, 257, 1000] as const;

/** Without samples in many lengths, with samples in a few shapes. */
const cases = (make: (shape: readonly number[], seed: number) => Host, attributes: object): OpCase[] => [
  ...lengths.map((length, seed) => ({ inputs: { x: make([length], seed) }, attributes })),
  { inputs: { x: make([5, 7, 3], 20) }, attributes, samples: 5, batched: ['x'] },
  { inputs: { x: make([64, 130], 21) }, attributes, samples: 32, batched: ['x'] },
];

/** Distinct multiples of a small step, none of them 0, where a derivative may be missing. */
const around0 = (shape: readonly number[], seed: number): Host => {
  const { data } = distinct(shape, seed, 0.01);
  return host(shape, data.map((value) => Math.fround(value || 0.005)));
};
const away = (shape: readonly number[], seed: number): Host => random(shape, seed, 0.5, 4);
const positive = (shape: readonly number[], seed: number): Host => random(shape, seed, 0.25, 4);

function row(of: (x: number, attributes: never) => number, ulps: number, make = around0, attributes = {}): OpRow {
  return {
    cases: cases(make, attributes),
    reference: ({ x }, given) => host(x!.shape, x!.data.map((value) => of(value, given as never))),
    ulps: () => ulps,
    differentiable: ['x'],
  };
}

export const unaryRows = {
  copy: row((x) => x, 0),
  relu: row((x) => Math.max(x, 0), 0),
  sigmoid: row((x) => 1 / (1 + Math.exp(-x)), 32),
  // WGSL promises 1e-5 and no more, near 0 too.
  tanh: row((x) => Math.tanh(x), 84, away),
  exp: row((x) => Math.exp(x), 32),
  log: row((x) => Math.log(x), 32, positive),
  negate: row((x) => -x, 0),
  abs: row((x) => Math.abs(x), 0),
  sqrt: row((x) => Math.sqrt(x), 4, positive),
  square: row((x) => x * x, 1),
  reciprocal: row((x) => 1 / x, 4, positive),
  sign: { ...row((x) => Math.sign(x), 0), differentiable: undefined },
  scale: row((x, { by, plus }: { by: number; plus: number }) => by * x + plus, 4, around0, { by: -2.5, plus: 0.75 }),
} satisfies Record<string, OpRow>;
