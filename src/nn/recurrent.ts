import { add, mul, sub } from '../kernels/binary.ts';
import { concat } from '../kernels/concat.ts';
import { linear } from '../kernels/linear.ts';
import { slice } from '../kernels/slice.ts';
import { lecunNormal, zeros } from './initializers.ts';
import type { Layer } from './layer.ts';

/**
 * A gated recurrent unit (Cho et al. 2014, section 2.3), one step of it: `[rows, width + input]`, the state `h` and
 * behind it the input `x`, to the next state `[rows, width]`,
 *
 *     r, z = sigmoid(gates (h, x))     c = tanh(candidate (r h, x))     h' = z h + (1 - z) c
 */
export function gru(input: number, width: number): Layer {
  const initialize = lecunNormal(width + input);
  return {
    type: 'gru',
    options: { input, output: width },
    parameters: {
      'gates.weight': { shape: [2 * width, width + input], initialize },
      'gates.bias': { shape: [2 * width], initialize: zeros },
      'candidate.weight': { shape: [width, width + input], initialize },
      'candidate.bias': { shape: [width], initialize: zeros },
    },
    forward(x, { parameter }) {
      const axis = 1;
      const part = (name: string) => ({ weight: parameter(`${name}.weight`), bias: parameter(`${name}.bias`) });
      const [h, seen] = [slice({ x }, { axis, end: width }), slice({ x }, { axis, start: width })];
      const gates = linear({ x, ...part('gates') }, { activation: 'sigmoid' });
      const [reset, keep] = [slice({ x: gates }, { axis, end: width }), slice({ x: gates }, { axis, start: width })];
      const kept = concat({ a: mul({ a: reset, b: h }), b: seen }, { axis });
      const candidate = linear({ x: kept, ...part('candidate') }, { activation: 'tanh' });
      return add({ a: candidate, b: mul({ a: keep, b: sub({ a: h, b: candidate }) }) });
    },
  };
}
