import { describe, expect, it } from 'vitest';
import { confidence } from '../../src/earlyexit/criteria.ts';
import { exitSettings } from '../../src/earlyexit/criterion-steps.ts';
import { indirectGroups } from '../../src/graph/indirect.ts';
import { gridFor, lower, MAX_WORKGROUPS } from '../../src/graph/lower.ts';
import { compile } from '../../src/graph/program.ts';
import type { GridKind, Program } from '../../src/graph/program.ts';
import { checkpoint, trace } from '../../src/graph/trace.ts';
import { compactRows } from '../../src/kernels/compact-rows.ts';
import { constant, defineOp, dispatch, none } from '../../src/kernels/define.ts';
import type { Dispatch, Extent, Grid, Operand, Value } from '../../src/kernels/define.ts';
import { ExitRecord, exitCheck } from '../../src/kernels/exit-check.ts';
import { extentsOf, GRIDS_PER_WORKGROUP, indirectGridKernel } from '../../src/kernels/indirect-grid.ts';
import { exp, negate } from '../../src/kernels/unary.ts';
import { Random } from '../../src/random.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();

describe('the kernel that sizes grids', () => {
  /** More than one workgroup computes; extents fill whole 16-byte words. */
  const LAUNCHES = 68;
  const MAX_ROWS = 65_536;
  const gridsOf = defineOp<{ x: Operand; extents: Operand }>({
    name: 'grids-of',
    infer: () => ({ y: { dtype: 'u32', shape: [LAUNCHES * 3] } }),
    lower: ({ x, extents }, { y }) => {
      const grid = [Math.ceil(LAUNCHES / GRIDS_PER_WORKGROUP)] as const;
      return [dispatch(indirectGridKernel, { bind: { extents, grids: y }, grid, rows: x.rows! })];
    },
    gradient: none('counts have none'),
  });

  const randomExtent = (random: Random): Extent => {
    if (random.below(3) === 0) return 1 + random.below(100);
    // Whole tensors of up to 2^30 elements.
    return { perSample: 1 + random.below(2 ** random.below(15)), tile: [1, 4, 64, 256, 100][random.below(5)]! };
  };
  const randomGrid = (random: Random): Grid => {
    if (random.below(2) === 0) return { folded: randomExtent(random) };
    const axes = [randomExtent(random), randomExtent(random), randomExtent(random)] as const;
    return [[axes[0]], [axes[0], axes[1]], axes][random.below(3)] as unknown as Grid;
  };

  it('agrees with the host on random grids and counts, folded ones included; zero rows are zero grids', async () => {
    const random = new Random(3);
    const grids = Array.from({ length: LAUNCHES }, () => randomGrid(random));
    grids[0] = { folded: { perSample: 64, tile: 64 } };
    grids[1] = { folded: { perSample: 16_384, tile: 1 } };
    const launches = grids.map((grid) => ({ grid }) as Dispatch);
    const rows = new Rows(MAX_ROWS);
    using program = await compile(device, { x: { dtype: 'u32', shape: [MAX_ROWS], rows } }, ({ x }) => {
      const data = new Uint32Array(extentsOf(launches));
      return { y: gridsOf({ x, extents: constant({ dtype: 'u32', shape: [data.length] }, data) }) };
    });
    let folds = 0;
    const counts = [0, 1, 2, 63, 64, 65, 65_535, MAX_ROWS, ...Array.from({ length: 40 }, () => random.below(MAX_ROWS))];
    for (const live of counts) {
      const { y } = await program.call({ x: new Uint32Array(live) });
      const wanted = launches.map((launch) => (live === 0 ? [0, 0, 0] : gridFor(launch, live)));
      expect([...y], `${live} rows`).toEqual(wanted.flat());
      folds += wanted.filter((grid, index) => 'folded' in grids[index]! && grid[1]! > 1).length;
    }
    expect(gridFor(launches[0]!, MAX_WORKGROUPS + 1)).toEqual([MAX_WORKGROUPS, 2, 1]);
    expect(folds, 'folded grids').toBeGreaterThan(100);
  });
});

/** Two decisions, with something to compute behind each: rows of two logits, and `size` numbers that follow them. */
function twoDecisions(max: number, size: number) {
  const names = ['samples', 'after one', 'after two'];
  const rows = names.map((label) => new Rows(max, label));
  const records = Tensor.zeros(device, { dtype: 'u32', shape: [(ExitRecord.size / 4) * max] });
  const settingsOf = (exit: number): Tensor =>
    Tensor.from(device, exitSettings(confidence(0.75, 0.75), { exit, classes: 2, first: exit === 1 }).settings);
  const settings = [settingsOf(1), settingsOf(2)];
  const inputs = {
    first: { dtype: 'f32', shape: [max, 2], rows: rows[0]! },
    second: { dtype: 'f32', shape: [max, 2], rows: rows[0]! },
    x: { dtype: 'f32', shape: [max, size], rows: rows[0]! },
  } as const;
  const body = ({ first, second, x }: Record<keyof typeof inputs, Value>) => {
    const classThresholds = constant({ dtype: 'f32', shape: [1] }, Float32Array.of(0));
    const inPlace = (index: number): Value =>
      constant({ dtype: 'u32', shape: [max], rows: rows[index]! }, Uint32Array.from({ length: max }, (_, row) => row));
    const shared = { classThresholds, records };
    const one = exitCheck({ ...shared, logits: first, settings: settings[0]!, origin: inPlace(0) }, { next: rows[1]! });
    checkpoint();
    const value = exp({ x: compactRows({ x, order: one.order }) });
    const logits = compactRows({ x: second, order: one.order });
    const origin = max === 1 ? inPlace(1) : one.nextOrigin;
    const two = exitCheck({ ...shared, logits, settings: settings[1]!, origin }, { next: rows[2]! });
    checkpoint();
    const y = negate({ x: compactRows({ x: value, order: two.order }) });
    return { origin: max === 1 ? inPlace(2) : two.nextOrigin, y };
  };
  const dispose = (): void => [records, ...settings].forEach((tensor) => tensor.dispose());
  return { rows, inputs, body, [Symbol.dispose]: dispose };
}

