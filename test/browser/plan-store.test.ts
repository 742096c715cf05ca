import { expect, it } from 'vitest';
import { indexedDbPlanStore, loadPlan, planKey, savePlan } from '../../src/earlyexit/scheduling/plan-store.ts';
import { choosePlan } from '../../src/earlyexit/scheduling/planner.ts';

const grid = { alive: 1, skipped: 0.1 };
const part = { full: grid, indirect: grid };
const plan = choosePlan(
  { adapter: 'an adapter', network: 'net', batch: 1, roundTripMs: 2.4, stages: [{ body: part, exit: part }, { body: part, exit: part }] },
  [0.5, 0.5],
);
const key = planKey('an adapter', 'net', 1, 2);

it('plans outlive the store object in IndexedDB, and a database that is gone stops nobody', async () => {
  const name = 'exitgpu test';
  expect(await loadPlan(indexedDbPlanStore(name), key)).toBeUndefined();
  expect(await savePlan(indexedDbPlanStore(name), plan)).toBe(true);
  expect(await loadPlan(indexedDbPlanStore(name), key)).toEqual(plan);
  await Promise.all(Array.from({ length: 8 }, () => savePlan(indexedDbPlanStore(name), plan)));
  expect(await loadPlan(indexedDbPlanStore(name), key)).toEqual(plan);
  await new Promise((resolve, reject) => {
    const gone = indexedDB.deleteDatabase(name);
    gone.onsuccess = resolve;
    gone.onblocked = gone.onerror = reject;
  });
  expect(await loadPlan(indexedDbPlanStore(name), key)).toBeUndefined();
});
