import { expect, test } from 'vitest';
import { parse } from 'vega';
import { compile } from 'vega-lite';
import type { TopLevelSpec } from 'vega-lite';
import type { Profile } from '../../src/graph/profile.ts';
import { rooflineChart } from '../../src/report/charts/roofline.ts';
import { placeKernels, profileText } from '../../src/report/profile.ts';

/** 100 GFLOP/s and 20 GB/s: the roofs meet at 5 operations per byte. */
const limits = { flopsPerSecond: 100e9, bytesPerSecond: 20e9 };

const profile: Profile = {
  launches: [
    { op: 'conv2d', kernel: 'conv2d', ms: 1, flops: 40e6, bytes: 1e6 },
    { op: 'conv2d', kernel: 'conv2d', ms: 2, flops: 80e6, bytes: 2e6 },
    { op: 'pool', kernel: 'pool2d', ms: 1, flops: 0, bytes: 10e6 },
  ],
  ms: 4.5,
  method: 'time stamps',
};

test('kernels are added up and placed under the roofline', () => {
  const [conv, pool] = placeKernels(profile, limits);
  // 120 MFLOP in 3 ms are 40 GFLOP/s of 100; 10 MB in 1 ms are 10 GB/s of 20.
  expect(conv).toMatchObject({ kernel: 'conv2d', launches: 2, ms: 3, intensity: 40, bound: 'compute' });
  expect(conv!.timeShare).toBe(0.75);
  expect(conv!.roofShare).toBeCloseTo(0.4, 12);
  expect(pool).toMatchObject({ kernel: 'pool2d', launches: 1, bound: 'memory', timeShare: 0.25, flopsPerSecond: 0 });
  expect(pool!.roofShare).toBeCloseTo(0.5, 12);
});

test('the table has a line for each kernel', () => {
  const text = profileText(profile, placeKernels(profile, limits), limits, { title: 'net, batch 8' });
  expect(text).toBe(`net, batch 8: 4.50 ms on the GPU, 3 launches, by time stamps

  kernel  launches    ms  of all    MB  MFLOP  GB/s  GFLOP/s  bound by  of roof
  conv2d         2  3.00  75.0 %  3.00    120  1.00     40.0     FLOPs     40 %
  pool2d         1  1.00  25.0 %  10.0         10.0              bytes     50 %

Roofs: 100 GFLOP/s of f32 multiply-adds and 20.0 GB/s copied, measured just now;
they meet at 5.00 FLOP per byte.
Bytes are those bound, read and written once each, so that caches can beat the
roof; FLOPs are two for each multiply-accumulate, where the operation says how
many it makes.`);
});

test('the chart has the kernels whose operations are known, and can be drawn where there are none', () => {
  const chart = rooflineChart(placeKernels(profile, limits), limits);
  expect(chart.alt).toBe(
    'Roofline. The device comes to 100 GFLOP/s and 20.0 GB/s. conv2d: 40.0 GFLOP/s, 40 %.',
  );
  expect(JSON.stringify(chart.spec)).toContain('25 % of the time goes to kernels of unknown FLOPs');
  const empty = rooflineChart(placeKernels({ ...profile, launches: profile.launches.slice(2) }, limits), limits);
  for (const { spec } of [chart, empty]) {
    expect(() => parse(compile(spec as unknown as TopLevelSpec).spec)).not.toThrow();
    expect(JSON.stringify(spec)).not.toMatch(/null,null|NaN/);
  }
});
