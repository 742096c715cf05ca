import type { Recording } from '../../device/recording.ts';
import { compile } from '../../graph/program.ts';
import type { GridKind } from '../../graph/program.ts';
import { repeated } from '../../graph/repeated.ts';
import { compactRows } from '../../kernels/compact-rows.ts';
import { Random } from '../../random.ts';
import { Rows } from '../../tensor/spec.ts';
import type { Model } from '../model.ts';
import { networkIdentity } from '../network.ts';
import { nobodyLeaves, StagedProgram } from '../staged-program.ts';
import type { Part } from '../staged-program.ts';
import { loadPlan, planKey, savePlan } from './plan-store.ts';
import type { PlanStore } from './plan-store.ts';
import { choosePlan } from './planner.ts';
import type { DeviceCosts, GridCost, PartCost, StageCost } from './costs.ts';
import type { Plan } from './planner.ts';

export interface MeasureOptions {
  /** Most samples that go through together; 1 where left out. */
  readonly batch?: number;
  readonly ensemble?: boolean;
  /** Ends the measuring between two runs. */
  readonly signal?: AbortSignal | undefined;
}

const ROUND_TRIPS = 20;

/**
 * Times every part of a network on its device, with all rows alive and with none, under either kind of grid, and the
 * round trip of a read. Takes in the order of a hundred runs of the network.
 * @throws DeviceLostError, GpuError, the signal's reason
 */
export async function measureCosts(
  model: Model,
  { batch = 1, ensemble = false, signal }: MeasureOptions = {},
): Promise<DeviceCosts> {
  const { network, device } = model;
  const exits = network.stages.map((_, index) => index + 1);
  const staged = await StagedProgram.build(model, { batch, exits, ensemble, indirect: true });
  try {
    staged.apply(nobodyLeaves(exits.length));
    const random = new Random(1);
    const input = Float32Array.from({ length: batch * model.sampleSize }, () => random.normal());
    const roundTripMs = await median(ROUND_TRIPS, () => timed(staged, () => undefined));

    // Leaves data at every boundary.
    const all = staged.start(input);
    exits.forEach((_, index) => staged.encode(all, index));
    all.submit();

    const measure = async (index: number, part: Part, grid: GridKind, rows: number): Promise<number> => {
      const run = (repeats: number): Promise<number> => {
        signal?.throwIfAborted();
        staged.force(index, rows);
        return timed(staged, (recording) => {
          for (let repeat = 0; repeat < repeats; repeat++) staged.encode(recording, index, grid, [part]);
        });
      };
      if (part === 'exit') {
        // The body sizes the indirect grids of the exit as well.
        staged.force(index, rows);
        await timed(staged, (recording) => staged.encode(recording, index, grid, ['body']));
      }
      return repeated(run, roundTripMs);
    };
    const costOf = async (index: number, part: Part): Promise<PartCost> => {
      const gridCost = async (grid: GridKind): Promise<GridCost> => ({
        alive: await measure(index, part, grid, batch),
        skipped: await measure(index, part, grid, 0),
      });
      const full = await gridCost('full');
      // The rows of the first stage are the host's: there is nothing to size on the GPU.
      if (index === 0) return { full, indirect: full };
      const indirect = await gridCost('indirect');
      // The same work, launched in a dearer way: where it seems cheaper, the difference is noise.
      return { full, indirect: { ...indirect, alive: Math.max(full.alive, indirect.alive) } };
    };
    const stages: StageCost[] = [];
    for (const [index] of exits.entries()) {
      const moveMs = await measureMove(model, batch, staged.crossing[index] ?? 0, roundTripMs);
      stages.push({ body: await costOf(index, 'body'), exit: await costOf(index, 'exit'), moveMs });
    }
    return { adapter: device.name, network: networkIdentity(network), batch, roundTripMs, stages };
  } finally {
    staged.dispose();
  }
}

/** Milliseconds to move all rows of a batch but the first by one place, `size` numbers each. */
async function measureMove(
  { device, network }: Model,
  batch: number,
  size: number,
  roundTripMs: number,
): Promise<number> {
  if (batch === 1 || size === 0) return 0;
  const [rows, kept] = [new Rows(batch), new Rows(batch, 'kept')];
  const specs = {
    x: { dtype: 'f32', shape: [batch, size], rows },
    order: { dtype: 'u32', shape: [batch], rows: kept },
  } as const;
  const label = `${network.name} move`;
  using program = await compile(device, specs, ({ x, order }) => ({ y: compactRows({ x, order }) }), { label });
  const x = {
    buffer: device.createBuffer(batch * size * 4, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC, label),
    offset: 0,
    size: batch * size * 4,
  };
  const order = Uint32Array.from({ length: batch - 1 }, (_, row) => row + 1);
  try {
    return await repeated(async (repeats) => {
      const recording = program.start({ x, order });
      for (let repeat = 0; repeat < repeats; repeat++) program.encode(recording, 0);
      const began = performance.now();
      const pending = recording.read({ ...x, size: 4 });
      recording.submit();
      await pending();
      return performance.now() - began;
    }, roundTripMs);
  } finally {
    device.destroyBuffer(x.buffer);
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

/**
 * The plan for this device, from costs measured now or kept by the store.
 * @throws ArgumentError for shares that do not fit
 */
export async function measurePlan(
  model: Model,
  options: MeasureOptions & {
    readonly shares: readonly number[];
    readonly store?: PlanStore | undefined;
    /** The exits to keep; the planner's choice where left out. */
    readonly exits?: readonly number[] | undefined;
  },
): Promise<Plan> {
  const { store, shares, exits, batch = 1 } = options;
  const { network, device } = model;
  const kept =
    store && (await loadPlan(store, planKey(device.name, networkIdentity(network), batch, network.stages.length)));
  const plan = choosePlan(kept?.costs ?? (await measureCosts(model, options)), shares, exits && { exits });
  if (store && !kept) await savePlan(store, plan);
  return plan;
}
