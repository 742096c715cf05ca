import { sizeOf } from '../tensor/spec.ts';
import { absorbActivation } from './activation.ts';
import type { Activation } from './activation.ts';
import { activationGrad } from './binary.ts';
import { defineOp, expected, once } from './define.ts';
import type { Op, Operand, Value } from './define.ts';
import { linearParameterGrad } from './linear-parameter-grad.ts';
import { matmul } from './matmul.ts';
import { launchProduct } from './product.ts';
import { reshape } from './reshape.ts';
import { absorbResidual } from './residual.ts';

export interface LinearAttributes {
  /** Applied to the result in the same kernel. */
  readonly activation?: Activation;
}

type Inputs = { x: Operand; weight: Operand; bias?: Operand };
/** With what `absorb` adds. */
type FusedInputs = Inputs & { residual?: Operand };

/**
 * `activation(x weight^T + bias)`. x: `f32[..., in]`, weight: `f32[out, in]`, bias: `f32[out]` or none; result:
 * `f32[..., out]`.
 */
export const linear: Op<Inputs, 'y', LinearAttributes> = defineOp<FusedInputs, 'y', LinearAttributes>({
  name: 'linear',
  infer({ x, weight, bias }) {
    const [out, features] = weight.shape;
    const dtypes = [x, weight, bias].every((spec) => !spec || spec.dtype === 'f32');
    const shapes = weight.shape.length === 2 && x.shape.length >= (x.rows ? 2 : 1) && x.shape.at(-1) === features;
    const biasFits = !bias || (bias.shape.length === 1 && bias.shape[0] === out);
    if (!dtypes || !shapes || !biasFits || weight.rows || bias?.rows) {
      const given = bias ? [x, weight, bias] : [x, weight];
      throw expected('linear', 'x f32[..., in], weight f32[out, in] and bias f32[out]', ...given);
    }
    return { y: { dtype: 'f32', shape: [...x.shape.slice(0, -1), out!], rows: x.rows } };
  },
  lower({ x, weight, bias, residual }, { y }, { activation }, context) {
    const [n, k] = weight.shape as [number, number];
    const m = sizeOf(x.shape.slice(0, -1));
    const sizes = { batch: [], m, n, k, sampleAxis: 'm' } as const;
    const product = { ...sizes, aStrides: [k, 1], bStrides: [1, k], ...(activation && { activation }) } as const;
    return launchProduct({ a: x, b: weight, bias, residual, y }, product, context);
  },
  absorb: (next, attributes, inputs) =>
    absorbActivation(next, attributes) ?? absorbResidual(next, attributes, inputs, ['activation']),
  half: ['x', 'weight', 'bias', 'residual'],
  gradient({ x, weight, y, dy }, { activation = 'none' }): Record<'x' | 'weight' | 'bias', () => Value> {
    const flat = (value: Value): Value => reshape({ x: value }, { shape: [-1, value.shape.at(-1)!] });
    const grad = flat(activationGrad(activation, y, dy));
    const parameters = once(() => linearParameterGrad({ x: flat(x), dy: grad }));
    return {
      x: () => reshape({ x: matmul({ a: grad, b: weight }) }, { shape: x.shape }),
      weight: () => parameters().weight,
      bias: () => parameters().bias,
    };
  },
  macs: ({ weight }, { y }) => sizeOf(y.shape) * weight.shape[1]!,
});
