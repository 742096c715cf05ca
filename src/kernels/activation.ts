import type { AlphaAttributes, ClipAttributes, GeluAttributes } from './activations.ts';
import type { Absorbed, Following } from './define.ts';

/** What a kernel may apply to its result: `override ACTIVATION`, the list of `lib/activation.wgsl`. */
export const activationCode = {
  none: 0,
  relu: 1,
  sigmoid: 2,
  tanh: 3,
  silu: 4,
  gelu: 5,
  geluTanh: 6,
  hardSwish: 7,
  leakyRelu: 8,
  relu6: 9,
} as const;

/**
 * Those that operations can be asked for: their derivative follows from their result, so that what they were applied to
 * need not be stored. The others come to a kernel by `absorb` alone, where nobody else uses what they are applied to.
 */
export type Activation = 'none' | 'relu' | 'sigmoid' | 'tanh';

type Fusible = (attributes: never) => keyof typeof activationCode | undefined;

const activations: Readonly<Record<string, Fusible>> = {
  relu: () => 'relu',
  sigmoid: () => 'sigmoid',
  tanh: () => 'tanh',
  silu: () => 'silu',
  gelu: ({ approximate }: GeluAttributes) => (approximate === 'tanh' ? 'geluTanh' : 'gelu'),
  'hard-swish': () => 'hardSwish',
  // In f32, as models that were exported have it.
  'leaky-relu': ({ alpha = 0.01 }: AlphaAttributes) =>
    Math.fround(alpha) === Math.fround(0.01) ? 'leakyRelu' : undefined,
  clip: ({ min, max }: ClipAttributes) => (min === 0 && max === 6 ? 'relu6' : undefined),
};

/** Whether an operation applies any to its result. */
export const activates = ({ activation = 'none' }: { readonly activation?: Activation }): boolean =>
  activation !== 'none';

/** The `absorb` of operations that can apply an activation to their result. */
export function absorbActivation<A extends { readonly activation?: Activation }>(
  { op, attributes: how }: Following,
  attributes: A,
): Absorbed | undefined {
  const activation = activations[op]?.(how as never);
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

/**
 * The `absorb` of such operations; `activated` becomes the result of that activation. An activation may follow its gradient,
 * not the other way round.
 */
export function absorbActivationGrad<A extends GradAttributes & { readonly activation?: Activation }>(
  { op, through, inputs: { a, b } }: Following,
  attributes: A,
): Absorbed | undefined {
  const activationGrad = activationGrads[op];
  if (!activationGrad || attributes.activationGrad || activates(attributes) || through !== 'b') return undefined;
  // Where one of them is repeated, the result has more elements.
  if (a!.shape.join() !== b!.shape.join()) return undefined;
  return { attributes: { ...attributes, activationGrad }, inputs: { activated: a! } };
}
