import { compareLoad, measureEnergy, measureWorstCase, openEnergyCounter, slice, slowDown } from '../node.ts';
import type { Dataset, EvaluateOptions, Load, Model, Network, SlowDownReport } from '../node.ts';
import { energyText, loadText, slowDownText, worstCaseText } from '../report/stress.ts';
import { note } from './console.ts';
import type { Decision } from './criterion.ts';
import { number, numbers, optionalFlag } from './flags.ts';
import type { Values } from './flags.ts';
import { UsageError } from './usage-error.ts';

export const stressFlags = {
  rates: optionalFlag(numbers(0, Infinity, { exclusive: true }), {
    placeholder: 'r[,r..]',
    help: 'Also measure latency where so many calls per second come at random times, whatever still waits',
  }),
  slowDown: optionalFlag(number(0.004, 1), {
    placeholder: 'epsilon',
    help: 'Also search inputs that avoid the exits, each pixel moved by at most this share of the pixel range',
  }),
};

/** Seconds of calls at each rate, as long as these are not too few for a tail or too many for patience. */
const SECONDS = 5;
const CALLS = { least: 100, most: 1000 };
/** Samples that the search for slow ones begins from, from the first. */
const SEARCHED = 200;

/** @throws UsageError */
export function checkStress({ name, stages }: Network, { slowDown: epsilon }: Values<typeof stressFlags>): void {
  if (epsilon === undefined || stages.length > 1) return;
  throw new UsageError(`--slow-down: expected a model with early exits to avoid, got the one exit of ${name}`);
}

interface StressOptions extends Values<typeof stressFlags> {
  readonly batch: number;
  readonly scheduling: Pick<EvaluateOptions, 'policy' | 'store' | 'deadlineMs'>;
}

/** What is asked for beyond one sample after another, and energy where this machine counts it: a text for each. */
export async function stress(
  model: Model,
  dataset: Dataset,
  { criterion, shares }: Decision,
  { rates, slowDown: epsilon, batch, scheduling: { deadlineMs, ...scheduling } }: StressOptions,
): Promise<{ texts: string[]; json: object }> {
  const counter = await openEnergyCounter();
  if (!rates && epsilon === undefined && !counter) return { texts: [], json: {} };
  using early = await model.compile({ criterion, shares, ...scheduling });
  using full = await model.compile({ exits: [model.network.stages.length] });
  const policy = early.plan ?? early.policy;
  const both = { early, full };
  const texts: string[] = [];

  const energy = counter && (await measureEnergy(both, dataset, counter, { deadlineMs }));
  if (energy) texts.push(energyText(energy));
  const load = [];
  for (const rate of rates ?? []) {
    const samples = Math.min(CALLS.most, Math.max(CALLS.least, Math.ceil(rate * SECONDS)));
    note(`${samples} calls at ${rate} per second, with exits and without`);
    const { early, full } = await compareLoad(both, dataset, { rate, samples, deadlineMs });
    load.push({ rate, early: inShort(early), full: inShort(full) });
  }
  if (load.length) texts.push(loadText(load));
  let slowed: Omit<SlowDownReport, 'inputs'> | undefined;
  if (epsilon !== undefined) {
    const searched = slice(dataset, 0, Math.min(SEARCHED, dataset.labels.length));
    note(`searching inputs that avoid the exits, from ${searched.labels.length} samples`);
    const { inputs: _, ...report } = await slowDown(model, searched, { epsilon, criterion, policy, batch });
    slowed = report;
    texts.push(slowDownText(slowed));
  }
  const worstCase = slowed?.bound ?? (rates && (await measureWorstCase(model, dataset, { policy })));
  if (worstCase) texts.push(worstCaseText(worstCase));
  return { texts, json: { energy, ...(rates && { load }), slowDown: slowed, worstCase } };
}

/** Percentiles say enough in a file. */
function inShort(load: Load): Omit<Load, 'times'> {
  const { times: _, ...rest } = load;
  return rest;
}
