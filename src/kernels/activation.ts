import { sizeOf } from '../tensor/spec.ts';
import type { Absorbed, Following } from './define.ts';

/**
 * What a kernel may apply to its result before it stores it: `override ACTIVATION`, the list of `lib/activation.wgsl`.
 * Only functions whose derivative follows from their result, so that what they were applied to need not be stored.
 */
export const activationCode = { none: 0, relu: 1, sigmoid: 2, tanh: 3 } as const;

export type Activation = keyof typeof activationCode;

const activations: Readonly<Record<string, Activation>> = { relu: 'relu', sigmoid: 'sigmoid', tanh: 'tanh' };

/** Whether an operation applies any to its result. */
export const activates = ({ activation = 'none' }: { readonly activation?: Activation }): boolean =>
  activation !== 'none';

/** The `absorb` of operations that can apply an activation to their result. */
export function absorbActivation<A extends { readonly activation?: Activation }>(
  { op }: Following,
  attributes: A,
): Absorbed | undefined {
  const activation = activations[op];
  if (!activation || activates(attributes)) return undefined;
  return { attributes: { ...attributes, activation } };
}

/** Of operations whose result is a gradient: the activation that it goes through further back. */
export interface GradAttributes {
  readonly activationGrad?: Activation;
}

const activationGrads: Readonly<Record<string, Activation>> = {
  'relu-grad': 'relu',
  'sigmoid-grad': 'sigmoid',
  'tanh-grad': 'tanh',
};

/** The `absorb` of such operations; `activated` becomes the result of that activation. */
export function absorbActivationGrad<A extends GradAttributes>(
  { op, through, inputs: { a, b } }: Following,
  attributes: A,
): Absorbed | undefined {
  const activationGrad = activationGrads[op];
  if (!activationGrad || attributes.activationGrad || through !== 'b') return undefined;
  if (sizeOf(a!.shape) !== sizeOf(b!.shape)) return undefined;
  return { attributes: { ...attributes, activationGrad }, inputs: { activated: a! } };
}
