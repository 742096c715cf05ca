import { describe, expect, it } from 'vitest';
import { attainable, ridge, roofline } from '../../src/graph/roofline.ts';

/** 100 GFLOP/s and 20 GB/s: the roofs meet at 5 operations per byte. */
const limits = { flopsPerSecond: 100e9, bytesPerSecond: 20e9 };

describe('roofline', () => {
  it('is one of bandwidth below the ridge: 2 operations per byte can come to 40 GFLOP/s', () => {
    // 4 MFLOP over 2 MB in 0.2 ms: 20 GFLOP/s of 40.
    expect(roofline({ ms: 0.2, flops: 4e6, bytes: 2e6 }, limits)).toEqual({
      flopsPerSecond: 20e9,
      bytesPerSecond: 10e9,
      intensity: 2,
      bound: 'memory',
      share: 0.5,
    });
  });

  it('is one of arithmetic above it', () => {
    // 50 operations per byte: 10 MFLOP in 0.4 ms are 25 GFLOP/s of 100.
    const place = roofline({ ms: 0.4, flops: 10e6, bytes: 0.2e6 }, limits);
    expect(place).toMatchObject({ intensity: 50, bound: 'compute' });
    expect(place.share).toBeCloseTo(0.25, 12);
  });

  it('needs no operations to judge what only moves bytes', () => {
    // 1 MB in 0.1 ms is 10 GB/s of 20.
    const place = roofline({ ms: 0.1, flops: 0, bytes: 1e6 }, limits);
    expect(place).toMatchObject({ flopsPerSecond: 0, intensity: 0, bound: 'memory' });
    expect(place.share).toBeCloseTo(0.5, 12);
  });

  it('says 0 of what took no time, which clocks that are rounded say of short launches, or did nothing', () => {
    const nothing = { flopsPerSecond: 0, bytesPerSecond: 0, share: 0 };
    expect(roofline({ ms: 0, flops: 1, bytes: 1 }, limits)).toMatchObject(nothing);
    expect(roofline({ ms: 1, flops: 0, bytes: 0 }, limits)).toMatchObject({ intensity: 0, share: 0 });
  });

  it('is above 1 where a cache was faster than memory', () => {
    expect(roofline({ ms: 0.1, flops: 0, bytes: 4e6 }, limits).share).toBeCloseTo(2, 12);
  });

  it('has the roof that its share is of', () => {
    expect(ridge(limits)).toBe(5);
    expect([0.5, 2, 5, 50].map((intensity) => attainable(intensity, limits) / 1e9)).toEqual([10, 40, 100, 100]);
    for (const [flops, bytes] of [[4e6, 2e6], [10e6, 0.2e6]] as const) {
      const place = roofline({ ms: 0.4, flops, bytes }, limits);
      expect(place.share).toBeCloseTo(place.flopsPerSecond / attainable(place.intensity, limits), 12);
    }
  });
});
