import { imageAt } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { Classifier, ClassifyOptions } from '../classifier.ts';

/** What single samples took, with exits and without, one after the other. */
export interface Latency {
  /** Milliseconds of each sample. */
  readonly times: { readonly early: readonly number[]; readonly full: readonly number[] };
  /** Per sample with exits, in the mean. */
  readonly reads: number;
  readonly submits: number;
  readonly dispatches: number;
}

/** Calls before the clock starts. */
export const WARM_UP = 20;

/**
 * Asks two classifiers in turn, so that what else the machine does falls on both.
 * @param samples how many, from the start of the data and over again
 * @param options of the calls to `early`
 * @throws DeviceLostError, the signal's reason
 */
export async function measureLatency(
  { early, full }: { early: Classifier; full: Classifier },
  dataset: Dataset,
  samples: number,
  options: ClassifyOptions = {},
): Promise<Latency> {
  const times = { early: [] as number[], full: [] as number[] };
  const cost = { reads: 0, submits: 0, dispatches: 0 };
  for (let call = -WARM_UP; call < samples; call++) {
    const image = imageAt(dataset, (call + WARM_UP) % dataset.labels.length);
    for (const [name, classifier] of [['early', early], ['full', full]] as const) {
      const began = performance.now();
      const { trace } = await classifier.classify(image, { ...(name === 'early' && options), trace: true });
      if (call < 0) continue;
      times[name].push(performance.now() - began);
      if (name === 'full') continue;
      cost.reads += trace!.reads / samples;
      cost.submits += trace!.submits / samples;
      cost.dispatches += trace!.dispatches / samples;
    }
  }
  return { times, ...cost };
}
