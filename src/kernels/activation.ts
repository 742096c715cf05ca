import { reluGrad, sigmoidGrad, tanhGrad } from './binary.ts';
import type { Value } from './define.ts';

/**
 * What a kernel may apply to its result before it stores it: `override ACTIVATION`, the list of `lib/activation.wgsl`.
 * Only functions whose derivative follows from their result, so that what they were applied to need not be stored.
 */
export const activationCode = { none: 0, relu: 1, sigmoid: 2, tanh: 3 } as const;

export type Activation = keyof typeof activationCode;

/** The gradient before the activation, from its result `y` and the gradient `dy` of that. */
export function activationGrad(activation: Activation, y: Value, dy: Value): Value {
  switch (activation) {
    case 'none':
      return dy;
    case 'relu':
      return reluGrad({ a: y, b: dy });
    case 'sigmoid':
      return sigmoidGrad({ a: y, b: dy });
    case 'tanh':
      return tanhGrad({ a: y, b: dy });
  }
}
