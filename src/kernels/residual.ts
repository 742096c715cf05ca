import { activates } from './activation.ts';
import type { Activation, GradAttributes } from './activation.ts';
import type { Absorbed, Following, Value } from './define.ts';

/** What an operation may do with its result, in the same kernel. */
interface Finish extends GradAttributes {
  readonly activation?: Activation;
}

/**
 * The `absorb` of operations that can add a `residual` to their result: as many elements, before any activation. `able`:
 * what else they can do with it, since the sum may have taken that itself.
 */
export function absorbResidual(
  { op, through, inputs: operands, attributes: sum }: Following,
  attributes: Finish,
  inputs: { readonly residual?: Value },
  able: readonly (keyof Finish)[],
): Absorbed | undefined {
  if (op !== 'add' || inputs.residual || activates(attributes) || attributes.activationGrad) return undefined;
  const finish = sum as Finish;
  if ((Object.keys(finish) as (keyof Finish)[]).some((name) => finish[name] && !able.includes(name))) return undefined;
  const { a, b, ...given } = operands;
  // Where one of them is repeated, the result has more elements.
  if (a!.shape.join() !== b!.shape.join() || a!.rows !== b!.rows) return undefined;
  const residual = through === 'a' ? b! : a!;
  return { attributes: { ...attributes, ...finish }, inputs: { ...given, residual } };
}
