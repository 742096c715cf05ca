import type { Rows, Spec } from '../tensor/spec.ts';
import { activationCode } from './activation.ts';
import type { Activation } from './activation.ts';
import { stridesOf } from './axes.ts';
import { defineOp, dispatch, expected } from './define.ts';
import type { Dispatch, Operand, Value } from './define.ts';
import { matmulKernel } from './generated/matmul.ts';

export interface MatmulAttributes {
  /** a is given as [k, m]. */
  readonly transposeA?: boolean;
  /** b is given as [n, k]. */
  readonly transposeB?: boolean;
}

type ByAxis = readonly [number, number, number];

/** What `wgsl/matmul.wgsl` computes: sizes at the maximum of samples, and where the samples are. */
export interface Product {
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

/** Rows and columns of the tile that one of a workgroup's 64 invocations computes. */
const TILE = 8;

/** How many invocations of a workgroup stand side by side along n: few where n is small, lest most have nothing to do. */
const lanesFor = (n: number): number => [1, 2, 4].find((lanes) => n <= lanes * TILE) ?? 8;

/** The launch for a product; `linear` uses it too. */
export function launchProduct(bind: { a: Value; b: Value; bias?: Value; y: Value }, product: Product): Dispatch {
  const { a, b, bias, y } = bind;
  const { n, sampleAxis, aStrides, bStrides, activation = 'none' } = product;
  const samples = (a.rows ?? b.rows)?.max ?? 1;
  const sizes = { batch: product.batch, m: product.m, k: product.k };
  sizes[sampleAxis] /= samples;
  const lanes = lanesFor(n);
  const tileRows = (64 / lanes) * TILE;
  return dispatch(matmulKernel, {
    // A kernel's bindings are all bound: without a bias, it is given something that it does not look at.
    bind: { a, b, bias: bias ?? b, c: y },
    params: { ...sizes, n, aStrides, bStrides, sampleAxis: ['batch', 'm', 'k'].indexOf(sampleAxis), lanes },
    overrides: { BIAS: bias !== undefined, ACTIVATION: activationCode[activation] },
    grid: [
      Math.ceil(n / (lanes * TILE)),
      sampleAxis === 'm' ? { perSample: sizes.m, tile: tileRows } : Math.ceil(sizes.m / tileRows),
      sampleAxis === 'batch' ? { perSample: sizes.batch, tile: 1 } : sizes.batch,
    ],
  });
}

function productOf(a: Spec, b: Spec, { transposeA = false, transposeB = false }: MatmulAttributes): Product & { rows?: Rows } {
  const rank = a.shape.length;
  const wrong = expected(
    'matmul',
    `a f32[${transposeA ? 'k, m' : 'm, k'}] and b f32[${transposeB ? 'n, k' : 'k, n'}], both with or both without a batch before, ` +
      'samples along the batch, m, or k',
    a,
    b,
  );
  if (a.dtype !== 'f32' || b.dtype !== 'f32' || (rank !== 2 && rank !== 3) || b.shape.length !== rank) throw wrong;
  const [aBatch = 1, ...aSizes] = rank === 3 ? a.shape : [1, ...a.shape];
  const [bBatch = 1, ...bSizes] = rank === 3 ? b.shape : [1, ...b.shape];
  const [m, k] = (transposeA ? aSizes.toReversed() : aSizes) as [number, number];
  const [bk, n] = (transposeB ? bSizes.toReversed() : bSizes) as [number, number];
  if (aBatch !== bBatch || k !== bk) throw wrong;

  const alongBatch = rank === 3 && a.rows === b.rows;
  const alongK = rank === 2 && a.rows === b.rows && transposeA && !transposeB;
  const alongM = rank === 2 && !b.rows && !transposeA;
  const unsampled = !a.rows && !b.rows;
  if (!unsampled && !alongBatch && !alongK && !alongM) throw wrong;

  const [aBatchStride, aOuter, aInner] = [m * k, ...stridesOf(aSizes)] as unknown as ByAxis;
  const [bBatchStride, bOuter, bInner] = [k * n, ...stridesOf(bSizes)] as unknown as ByAxis;
  return {
    batch: aBatch,
    m,
    n,
    k,
    sampleAxis: alongBatch ? 'batch' : alongM ? 'm' : 'k',
    aStrides: transposeA ? [aBatchStride, aInner, aOuter] : [aBatchStride, aOuter, aInner],
    bStrides: transposeB ? [bBatchStride, bInner, bOuter] : [bBatchStride, bOuter, bInner],
    ...(alongBatch || alongM ? { rows: a.rows } : {}),
  };
}

/**
 * The matrix product `a b`, of each matrix where both have a batch before. a: `f32[m, k]`, b: `f32[k, n]`, or their
 * transposes as the attributes say; result: `f32[m, n]`. Samples may run along m (features times weights), along k on both
 * sides (`a` transposed: the gradient of weights, a sum over the live samples), or along the batch.
 */
export const matmul = defineOp<{ a: Operand; b: Operand }, 'y', MatmulAttributes>({
  name: 'matmul',
  infer({ a, b }, attributes) {
    const { batch, m, n, rows } = productOf(a, b, attributes);
    return { y: { dtype: 'f32', shape: a.shape.length === 3 ? [batch, m, n] : [m, n], rows } };
  },
  lower: ({ a, b }, { y }, attributes) => [launchProduct({ a, b, y }, productOf(a, b, attributes))],
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
