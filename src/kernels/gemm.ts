import { add } from './binary.ts';
import type { Operand, Value } from './define.ts';
import { linear } from './linear.ts';
import { matmul } from './matmul.ts';
import type { MatmulAttributes } from './matmul.ts';
import { scale } from './unary.ts';

export interface GemmAttributes extends Pick<MatmulAttributes, 'transposeA' | 'transposeB'> {
  /** Multiplies the product; 1 where left out. */
  readonly alpha?: number;
  /** Multiplies c; 1 where left out, and of 0 c is not looked at. */
  readonly beta?: number;
}

/**
 * `alpha a b + beta c`, as BLAS and ONNX name it. a: `f32[m, k]`, b: `f32[k, n]`, or their transposes as the attributes
 * say; c: what broadcasts to the result `f32[m, n]`, or none. An alpha or beta of 1 costs nothing, and c of `f32[n]`
 * on b of `f32[n, k]` is added in the launch of the product, as of `linear`.
 */
export function gemm(inputs: { a: Operand; b: Operand; c?: Operand }, attributes: GemmAttributes = {}): Value {
  const { a, b, c } = inputs;
  const { alpha = 1, beta = 1, transposeA = false, transposeB = false } = attributes;
  const added = beta === 0 ? undefined : c;
  const isLinear = transposeB && !transposeA && alpha === 1 && beta === 1;
  if (isLinear && added && !added.rows && added.shape.join() === String(b.shape[0])) {
    return linear({ x: a, weight: b, bias: added });
  }
  const product = scaled(matmul({ a, b }, { transposeA, transposeB }), alpha);
  return added ? add({ a: product, b: scaled(added, beta) }) : product;
}

const scaled = <T extends Operand>(x: T, by: number): T | Value => (by === 1 ? x : scale({ x }, { by }));
