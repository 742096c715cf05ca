import { expect, it } from 'vitest';
import { entropy } from '../../src/earlyexit/criteria.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { multiExit } from '../../src/earlyexit/network.ts';
import { flatten, linear } from '../../src/nn/layers.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const layer = { body: [linear(16, 16, { activation: 'relu' })], exit: [linear(16, 4)] } as const;
const network = multiExit({
  name: 'four',
  input: [1, 4, 4],
  classes: 4,
  stages: [{ body: [flatten(), linear(16, 16, { activation: 'relu' })], exit: [linear(16, 4)] }, layer, layer, layer],
});

it('auto changes its exits while calls go on, and every call answers', async () => {
  using model = Model.initialize(device, network, { seed: 1 });
  // Nobody leaves early, whatever was said.
  using auto = await model.compile({ policy: 'auto', criterion: entropy(0), shares: [0.97, 0.01, 0.01, 0.01] });
  const before = auto.exits.length;
  const x = Float32Array.from({ length: 16 }, (_, index) => Math.sin(index));
  const want = (await auto.classify(x)).label;
  for (let call = 0; call < 2300; call++) expect(await auto.classify(x)).toMatchObject({ label: want, exit: 4 });
  // A noisy machine may take its time to be sure; what it holds to must be a plan that is in use.
  expect(auto.exits.length).toBeLessThanOrEqual(before);
  expect(auto.plan!.exits).toEqual(auto.exits);
});
