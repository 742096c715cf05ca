import { sizeOf } from '../tensor/spec.ts';
import { defineOp, isGradient } from './define.ts';
import type { Operand } from './define.ts';
import { launchProduct } from './product.ts';

/**
 * Gradients of `linear` by weight and bias, from x: `f32[rows, in]` and dy: `f32[rows, out]`, in one launch: `dy^T x`,
 * and the sums of dy over the live rows.
 */
export const linearParameterGrad = defineOp<{ x: Operand; dy: Operand }, 'weight' | 'bias'>({
  name: 'linear-parameter-grad',
  infer({ x, dy }) {
    const [out, features] = [dy.shape[1]!, x.shape[1]!];
    return { weight: { dtype: 'f32', shape: [out, features] }, bias: { dtype: 'f32', shape: [out] } };
  },
  lower({ x, dy }, { weight, bias }, _, context) {
    const [rows, n] = x.shape as [number, number];
    const m = dy.shape[1]!;
    const product = { batch: [], m, n, k: rows, sampleAxis: 'k', aStrides: [1, m], bStrides: [n, 1] } as const;
    return launchProduct({ a: dy, b: x, y: weight, sums: bias }, product, context);
  },
  gradient: isGradient,
  macs: ({ x, dy }) => sizeOf(x.shape) * dy.shape[1]!,
});
