import { host, random } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';
import type { Dtype } from '../../src/tensor/spec.ts';

const cases = (x: Host, attributes?: object): OpCase[] => [
  { inputs: { x }, attributes },
  { inputs: { x: { ...x, shape: [x.data.length / 2, 2] } }, attributes, samples: x.data.length / 2, batched: ['x'] },
];

const TOP = 2 ** 32;
const floats = host([12], [0, -0, 1.5, -1.5, 0.5, -0.875, 2 ** 31, -(2 ** 31), 2 ** 32, 3e9, -4e9, 7]);
const signed = host([6], [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 16777217], 'i32');
const unsigned = host([6], [0, 1, TOP - 1, 2 ** 31, 16777217, 77], 'u32');

const within = (value: number, low: number, high: number): number => Math.min(Math.max(Math.trunc(value), low), high);

function converted({ dtype, data }: Host, to: string): number[] {
  return [...data].map((value) => {
    if (to === 'bool') return Number(value !== 0);
    if (to === dtype) return value;
    if (to === 'f32') return Math.fround(value);
    if (dtype === 'f32') return to === 'i32' ? within(value, -(2 ** 31), 2 ** 31 - 1) : within(value, 0, TOP - 1);
    return to === 'i32' ? value | 0 : value >>> 0;
  });
}

const castRow: OpRow = {
  cases: [
    ...['f32', 'i32', 'u32', 'bool'].flatMap((to) =>
      [floats, signed, unsigned]
        // The finite differences of its gradient would be lost beside the great ones.
        .filter(({ dtype }) => dtype !== 'f32' || to !== 'f32')
        .flatMap((x) => cases(x, { to }).slice(1))),
    { inputs: { x: random([65], 3, -9, 9) }, attributes: { to: 'f32' } },
    ...cases(host([2], [1e-40, -0]), { to: 'bool' }),
  ],
  reference({ x }, { to }: { to: Dtype | 'bool' } & object) {
    return host(x!.shape, converted(x!, to), to === 'bool' ? 'u32' : to);
  },
  ulps: () => 0,
  differentiable: ['x'],
} as OpRow;

const truths = (of: (value: number, attributes: never) => boolean, rowCases: OpCase[]): OpRow => ({
  cases: rowCases,
  reference: ({ x }, attributes) =>
    host(x!.shape, x!.data.map((value) => Number(of(value, attributes as never))), 'u32'),
  ulps: () => 0,
});

const odd = host([8], [NaN, -NaN, Infinity, -Infinity, 3e38, -1, 0, 1e-40]);

export const convertRows = {
  cast: castRow,
  not: truths((value) => value === 0, cases(host([4], [0, 1, 2, TOP - 1], 'u32'))),
  isNaN: truths((value) => Number.isNaN(value), cases(odd)),
  isInfinite: truths(
    (value, { sign }: { sign?: number }) => Math.abs(value) === Infinity && (sign === undefined || sign * value > 0),
    [...cases(odd), ...cases(odd, { sign: 1 }), ...cases(odd, { sign: -1 })],
  ),
} satisfies Record<string, OpRow>;
