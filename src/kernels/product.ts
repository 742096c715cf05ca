import { sizeOf } from '../tensor/spec.ts';
import { activationCode } from './activation.ts';
import type { Activation, GradAttributes } from './activation.ts';
import { axesParam, mergeAxes } from './axes.ts';
import type { Axis } from './axes.ts';
import { dispatch } from './define.ts';
import type { Dispatch, Grid, LowerContext, Value } from './define.ts';
import { matmulRowKernel } from './generated/matmul-row.ts';
import { matmulSubgroupKernel } from './generated/matmul-subgroup.ts';
import { matmulTiledKernel } from './generated/matmul-tiled.ts';
import { matmulKernel } from './generated/matmul.ts';

/** What the kernels of `wgsl/lib/product.wgsl` compute: sizes at the maximum of samples, and where the samples are. */
export interface Product extends GradAttributes {
  /** The axes of the batch, outermost first, with strides in a and b; none: a single matrix. */
  readonly batch: readonly Axis[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** The axis that grows with the samples, if there are any; of the batch, the outermost. */
  readonly sampleAxis: 'batch' | 'm' | 'k';
  /** Along m, k. */
  readonly aStrides: readonly [number, number];
  /** Along k, n. */
  readonly bStrides: readonly [number, number];
  readonly activation?: Activation;
}

/** What a product takes and gives; `sums`: of the rows of a. */
interface ProductValues {
  readonly a: Value;
  readonly b: Value;
  readonly bias?: Value | undefined;
  readonly residual?: Value | undefined;
  readonly activated?: Value | undefined;
  readonly y: Value;
  readonly sums?: Value;
}

/** Rows and columns of the tile that an invocation of `matmul` computes, and how many invocations a workgroup has. */
const [TILE, THREADS] = [8, 64];

/** How many invocations of a workgroup stand side by side along n: few where n is small, lest most be idle. */
const lanesFor = (n: number): number => [1, 2, 4].find((lanes) => n <= lanes * TILE) ?? 8;

/** The launches of a product; `linear` and its gradient use it too. The same bits by every variant. */
export function launchProduct(values: ProductValues, product: Product, { scratch, choose }: LowerContext): Dispatch[] {
  const { a, b, bias, residual, activated, y, sums } = values;
  const { m, n, k, sampleAxis, aStrides, bStrides, activation = 'none', activationGrad = 'none' } = product;
  const samples = (a.rows ?? b.rows)?.max ?? 1;
  const batch = mergeAxes(product.batch);
  const sizes = { batch: sizeOf(batch.map(({ length }) => length)), m, k };
  sizes[sampleAxis] /= samples;
  const lanes = lanesFor(n);
  const params = {
    batchAxes: axesParam(batch),
    batchRank: batch.length,
    ...sizes,
    n,
    aStrides,
    bStrides,
    sampleAxis: ['batch', 'm', 'k'].indexOf(sampleAxis),
    lanes,
  };
  // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
  const bind = { a, b, bias: bias ?? b, residual: residual ?? b, activated: activated ?? b, c: y };
  const bindWithSums = { ...bind, sums: sums ?? scratch({ dtype: 'f32', shape: [1] }) };
  const finish = {
    BIAS: bias !== undefined,
    RESIDUAL: residual !== undefined,
    ACTIVATION: activationCode[activation],
    ACTIVATION_GRAD: activationCode[activationGrad],
  };
  const overrides = { ...finish, SUMS: sums !== undefined };
  const tiles = (columns: number, rows: number): Grid => [
    Math.ceil(n / columns),
    sampleAxis === 'm' ? { perSample: sizes.m, tile: rows } : Math.ceil(sizes.m / rows),
    sampleAxis === 'batch' ? { perSample: sizes.batch, tile: 1 } : sizes.batch,
  ];

  const row = (): Dispatch[] => [
    dispatch(matmulRowKernel, {
      bind,
      params,
      overrides: { ...finish, BY_COLUMNS: bStrides[0] === 1 },
      grid: tiles(ROW_COLUMNS, 1),
    }),
  ];
  const subgroup = (): Dispatch[] => {
    const threads = n <= 64 ? 16 : 32;
    return [
      dispatch(matmulSubgroupKernel, {
        bind: bindWithSums,
        params,
        overrides: { ...overrides, THREADS: threads },
        grid: tiles(threads * 4, SUBGROUP_ROWS),
      }),
    ];
  };
  const registers = (): Dispatch[] => {
    const grid = tiles(lanes * TILE, (THREADS / lanes) * TILE);
    return [dispatch(matmulKernel, { bind: bindWithSums, params, overrides, grid })];
  };
  const tiled = (): Dispatch[] => {
    const grid = tiles(TILED_SIDE, TILED_SIDE);
    return [dispatch(matmulTiledKernel, { bind: bindWithSums, params, overrides, grid })];
  };
  const wide = n >= NARROW;
  return choose(classOf(product), {
    ...(isRow(product) && !sums && { row }),
    ...(wide && m > 1 && { subgroup }),
    registers,
    ...(wide && m > 1 && { tiled }),
  });
}

/** What workgroups of `matmul-row`, `-subgroup` and `-tiled` compute; the last two pay from so many columns on. */
const [ROW_COLUMNS, SUBGROUP_ROWS, TILED_SIDE, NARROW] = [128, 16, 64, 32];

/** Whether `wgsl/matmul-row.wgsl` can compute it: one row, fours that lie side by side. */
const isRow = ({ m, n, k, sampleAxis, aStrides, bStrides }: Product): boolean =>
  m === 1 && sampleAxis !== 'k' && k > 0 && k % 4 === 0 && aStrides[1] === 1 && (bStrides[0] === 1 || n % 4 === 0);

/** Products that may share their fastest variant: sizes up to a power of two, never the number of samples. */
function classOf({ m, n, k, sampleAxis, aStrides, bStrides }: Product): string {
  const upTo = (size: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, size)));
  const factors = `${m === 1 ? 'row' : aStrides[1] === 1 ? 'A' : 'A^T'} ${bStrides[0] === 1 ? 'B^T' : 'B'}`;
  return `${factors}, n ${upTo(n)}, k ${sampleAxis === 'k' ? 'samples' : upTo(k)}`;
}
