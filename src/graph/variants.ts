import { GpuError } from '../errors.ts';
import type { Dispatch, Variants } from '../kernels/define.ts';

/** Picks among the variants of an operation; `key` is the operation and its class of shapes. */
export type Chooser = (key: string, variants: Variants) => Dispatch[];

/** What `fastest` names, else the first, of those that a device with these features can run. @throws GpuError */
export const choosing =
  (features: ReadonlySet<string>, fastest: ReadonlyMap<string, string>): Chooser =>
  (key, variants) => {
    const names = Object.keys(variants);
    const first = fastest.get(key);
    const order = first && names.includes(first) ? [first, ...names] : names;
    for (const name of order) {
      const dispatches = variants[name]!();
      if (runs(dispatches, features)) return dispatches;
    }
    throw new GpuError(`${key}: this device can run none of the variants ${names.join(', ')}`);
  };

export const runs = (dispatches: readonly Dispatch[], features: ReadonlySet<string>): boolean =>
  dispatches.every(({ kernel }) => kernel.features.every((feature) => features.has(feature)));