describe('what may be sized on the GPU', () => {
  it('is what an earlier segment has decided the rows of, and decides nothing itself', () => {
    for (const [max, wide] of [[200, true], [32, false]] as const) {
      using network = twoDecisions(max, 3);
      const { steps } = lower(trace(network.inputs, network.body as never), {});
      const groups = indirectGroups(steps);
      const kernelOf = (position: number): string => steps[position]!.dispatch.kernel.name;
      const named = groups.map(({ segment, rows, steps: positions }) => [segment, rows.label, positions.map(kernelOf)]);
      // One launch checks and regroups a small batch: it decides. Of a large one the check alone does not.
      expect(named).toEqual([
        [1, 'after one', ['compact-rows', 'unary', 'compact-rows', ...(wide ? ['exit-check'] : [])]],
        [2, 'after two', ['compact-rows', 'unary']],
      ]);
    }
  });

  it('is nothing where the host decides', () => {
    const rows = new Rows(8);
    const graph = trace({ x: { dtype: 'f32', shape: [8, 3], rows } }, ({ x }) => {
      const y = exp({ x: x! });
      checkpoint();
      return { y: negate({ x: y }) };
    });
    expect(indirectGroups(lower(graph, {}).steps)).toEqual([]);
  });
});

describe('grids of either kind', () => {
  type Network = ReturnType<typeof twoDecisions>;

  async function run({ rows }: Network, program: Program, inputs: Record<string, Float32Array>, grids: GridKind) {
    const recording = program.start(inputs);
    for (const segment of [0, 1, 2]) program.encode(recording, segment, grids);
    recording.submit();
    const [one, two] = await Promise.all(rows.slice(1).map(async (each) => {
      const bytes = await device.read({ buffer: program.live(each).buffer, offset: 0, size: 4 });
      return new Uint32Array(bytes)[0]!;
    })) as [number, number];
    program.live(rows[2]!).decidedOnGpu(two);
    const { origin, y } = program.outputs() as Record<'origin' | 'y', { read(): Promise<ArrayLike<number>> }>;
    return { counts: [one, two], origin: Array.from(await origin.read()), y: Array.from(await y.read()) };
  }

  /** Logits by which a row stays or leaves. */
  const logitsFor = (stays: readonly boolean[]): Float32Array =>
    Float32Array.from(stays.flatMap((stay) => [0, stay ? 0 : 9]));

  it.each([1, 2, 64, 65, 200])('give the same numbers, whoever stays of up to %i rows', async (max) => {
    using network = twoDecisions(max, 5);
    using program = await compile(device, network.inputs, network.body, { indirect: true }) as Program;
    using plain = await compile(device, network.inputs, network.body) as Program;
    const random = new Random(max);
    const shares = [0, 1, 0.5, 0.05, 0.95, 0];
    for (const first of shares) {
      for (const second of shares) {
        const count = 1 + random.below(max);
        const stays = [first, second].map((share) => Array.from({ length: count }, () => random.uniform() < share));
        const x = Float32Array.from({ length: count * 5 }, () => random.normal());
        const inputs = { first: logitsFor(stays[0]!), second: logitsFor(stays[1]!), x };
        const full = await run(network, program, inputs, 'full');
        const wanted = [...Array(count).keys()].filter((row) => stays[0]![row] && stays[1]![row]);
        expect(full.counts).toEqual([stays[0]!.filter(Boolean).length, wanted.length]);
        expect(full.origin).toEqual(wanted);
        const values = wanted.flatMap((row) => [...x.subarray(row * 5, row * 5 + 5)]);
        expect(full.y).toEqual(values.map((value) => expect.closeTo(-Math.exp(value), 4)));
        expect(await run(network, program, inputs, 'indirect')).toEqual(full);
        // Not compiled for it: sized by the host after all.
        expect(await run(network, plain, inputs, 'indirect')).toEqual(full);
      }
    }
  });

  it('give the same numbers where a grid folds', async () => {
    const [max, size] = [MAX_WORKGROUPS + 1, 65];
    using network = twoDecisions(max, size);
    using program = await compile(device, network.inputs, network.body, { indirect: true }) as Program;
    const stays = Array.from({ length: max }, (_, row) => row !== 7);
    const x = Float32Array.from({ length: max * size }, (_, index) => (index % 97) / 97);
    const recording = program.start({ first: logitsFor(stays), second: logitsFor(stays), x });
    for (const segment of [0, 1, 2]) program.encode(recording, segment, 'indirect');
    recording.submit();
    program.live(network.rows[2]!).decidedOnGpu(max - 1);
    const { y } = program.outputs() as Record<'y', { read(): Promise<ArrayLike<number>> }>;
    const got = (await y.read()) as Float32Array;
    expect(got.length).toBe((max - 1) * size);
    const worst = got.reduce((most, value, index) => {
      const from = index < 7 * size ? index : index + size;
      return Math.max(most, Math.abs(value + Math.exp((from % 97) / 97)));
    }, 0);
    expect(worst).toBeLessThan(1e-5);
  });
});
