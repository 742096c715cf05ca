import { gradients } from '../../autograd/backward.ts';
import type { Device } from '../../device/device.ts';
import { tune } from '../../graph/tune.ts';
import type { Tuned } from '../../graph/tune.ts';
import { parseJson, record, string } from '../../json.ts';
import { add } from '../../kernels/binary.ts';
import { meanCrossEntropy } from '../../kernels/cross-entropy.ts';
import type { Value } from '../../kernels/define.ts';
import { Rows } from '../../tensor/spec.ts';
import type { Model } from '../model.ts';
import type { PlanStore } from './plan-store.ts';

export interface TuneModelOptions {
  /** Samples that go through together; 1 where left out. */
  readonly batch?: number;
  /** Also the operations of a training step. */
  readonly training?: boolean;
  /** Where what was measured is kept. */
  readonly store?: PlanStore;
  /** Ends the measuring between two runs. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Measures the variants of every operation of a network on its device, at its shapes, so that programs compiled later
 * take the fastest. What was measured before, by this device or as the store has it, is left. Takes seconds.
 * @throws DeviceLostError, the signal's reason
 */
export async function tuneModel(model: Model, options: TuneModelOptions = {}): Promise<Tuned[]> {
  const { batch = 1, training = false, store, signal } = options;
  const { network, device, parameters } = model;
  if (store) await loadVariants(device, store);
  const rows = new Rows(batch);
  const x = { dtype: 'f32', shape: [batch, ...network.input], rows } as const;
  const labels = { dtype: 'u32', shape: [batch], rows } as const;
  const tuned = await tune(device, { x, labels }, (inputs) => {
    let value: Value = inputs.x;
    const logits = network.stages.map((_, index) => {
      value = network.body(index + 1, value, model.context);
      return network.exit(index + 1, value, model.context);
    });
    const results = Object.fromEntries(logits.map((of, index) => [`logits ${index + 1}`, of]));
    if (!training) return results;
    const losses = logits.map((of) => meanCrossEntropy({ logits: of, labels: inputs.labels }));
    const total = losses.reduce((a, b) => add({ a, b }));
    const grads = gradients(total, [...parameters.trained.values()]);
    grads.forEach((grad, index) => grad && (results[`gradient ${index}`] = grad));
    return results;
  }, { signal });
  if (store) await saveVariants(device, store);
  return tuned;
}

const keyOf = (device: Device): string => JSON.stringify(['variants', device.name]);

/** Has the device know what the store has of its adapter; what it knows already is left. */
export async function loadVariants(device: Device, store: PlanStore): Promise<void> {
  try {
    const key = keyOf(device);
    const text = await store.get(key);
    if (text === undefined) return;
    for (const [choice, name] of Object.entries(record(string)(parseJson(text, key), key))) {
      if (!device.fastest.has(choice)) device.fastest.set(choice, name);
    }
  } catch {
    // As of plans: a cache never stops anyone.
  }
}

/** Keeps what the device knows, and answers whether the store took it. */
export async function saveVariants(device: Device, store: PlanStore): Promise<boolean> {
  try {
    await store.set(keyOf(device), JSON.stringify(Object.fromEntries(device.fastest)));
    return true;
  } catch {
    return false;
  }
}
