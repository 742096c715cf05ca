import { afterAll, expect, it } from 'vitest';
import { proceduralDigits } from '../../src/data/procedural-digits.ts';
import { entropy } from '../../src/earlyexit/criteria.ts';
import { measureEnergy } from '../../src/earlyexit/judgement/energy-node.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { openTestDevice } from '../open-test-device.ts';
import { linearNetwork } from './random-networks.ts';

const device = await openTestDevice();
const model = Model.initialize(device, linearNetwork(3, { size: 28 }), { seed: 2 });
afterAll(() => model.dispose());
const digits = { ...proceduralDigits({ count: 3, seed: 1 }), classNames: ['a', 'b', 'c'] };

it('energy is what the counter has moved on by while samples were classified, for each of them', async () => {
  using early = await model.compile({ criterion: entropy(0) });
  using full = await model.compile({ exits: [3] });
  let before = device.counters.submits;
  /** A submit takes a millijoule. */
  const counter = {
    async take() {
      const used = device.counters.submits - before;
      before += used;
      return used;
    },
  };
  // Nobody leaves early, and each stage is a submit of its own.
  expect(await measureEnergy({ early, full }, digits, counter, { ms: 20 })).toEqual({ early: 3, full: 1 });
  const never = measureEnergy({ early, full }, digits, counter, { ms: 0 });
  await expect(never).rejects.toThrow('expected ms above 0, got 0');
});
