import type { Recording } from '../../device/recording.ts';
import type { GridKind } from '../../graph/program.ts';
import { Random } from '../../random.ts';
import type { Model } from '../model.ts';
import { StagedProgram } from '../staged-program.ts';
import type { Part } from '../staged-program.ts';
import { loadPlan, planKey, savePlan } from './plan-store.ts';
import type { PlanStore } from './plan-store.ts';
import { choosePlan, GRIDS } from './planner.ts';
import type { DeviceCosts, GridCost, PartCost, Plan } from './planner.ts';

export interface MeasureOptions {
  /** Most samples that go through together; 1 where left out. */
  readonly batch?: number;
  readonly ensemble?: boolean;
}

/** A measured launch takes at least so long in all, or it is repeated within one submit. */
const LONG_ENOUGH_MS = 2;
const MOST_REPEATS = 32;
/** Of so many rounds the median counts. */
const ROUNDS = 5;

/**
 * Times every part of a network on its device, with all rows alive and with none, under either kind of grid, and the
 * round trip of a read. Takes in the order of a hundred runs of the network.
 * @throws DeviceLostError, GpuError
 */
export async function measureCosts(model: Model, { batch = 1, ensemble = false }: MeasureOptions = {}): Promise<DeviceCosts> {
  const { network, device } = model;
  const exits = network.stages.map((_, index) => index + 1);
  const staged = await StagedProgram.build(model, { batch, exits, ensemble, indirect: true });
  try {
    // Nobody leaves, so that every stage has its rows.
    staged.apply({ criterion: { kind: 'entropy', thresholds: exits.slice(1).map(() => 0) } });
    const random = new Random(1);
    const input = Float32Array.from({ length: batch * model.sampleSize }, () => random.normal());
    const roundTripMs = await median(4 * ROUNDS, () => timed(staged, () => undefined));

    // Leaves data at every boundary.
    const all = staged.start(input);
    exits.forEach((_, index) => staged.encode(all, index));
    all.submit();

    const measure = async (index: number, part: Part, grid: GridKind, rows: number): Promise<number> => {
      const run = (repeats: number): Promise<number> => {
        // The body sizes the indirect grids of the exit as well.
        staged.force(index, rows);
        return timed(staged, (recording) => {
          for (let repeat = 0; repeat < repeats; repeat++) staged.encode(recording, index, grid, [part]);
        });
      };
      if (part === 'exit') {
        staged.force(index, rows);
        await timed(staged, (recording) => staged.encode(recording, index, grid, ['body']));
      }
      await run(1);
      const once = Math.max(1e-3, (await run(1)) - roundTripMs);
      const repeats = Math.min(MOST_REPEATS, Math.ceil(LONG_ENOUGH_MS / once));
      const total = await median(ROUNDS, () => run(repeats));
      return Math.max(0, total - roundTripMs) / repeats;
    };
    const costOf = async (index: number, part: Part): Promise<PartCost> => {
      const cost: Partial<Record<GridKind, GridCost>> = {};
      for (const grid of GRIDS) {
        cost[grid] = { alive: await measure(index, part, grid, batch), skipped: await measure(index, part, grid, 0) };
      }
      return cost as PartCost;
    };
    const stages: { body: PartCost; exit: PartCost }[] = [];
    for (const [index] of exits.entries()) {
      stages.push({ body: await costOf(index, 'body'), exit: await costOf(index, 'exit') });
    }
    return { adapter: device.name, network: network.name, batch, roundTripMs, stages };
  } finally {
    staged.dispose();
  }
}

/** Milliseconds from here until the host has read four bytes that the GPU copied behind what `encode` recorded. */
async function timed(staged: StagedProgram, encode: (recording: Recording) => void): Promise<number> {
  const began = performance.now();
  const recording = staged.record();
  encode(recording);
  const pending = recording.read({ ...staged.records, size: 4 });
  recording.submit();
  await pending();
  return performance.now() - began;
}

async function median(rounds: number, measure: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await measure());
  return times.toSorted((a, b) => a - b)[rounds >> 1]!;
}

/** The plan for this device, from costs measured now or kept by the store. @throws ArgumentError for shares that do not fit */
export async function measurePlan(
  model: Model,
  options: MeasureOptions & { readonly shares: readonly number[]; readonly store?: PlanStore | undefined },
): Promise<Plan> {
  const { store, shares, batch = 1 } = options;
  const { network, device } = model;
  const kept = store && (await loadPlan(store, planKey(device.name, network.name, batch, network.stages.length)));
  const plan = choosePlan(kept?.costs ?? (await measureCosts(model, options)), shares);
  if (store && !kept) await savePlan(store, plan);
  return plan;
}
