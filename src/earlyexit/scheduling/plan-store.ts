import { DataError, ExitGpuError } from '../../errors.ts';
import { array, number, object, oneOf, optional, parseJson, string } from '../../json.ts';
import type { Check } from '../../json.ts';
import { checkChoice, checkCosts, checkShares, GRIDS, POLICIES } from './costs.ts';
import type { Alternative, Plan } from './planner.ts';
import type { DeviceCosts } from './costs.ts';

/** Keeps short texts. A failing store rejects; `loadPlan` and `savePlan` bear with that. */
export interface PlanStore {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
}

/** Raised when a field changes its meaning; plans of other versions are measured anew. */
const FORMAT_VERSION = 1;

const milliseconds = number({ min: 0 });
const positive = number({ min: 1, integer: true });

const grid = object({ alive: milliseconds, skipped: milliseconds });
const part = object({ full: grid, indirect: grid });
const alternativeFields = {
  policy: oneOf(POLICIES),
  exits: array(positive),
  grids: array(oneOf(GRIDS)),
  expectedMs: milliseconds,
  wasteMs: milliseconds,
};
const alternative: Check<Alternative> = object(alternativeFields);
const costs: Check<DeviceCosts> = object({
  adapter: string,
  network: string,
  batch: positive,
  roundTripMs: milliseconds,
  stages: array(object({ body: part, exit: part, moveMs: optional(milliseconds) })),
});
const version = object({ formatVersion: number({ min: FORMAT_VERSION, max: FORMAT_VERSION }) });
const planFields: Check<Plan> = object({
  ...alternativeFields,
  costs,
  shares: array(milliseconds),
  alternatives: array(alternative),
  regroupFrom: array(positive),
});

/** What a plan depends on and is kept under. */
export function planKey(adapter: string, network: string, batch: number, exits: number): string {
  return JSON.stringify(['plan', adapter, network, batch, exits]);
}

/** A plan as JSON. */
export function serializePlan(plan: Plan): string {
  return JSON.stringify({ formatVersion: FORMAT_VERSION, ...plan });
}

/**
 * The plan in a text of `serializePlan`, all of it checked. `where` names the text in the message.
 * @throws DataError for any other text
 */
export function parsePlan(text: string, where: string): Plan {
  try {
    const json = parseJson(text, where);
    version(json, where);
    const plan = planFields(json, where);
    checkCosts(where, plan.costs);
    checkShares(where, plan.costs, plan.shares);
    for (const choice of [plan, ...plan.alternatives]) checkChoice(where, plan.costs, choice);
    array(positive, plan.exits.length)(plan.regroupFrom, `${where}.regroupFrom`);
    return plan;
  } catch (error) {
    if (!(error instanceof ExitGpuError)) throw error;
    throw new DataError(error.message, { cause: error });
  }
}

/** The plan kept under a `planKey`; undefined where there is none, it cannot be read, or it is another's. */
export async function loadPlan(store: PlanStore, key: string): Promise<Plan | undefined> {
  try {
    const text = await store.get(key);
    if (text === undefined) return undefined;
    const plan = parsePlan(text, key);
    return keyOf(plan) === key ? plan : undefined;
  } catch {
    return undefined; // a cache never stops anyone
  }
}

/** Keeps a plan under its `planKey`, and answers whether the store took it. */
export async function savePlan(store: PlanStore, plan: Plan): Promise<boolean> {
  try {
    await store.set(keyOf(plan), serializePlan(plan));
    return true;
  } catch {
    return false;
  }
}

function keyOf({ costs: { adapter, network, batch, stages } }: Plan): string {
  return planKey(adapter, network, batch, stages.length);
}

/** Lasts as long as the object. */
export function memoryPlanStore(): PlanStore {
  const values = new Map<string, string>();
  return {
    get: async (key) => values.get(key),
    set: async (key, value) => void values.set(key, value),
  };
}

/** Lasts as long as the browser keeps the site's data. `name` is that of the database. */
export function indexedDbPlanStore(name = 'exitgpu'): PlanStore {
  const table = 'plans';
  // Opened for each access: a connection held would block whoever wants to delete the database.
  const withTable = async <T>(mode: IDBTransactionMode, access: (plans: IDBObjectStore) => IDBRequest<T>) => {
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(table);
    const database = await finished(opening);
    try {
      const transaction = database.transaction(table, mode);
      const request = access(transaction.objectStore(table));
      await committed(transaction);
      return request.result;
    } finally {
      database.close();
    }
  };
  return {
    get: async (key) => {
      const value: unknown = await withTable('readonly', (plans) => plans.get(key));
      return typeof value === 'string' ? value : undefined;
    },
    set: async (key, value) => void (await withTable('readwrite', (plans) => plans.put(value, key))),
  };
}

function finished<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    // An error aborts the transaction; so does a disk that is full when it is committed.
    transaction.onabort = () => reject(transaction.error);
  });
}
