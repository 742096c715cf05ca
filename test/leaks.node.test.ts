import { expect, it } from 'vitest';
import { entropy } from '../src/earlyexit/criteria.ts';
import { Model } from '../src/earlyexit/model.ts';
import { multiExit } from '../src/earlyexit/network.ts';
import { flatten, linear } from '../src/nn/layers.ts';
import { openTestDevice } from './open-test-device.ts';

const device = await openTestDevice();
// SwiftShader takes ten times as long for the same loop.
const CALLS = device.name.includes('SwiftShader') ? 10_000 : 100_000;

/** Heap that is still in use counts as well: what a call leaves behind on the host would add up. */
function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

it(`holds as much after ${CALLS} inferences as after the first`, { timeout: 300_000 }, async () => {
  const network = multiExit({
    name: 'tiny',
    input: [1, 4, 4],
    classes: 4,
    stages: [
      { body: [flatten(), linear(16, 8, { activation: 'relu' })], exit: [linear(8, 4)] },
      { body: [linear(8, 8, { activation: 'relu' })], exit: [linear(8, 4)] },
    ],
  });
  using model = Model.initialize(device, network, { seed: 1 });
  // Never sure at exit 1: both stages run, with a read each.
  using classifier = await model.compile({ criterion: entropy(0) });
  const x = new Float32Array(16).fill(0.5);
  const first = await classifier.classify(x);
  const before = device.memory();

  const fifth = CALLS / 5;
  // A fifth counts by the median of ten samples, with a bound wider than the 2 % that a quiet process keeps: what V8 and the
  // driver have not given back yet comes and goes by more on a busy machine. The heap in use and GPU memory are steady.
  const resident = Array.from({ length: 5 }, () => [] as number[]);
  const heap = Array.from({ length: 5 }, () => [] as number[]);
  for (let call = 1; call <= CALLS; call++) {
    const { label, exit } = await classifier.classify(x);
    if (label !== first.label || exit !== 2) expect.fail(`call ${call} gave ${label} at ${exit}`);
    if (call % (fifth / 10) === 0) {
      const at = Math.ceil(call / fifth) - 1;
      resident[at]!.push(residentBytes());
      heap[at]!.push(process.memoryUsage().heapUsed);
      expect(device.memory()).toEqual(before);
    }
  }
  const medians = resident.map((samples) => samples.sort((one, other) => one - other)[5]!);
  expect(medians[4]! / medians[3]!, `median resident bytes of each fifth: ${medians.join(', ')}`).toBeLessThan(1.1);
  const least = heap.map((samples) => Math.min(...samples));
  expect(least[4]! / least[3]!, `least heap in use in each fifth: ${least.join(', ')}`).toBeLessThan(1.02);
});
