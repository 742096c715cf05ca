import type { ImageShape } from '../../data/dataset.ts';
import { ArgumentError } from '../../errors.ts';
import { flatten, linear } from '../../nn/layers.ts';
import { sizeOf } from '../../tensor/spec.ts';
import { multiExit } from '../network.ts';
import type { Network } from '../network.ts';

export interface MlpOptions {
  /** 1 x 28 x 28 where left out. */
  readonly input?: ImageShape;
  /** Of the hidden layers; three of 128 where left out. */
  readonly widths?: readonly number[];
  readonly classes?: number;
}

/**
 * A multilayer perceptron with ReLU and an exit after each hidden layer.
 * @throws ArgumentError unless there is at least one width, and each is a positive whole number
 */
export function mlp({ input = [1, 28, 28], widths = [128, 128, 128], classes = 10 }: MlpOptions = {}): Network {
  if (widths.length === 0 || !widths.every((width) => Number.isInteger(width) && width > 0)) {
    throw new ArgumentError(`mlp: expected one or more positive widths, got [${widths.join(', ')}]`);
  }
  const stages = widths.map((width, index) => {
    const hidden = linear(index === 0 ? sizeOf(input) : widths[index - 1]!, width, { activation: 'relu' });
    return { body: index === 0 ? [flatten(), hidden] : [hidden], exit: [linear(width, classes)] };
  });
  return multiExit({ name: 'mlp', input, classes, stages });
}
