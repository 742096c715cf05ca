import { isFloat, sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { absorbActivation, absorbActivationGrad } from './activation.ts';
import type { Activation, GradAttributes } from './activation.ts';
import { broadcastShapes, broadcastStrides, MAX_RANK, mergeAxes } from './axes.ts';
import type { Axis } from './axes.ts';
import { sumTo } from './binary-family.ts';
import { defineOp, expected } from './define.ts';
import type { Op, Operand, Value } from './define.ts';
import { launchProduct } from './product.ts';
import type { Product } from './product.ts';
import { reshape } from './reshape.ts';
import { absorbResidual } from './residual.ts';
import type { TransposeAttributes } from './transpose.ts';

export interface MatmulAttributes {
  /** a is given as [k, m]. */
  readonly transposeA?: boolean;
  /** b is given as [n, k]. */
  readonly transposeB?: boolean;
}

type Factors = { a: Operand; b: Operand };
/** With what `absorb` adds. */
type FusedFactors = Factors & { residual?: Operand; activated?: Operand };
type FusedAttributes = MatmulAttributes & GradAttributes & { readonly activation?: Activation };

/** @throws ShapeError */
function productOf(a: Spec, b: Spec, attributes: MatmulAttributes): Product {
  const { transposeA = false, transposeB = false } = attributes;
  const [m, k] = matrix(a, transposeA);
  const [bk, n] = matrix(b, transposeB);
  const batch = batchOf(a, b);
  const sampleAxis = sampleAxisOf(a, b, transposeA, transposeB);
  const fits = isFloat(a) && isFloat(b) && k === bk && Math.min(a.shape.length, b.shape.length) > 1;
  if (!fits || !batch || !sampleAxis) {
    const factors = `a f32[..., ${transposeA ? 'k, m' : 'm, k'}] and b f32[..., ${transposeB ? 'n, k' : 'k, n'}]`;
    const rest = 'what is before broadcast, samples along the first axis of the result, or along k on both sides';
    throw expected('matmul', `${factors} of at most ${MAX_RANK} axes, ${rest}`, a, b);
  }
  const product: Product = {
    batch: mergeAxes(batch),
    m,
    n,
    k,
    sampleAxis,
    aStrides: transposeA ? [1, m] : [k, 1],
    bStrides: transposeB ? [1, k] : [n, 1],
  };
  return transposeA ? product : inRows(product);
}

/** The same, where neighbouring matrices of a have one of b in common, as the product of a single, higher one. */
function inRows(product: Product): Product {
  const { batch, m, k, sampleAxis } = product;
  const { length, strides } = batch.at(-1)!;
  if (length < 2 || strides[1] !== 0 || strides[0] !== m * k) return product;
  const outer = batch.slice(0, -1);
  return { ...product, batch: outer, m: m * length, sampleAxis: outer.length ? sampleAxis : 'm' };
}

function matrix({ shape }: Spec, transpose: boolean): [rows: number, columns: number] {
  const [rows = NaN, columns = NaN] = shape.slice(-2);
  return transpose ? [columns, rows] : [rows, columns];
}

/** The axes before those of the matrices; undefined where they do not broadcast. */
function batchOf(a: Spec, b: Spec): Axis[] | undefined {
  const lengths = broadcastShapes([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  if (!lengths || lengths.length + 2 > MAX_RANK) return undefined;
  const [left, right] = [a, b].map((factor) => broadcastStrides(factor, [...lengths, ...factor.shape.slice(-2)]));
  return lengths.map((length, axis) => ({ length, strides: [left![axis]!, right![axis]!] }));
}

/** The axis of the product along which the samples run; undefined where the kernel cannot have them. */
function sampleAxisOf(a: Spec, b: Spec, transposeA: boolean, transposeB: boolean): Product['sampleAxis'] | undefined {
  const rows = a.rows ?? b.rows;
  if (!rows) return 'm';
  const rank = Math.max(a.shape.length, b.shape.length);
  if (rank > 2) {
    const leads = [a, b].every((spec) => {
      const lead = spec.shape.length < rank ? 1 : spec.shape[0];
      return spec.rows ? spec.rows === rows && spec.shape.length === rank : lead === 1;
    });
    return leads && (!a.rows || !b.rows || a.shape[0] === b.shape[0]) ? 'batch' : undefined;
  }
  if (transposeA) return a.rows === b.rows && !transposeB ? 'k' : undefined;
  return b.rows ? undefined : 'm';
}

/**
 * The matrix product `a b` of the last two axes, for each matrix of what is before, which broadcasts by numpy's rule
 * and is copied nowhere. a: `f32[..., m, k]`, b: `f32[..., k, n]`, or their transposes as the attributes say, of at
 * most 6 axes; result: `f32[..., m, n]`; of no k at all it is 0. Samples may run along the first of the axes before, of
 * one of the factors or of both; of matrices alone along m (features times weights), or along k on both sides (`a`
 * transposed: the gradient of weights, a sum over the live samples).
 */
export const matmul: Op<Factors, 'y', MatmulAttributes> = defineOp<FusedFactors, 'y', FusedAttributes>({
  name: 'matmul',
  infer({ a, b }, attributes) {
    const { n, sampleAxis } = productOf(a, b, attributes);
    const rows = sampleAxis === 'k' ? undefined : (a.rows ?? b.rows);
    const before = batchOf(a, b)!.map(({ length }) => length);
    return { y: { dtype: 'f32', shape: [...before, matrix(a, attributes.transposeA ?? false)[0], n], rows } };
  },
  lower: ({ a, b, residual, activated }, { y }, attributes, context) => {
    const { activation, activationGrad } = attributes;
    const finish = { ...(activation && { activation }), ...(activationGrad && { activationGrad }) };
    return launchProduct({ a, b, residual, activated, y }, { ...productOf(a, b, attributes), ...finish }, context);
  },
  absorb: (next, attributes, inputs) =>
    absorbActivation(next, attributes) ??
    absorbActivationGrad(next, attributes) ??
    absorbResidual(next, attributes, inputs, ['activation', 'activationGrad']),
  // A factor whose matrices come transposed is read through its strides.
  takes({ op, inputs: { x }, attributes: how }, through, attributes, inputs) {
    if (op !== 'transpose' || (through !== 'a' && through !== 'b') || !swapsLast(inputs[through]!, x!, how as TransposeAttributes)) return;
    const { transposeA = false, transposeB = false } = attributes;
    const given = { ...inputs, [through]: x! };
    const [A, B] = through === 'a' ? [!transposeA, transposeB] : [transposeA, !transposeB];
    if (!sampleAxisOf(given.a, given.b, A, B)) return undefined;
    return { inputs: given, attributes: { ...attributes, transposeA: A, transposeB: B } };
  },
  half: ['a', 'b', 'residual', 'activated'],
  gradient({ a: wholeA, b: wholeB, dy: whole }, { transposeA = false, transposeB = false }): Gradients {
    // Matrices of a that have one of b in common are one higher matrix, and then so are those of dy.
    const common = transposeA ? 0 : commonAxes(wholeA, wholeB);
    const [a, dy] = [wholeA, whole].map((value) => joinRows(value, common)) as [Value, Value];
    const b = withoutAxes(wholeB, common);
    const ofA = (): Value =>
      transposeA
        ? matmul({ a: b, b: dy }, { transposeA: transposeB, transposeB: true })
        : matmul({ a: dy, b }, { transposeB: !transposeB });
    const ofB = (): Value =>
      transposeB
        ? matmul({ a: dy, b: a }, { transposeA: true, transposeB: transposeA })
        : matmul({ a, b: dy }, { transposeA: !transposeA });
    const back = (grad: Value, like: Value): Value => (common ? reshape({ x: grad }, { shape: like.shape }) : grad);
    return { a: () => back(sumTo(ofA(), a), wholeA), b: () => back(sumTo(ofB(), b), wholeB) };
  },
  macs: ({ a }, { y }, { transposeA = false }) => sizeOf(y.shape) * matrix(a, transposeA)[1],
});

/** Whether y is x with its last two axes exchanged and nothing else, not under another shape either. */
const swapsLast = (y: Value, { shape }: Value, { permutation }: TransposeAttributes): boolean => {
  const rank = shape.length;
  return shape.every((_, at) => {
    const axis = permutation ? (permutation[at]! + rank) % rank : rank - 1 - at;
    return axis === (at < rank - 2 ? at : 2 * rank - 3 - at) && y.shape.length === rank && y.shape[at] === shape[axis];
  });
};

type Gradients = Readonly<Record<'a' | 'b', () => Value>>;

/** How many axes before the matrices, from the last on, b lacks or has with length 1; not that of its samples. */
function commonAxes(a: Spec, b: Spec): number {
  let count = 0;
  while (count < a.shape.length - (b.rows ? 3 : 2) && (b.shape.at(-3 - count) ?? 1) === 1) count++;
  return count;
}

/** The same without so many axes before its last two, which have length 1. */
const withoutAxes = (x: Value, axes: number): Value =>
  axes ? reshape({ x }, { shape: [...x.shape.slice(0, -2 - axes), ...x.shape.slice(-2)] }) : x;

/** The same, so many axes and the rows behind them being one. */
const joinRows = (x: Value, axes: number): Value => {
  const [before, joined] = [x.shape.slice(0, -2 - axes), x.shape.slice(-2 - axes, -1)];
  return axes ? reshape({ x }, { shape: [...before, sizeOf(joined), x.shape.at(-1)!] }) : x;
};
