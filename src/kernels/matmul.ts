import type { Spec } from '../tensor/spec.ts';
import { absorbActivationGrad, activationCode } from './activation.ts';
import type { Activation, GradAttributes } from './activation.ts';
import { defineOp, dispatch, expected } from './define.ts';
import type { Dispatch, LowerContext, Operand, Value } from './define.ts';
import { matmulKernel } from './generated/matmul.ts';

export interface MatmulAttributes extends GradAttributes {
  /** a is given as [k, m]. */
  readonly transposeA?: boolean;
  /** b is given as [n, k]. */
  readonly transposeB?: boolean;
}

type ByAxis = readonly [number, number, number];

/** What `wgsl/matmul.wgsl` computes: sizes at the maximum of samples, and where the samples are. */
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

/** Rows and columns of the tile that one of a workgroup's 64 invocations computes. */
const TILE = 8;

/** How many invocations of a workgroup stand side by side along n: few where n is small, lest most be idle. */
const lanesFor = (n: number): number => [1, 2, 4].find((lanes) => n <= lanes * TILE) ?? 8;

/** What a product takes and gives; `sums`: of the rows of a. */
interface ProductValues {
  readonly a: Value;
  readonly b: Value;
  readonly bias?: Value | undefined;
  readonly activated?: Value | undefined;
  readonly y: Value;
  readonly sums?: Value;
}

/** The launch for a product; `linear` and its gradient use it too. */
export function launchProduct(values: ProductValues, product: Product, { scratch }: LowerContext): Dispatch {
  const { a, b, bias, activated, y, sums } = values;
  const { n, sampleAxis, aStrides, bStrides, activation = 'none', activationGrad = 'none' } = product;
  const samples = (a.rows ?? b.rows)?.max ?? 1;
  const sizes = { batch: product.batch, m: product.m, k: product.k };
  sizes[sampleAxis] /= samples;
  const lanes = lanesFor(n);
  const tileRows = (64 / lanes) * TILE;
  return dispatch(matmulKernel, {
    // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
    bind: {
      a,
      b,
      bias: bias ?? b,
      activated: activated ?? b,
      c: y,
      sums: sums ?? scratch({ dtype: 'f32', shape: [1] }),
    },
    params: { ...sizes, n, aStrides, bStrides, sampleAxis: ['batch', 'm', 'k'].indexOf(sampleAxis), lanes },
    overrides: {
      BIAS: bias !== undefined,
      ACTIVATION: activationCode[activation],
      ACTIVATION_GRAD: activationCode[activationGrad],
      SUMS: sums !== undefined,
    },
    grid: [
      Math.ceil(n / (lanes * TILE)),
      sampleAxis === 'm' ? { perSample: sizes.m, tile: tileRows } : Math.ceil(sizes.m / tileRows),
      sampleAxis === 'batch' ? { perSample: sizes.batch, tile: 1 } : sizes.batch,
    ],
  });
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
    return [launchProduct({ a, b, activated, y }, product, context)];
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
