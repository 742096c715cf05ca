import { expect, it } from 'vitest';
import { entropy } from '../../src/earlyexit/criteria.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { multiExit, networkIdentity } from '../../src/earlyexit/network.ts';
import { memoryPlanStore, savePlan } from '../../src/earlyexit/scheduling/plan-store.ts';
import { choosePlan } from '../../src/earlyexit/scheduling/planner.ts';
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
  // Costs and clock are made up, so that the machine's mood decides nothing: heads are dear, and so is a round trip.
  const grid = (alive: number) => ({ full: { alive, skipped: 0 }, indirect: { alive, skipped: 0 } });
  const stages = network.stages.map(() => ({ body: grid(1), exit: grid(0.5) }));
  const costs = { adapter: device.name, network: networkIdentity(network), batch: 1, roundTripMs: 0.2, stages };
  const shares = [0.97, 0.01, 0.01, 0.01];
  const store = memoryPlanStore();
  await savePlan(store, choosePlan(costs, shares));
  let clock = 0;
  const now = (): number => (clock += 1);
  // Nobody leaves early, whatever was said.
  using auto = await model.compile({ policy: 'auto', criterion: entropy(0), shares, store, now });
  expect(auto.exits).toContain(1);
  const x = Float32Array.from({ length: 16 }, (_, index) => Math.sin(index));
  const want = (await auto.classify(x)).label;
  for (let call = 0; call < 2300; call++) expect(await auto.classify(x)).toMatchObject({ label: want, exit: 4 });
  expect(auto.exits).toEqual([4]);
  expect(auto.plan!.exits).toEqual([4]);
});
