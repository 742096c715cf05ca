import { expect, it } from 'vitest';
import { entropy } from '../src/earlyexit/criteria.ts';
import { Model } from '../src/earlyexit/model.ts';
import { multiExit } from '../src/earlyexit/network.ts';
import { flatten, linear } from '../src/nn/layers.ts';
import { openTestDevice } from './open-test-device.ts';

const device = await openTestDevice();
// SwiftShader takes ten times as long for the same loop.
const CALLS = device.name.includes('SwiftShader') ? 10_000 : 100_000;
/** What a fifth of them may take in milliseconds; a slow machine makes fewer. */
const FIFTH = 2000;
const SAMPLES = 100;

/** Heap that is still in use counts as well: what a call leaves behind on the host would add up. */
function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

it(`holds as much after ${CALLS} inferences, or ten seconds of them, as after the first`, async () => {
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
  const began = performance.now();
  for (let call = 0; call < 1000; call++) await classifier.classify(x);
  const affordable = Math.floor((FIFTH * 1000) / (performance.now() - began) / SAMPLES);
  const callsPerSample = Math.max(10, Math.min(CALLS / 5 / SAMPLES, affordable));

  // A fifth counts by the median of its samples: a single one moves by 5 % with what V8 and the driver have yet to give back.
  // The process also takes one step of 20 MB, at any time; a leak grows in every fifth, so a step earns another fifth.
  const medians: number[] = [];
  const heap: number[] = [];
  const steady = (): boolean => medians.length >= 5 && medians.at(-1)! < medians.at(-2)! * 1.02;
  while (!steady() && medians.length < 8) {
    const samples: number[] = [];
    for (let call = 1; call <= callsPerSample * SAMPLES; call++) {
      const { label, exit } = await classifier.classify(x);
      if (label !== first.label || exit !== 2) expect.fail(`a call in fifth ${medians.length + 1} gave ${label} at ${exit}`);
      if (call % callsPerSample === 0) {
        samples.push(residentBytes());
        expect(device.memory()).toEqual(before);
      }
    }
    medians.push(samples.sort((one, other) => one - other)[SAMPLES / 2]!);
    heap.push(process.memoryUsage().heapUsed);
  }
  expect(steady(), `median resident bytes of each fifth: ${medians.join(', ')}`).toBe(true);
  expect(heap.at(-1)! / heap.at(-2)!, `heap in use after each fifth: ${heap.join(', ')}`).toBeLessThan(1.02);
});
