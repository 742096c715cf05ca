import { expect, it } from 'vitest';
import { Probe } from '../../src/graph/limits.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();

it.each([false, true])('a copy (wide: %s) ends with the last word of its source, and knows its bytes', async (wide) => {
  using probe = await Probe.copy(device, 4096 + 16, { wide });
  expect(probe.work).toEqual({ flops: 0, bytes: 2 * (4096 + 16) });
  expect(await probe.run(3)).toBeGreaterThan(0);
});

const halves = device.features.has('shader-f16') ? [false, true] : [false];
it.each(halves)('chains of multiply-adds (f16: %s) come to 1, however many', async (half) => {
  using probe = await Probe.multiplyAdd(device, { half });
  expect(probe.work.flops).toBeGreaterThan(0);
  expect((await probe.fastest()).ms).toBeGreaterThan(0);
});
