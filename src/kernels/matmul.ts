import type { Spec } from '../tensor/spec.ts';
import { absorbActivationGrad, activationCode } from './activation.ts';
import type { Activation, GradAttributes } from './activation.ts';
import { defineOp, dispatch, expected } from './define.ts';
import type { Dispatch, Grid, LowerContext, Operand, Value } from './define.ts';
import { matmulRowKernel } from './generated/matmul-row.ts';
import { matmulSubgroupKernel } from './generated/matmul-subgroup.ts';
import { matmulTiledKernel } from './generated/matmul-tiled.ts';
import { matmulKernel } from './generated/matmul.ts';

export interface MatmulAttributes extends GradAttributes {
  /** a is given as [k, m]. */
  readonly transposeA?: boolean;
  /** b is given as [n, k]. */
  readonly transposeB?: boolean;
}

type ByAxis = readonly [number, number, number];

/** What the kernels of `wgsl/lib/product.wgsl` compute: sizes at the maximum of samples, and where the samples are. */
export interface Product extends GradAttributes {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** The axis that grows with the samples, if there are any. */
  readonly sampleAxis: 'batch' | 'm' | 'k';
  /** Along batch, m, k. */
  readonly aStrides: ByAxis;
  /** Along batch, k, n. */
  readonly bStrides: ByAxis;
  readonly activation?: Activation;
}

/** What a product takes and gives; `sums`: of the rows of a. */
interface ProductValues {
  readonly a: Value;
  readonly b: Value;
  readonly bias?: Value | undefined;
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
  const { a, b, bias, activated, y, sums } = values;
  const { m, n, k, sampleAxis, aStrides, bStrides, activation = 'none', activationGrad = 'none' } = product;
  const samples = (a.rows ?? b.rows)?.max ?? 1;
  const sizes = { batch: product.batch, m, k };
  sizes[sampleAxis] /= samples;
  const lanes = lanesFor(n);
  const params = { ...sizes, n, aStrides, bStrides, sampleAxis: ['batch', 'm', 'k'].indexOf(sampleAxis), lanes };
  // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
  const bind = { a, b, bias: bias ?? b, activated: activated ?? b, c: y };
  const bindWithSums = { ...bind, sums: sums ?? scratch({ dtype: 'f32', shape: [1] }) };
  const finish = {
    BIAS: bias !== undefined,
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
      overrides: { ...finish, BY_COLUMNS: bStrides[1] === 1 },
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
  m === 1 && sampleAxis !== 'k' && k > 0 && k % 4 === 0 && aStrides[2] === 1 && (bStrides[1] === 1 || n % 4 === 0);

/** Products that may share their fastest variant: sizes up to a power of two, never the number of samples. */
function classOf({ m, n, k, sampleAxis, aStrides, bStrides }: Product): string {
  const upTo = (size: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, size)));
  const factors = `${m === 1 ? 'row' : aStrides[2] === 1 ? 'A' : 'A^T'} ${bStrides[1] === 1 ? 'B^T' : 'B'}`;
  return `${factors}, n ${upTo(n)}, k ${sampleAxis === 'k' ? 'samples' : upTo(k)}`;
}

/** @throws ShapeError */
function productOf(a: Spec, b: Spec, { transposeA = false, transposeB = false }: MatmulAttributes): Product {
  const rank = a.shape.length;
  const batch = rank === 3 ? a.shape[0]! : 1;
  const [m, k] = matrix(a, transposeA);
  const [bk, n] = matrix(b, transposeB);
  const fits = a.dtype === 'f32' && b.dtype === 'f32' && k === bk && (rank === 3 ? b.shape[0] === batch : rank === 2);
  const sampleAxis = sampleAxisOf(a, b, transposeA, transposeB);
  if (!fits || b.shape.length !== rank || !sampleAxis) {
    const expectedShapes = `a f32[${transposeA ? 'k, m' : 'm, k'}] and b f32[${transposeB ? 'n, k' : 'k, n'}]`;
    throw expected('matmul', `${expectedShapes}, or both with a batch before, samples along the batch, m or k`, a, b);
  }
  return {
    batch,
    m,
    n,
    k,
    sampleAxis,
    aStrides: transposeA ? [m * k, 1, m] : [m * k, k, 1],
    bStrides: transposeB ? [k * n, 1, k] : [k * n, n, 1],
  };
}

function matrix({ shape }: Spec, transpose: boolean): [rows: number, columns: number] {
  const [rows = NaN, columns = NaN] = shape.slice(-2);
  return transpose ? [columns, rows] : [rows, columns];
}

/** The axis of the product along which the samples run; undefined where the kernel cannot have them. */
function sampleAxisOf(a: Spec, b: Spec, transposeA: boolean, transposeB: boolean): Product['sampleAxis'] | undefined {
  if (!a.rows && !b.rows) return 'm';
  if (a.shape.length === 3) return a.rows === b.rows ? 'batch' : undefined;
  if (transposeA) return a.rows === b.rows && !transposeB ? 'k' : undefined;
  return b.rows ? undefined : 'm';
}

/**
 * The matrix product `a b`, of each matrix where both have a batch before. a: `f32[m, k]`, b: `f32[k, n]`, or their
 * transposes as the attributes say; result: `f32[m, n]`. Samples may run along m (features times weights), along k on
 * both sides (`a` transposed: the gradient of weights, a sum over the live samples), or along the batch.
 */
export const matmul = defineOp<{ a: Operand; b: Operand; activated?: Operand }, 'y', MatmulAttributes>({
  name: 'matmul',
  infer({ a, b }, attributes) {
    const { batch, m, n, sampleAxis } = productOf(a, b, attributes);
    const rows = sampleAxis === 'k' ? undefined : a.rows;
    return { y: { dtype: 'f32', shape: a.shape.length === 3 ? [batch, m, n] : [m, n], rows } };
  },
  lower: ({ a, b, activated }, { y }, attributes, context) => {
    const { activationGrad } = attributes;
    const product = { ...productOf(a, b, attributes), ...(activationGrad && { activationGrad }) };
    return launchProduct({ a, b, activated, y }, product, context);
  },
  absorb: absorbActivationGrad,
  gradient: ({ a, b, dy }, { transposeA = false, transposeB = false }): { a: () => Value; b: () => Value } => ({
    a: () =>
      transposeA
        ? matmul({ a: b, b: dy }, { transposeA: transposeB, transposeB: true })
        : matmul({ a: dy, b }, { transposeB: !transposeB }),
    b: () =>
      transposeB
        ? matmul({ a: dy, b: a }, { transposeA: true, transposeB: transposeA })
        : matmul({ a, b: dy }, { transposeA: !transposeA }),
  }),
  macs({ a, b }, _, attributes) {
    const { batch, m, n, k } = productOf(a, b, attributes);
    return batch * m * n * k;
  },
});
