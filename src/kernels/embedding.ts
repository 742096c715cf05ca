import { expected } from './define.ts';
import type { Operand, Value } from './define.ts';
import { gather } from './gather.ts';

/**
 * The row of `weight` that each index means. weight: `[vocabulary, channels]` of any dtype, f32 to be learned; indices:
 * u32 or i32 of any shape, with samples or without; result: `[...indices, channels]`. Of f32 an index out of range
 * gives NaN. The gradient of the weight adds up over the live samples, in the order of the indices; see `scatterAdd`
 * for what that costs.
 */
export function embedding({ weight, indices }: { readonly weight: Operand; readonly indices: Operand }): Value {
  if (weight.shape.length !== 2 || weight.rows || indices.dtype === 'f32') {
    const wanted = 'weight [vocabulary, channels] without samples and indices u32 or i32';
    throw expected('embedding', wanted, weight, indices);
  }
  return gather({ x: weight, indices }, { axis: 0 });
}
