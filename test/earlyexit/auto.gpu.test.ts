import { describe, expect, it } from 'vitest';
import { confidence, entropy, patience } from '../../src/earlyexit/criteria.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { multiExit, networkIdentity } from '../../src/earlyexit/network.ts';
import { loadPlan, memoryPlanStore, planKey } from '../../src/earlyexit/scheduling/plan-store.ts';
import { flatten, linear } from '../../src/nn/layers.ts';
import { Random } from '../../src/random.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();

const layer = { body: [linear(16, 16, { activation: 'relu' })], exit: [linear(16, 4)] } as const;
const network = multiExit({
  name: 'four',
  input: [1, 4, 4],
  classes: 4,
  stages: [{ body: [flatten(), linear(16, 16, { activation: 'relu' })], exit: [linear(16, 4)] }, layer, layer, layer],
});
const model = Model.initialize(device, network, { seed: 1 });
const random = new Random(1);
const rows = Float32Array.from({ length: 40 * 16 }, () => random.normal());
const shares = [0.25, 0.25, 0.25, 0.25];

describe('auto', () => {
  it('picks a plan, says why, keeps what it measured, and answers as a network with those exits does', async () => {
    const store = memoryPlanStore();
    const criterion = entropy(1);
    for (const batch of [1, 16]) {
      using auto = await model.compile({ policy: 'auto', criterion, shares, store, batch });
      const { plan, exits, policy } = auto;
      expect(plan!.explain()).toContain(`${networkIdentity(network)} on ${device.name}, batch ${batch}: ${policy}`);
      expect(await loadPlan(store, planKey(device.name, networkIdentity(network), batch, 4))).toMatchObject({ exits, policy });
      using plain = await model.compile({ criterion, exits, batch });
      expect(await auto.classifyBatch(rows, { scores: true })).toEqual(await plain.classifyBatch(rows, { scores: true }));
      using planned = await model.compile({ policy: plan!, criterion, batch });
      expect(planned.exits).toEqual(exits);
    }
  });

  it('leaves no exit out under a criterion that looks at several', async () => {
    // All but nobody leaves at the first and the third.
    const unequal = [0, 0.9, 0.05, 0.05];
    using counted = await model.compile({ policy: 'auto', criterion: patience(2), shares: unequal });
    expect(counted.exits).toEqual([1, 2, 3, 4]);
  });

  it('asks for shares where nobody knows them, and for nothing where there is nothing to decide', async () => {
    await expect(model.compile({ policy: 'auto', criterion: confidence(0.9) })).rejects.toThrow('give shares, such as exitShares');
    const single = multiExit({ name: 'one', input: [1, 4, 4], classes: 4, stages: [{ body: [flatten()], exit: [linear(16, 4)] }] });
    using plain = Model.initialize(device, single, { seed: 1 });
    using classifier = await plain.compile({ policy: 'auto', criterion: { kind: 'entropy', thresholds: [] } });
    expect(await classifier.classify(rows.subarray(0, 16))).toMatchObject({ exit: 1 });
  });
});

describe('what the caller does to his own things', () => {
  it('thresholds changed in his list change nothing', async () => {
    const thresholds = [0, 0, 0];
    using classifier = await model.compile({ criterion: { kind: 'entropy', thresholds } });
    thresholds.fill(10);
    expect(await classifier.classify(rows.subarray(0, 16))).toMatchObject({ exit: 4 });
  });
});

describe('an ensemble', () => {
  it('of heads that only look at the trunk regroups each memory once', async () => {
    const bare = multiExit({
      name: 'bare',
      input: [1, 4, 4],
      classes: 4,
      stages: [
        { body: [flatten(), linear(16, 4)], exit: [] },
        { body: [linear(4, 4)], exit: [flatten()] },
        { body: [linear(4, 4)], exit: [] },
      ],
    });
    using own = Model.initialize(device, bare, { seed: 3 });
    using one = await own.compile({ criterion: confidence(0.5), ensemble: true });
    using many = await own.compile({ criterion: confidence(0.5), ensemble: true, batch: 40 });
    const single = await one.classifyBatch(rows, { scores: true });
    expect(new Set(single.map(({ exit }) => exit)).size).toBeGreaterThan(1);
    expect(await many.classifyBatch(rows, { scores: true })).toEqual(single);
  });
});
