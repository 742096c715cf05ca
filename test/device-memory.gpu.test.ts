import { expect, it } from 'vitest';
import { Tensor } from '../src/tensor/tensor.ts';
import { openTestDevice } from './open-test-device.ts';

const device = await openTestDevice();

it('the device keeps the peak of its memory', () => {
  device.resetPeak();
  const held = device.memory().bytes;
  expect(device.peakBytes).toBe(held);
  const tensors = [1, 2].map((value) => Tensor.from(device, new Float32Array(1000).fill(value)));
  const peak = device.memory().bytes;
  expect(peak).toBeGreaterThanOrEqual(held + 8000);
  for (const tensor of tensors) tensor.dispose();
  Tensor.from(device, new Float32Array(10)).dispose();
  expect(device.peakBytes).toBe(peak);
  expect(device.memory().bytes).toBe(held);
  device.resetPeak();
  expect(device.peakBytes).toBe(held);
});
