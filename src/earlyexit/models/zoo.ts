import type { Dataset } from '../../data/dataset.ts';
import { ArgumentError } from '../../errors.ts';
import type { Network } from '../network.ts';
import { bAlexNet } from './b-alexnet.ts';
import { bLeNet } from './b-lenet.ts';
import { bResNet } from './b-resnet.ts';
import { looped } from './looped.ts';
import { mlp } from './mlp.ts';
import { smallCnn } from './small-cnn.ts';

/** Networks by name, each as published, or with the sizes that it has where nothing is said. */
export const MODELS = {
  'b-lenet': bLeNet,
  'b-alexnet': bAlexNet,
  'b-resnet': bResNet,
  'small-cnn': smallCnn,
  mlp,
  looped,
} satisfies Record<string, () => Network>;

export type ModelName = keyof typeof MODELS;

export const MODEL_NAMES = Object.keys(MODELS) as readonly ModelName[];

/**
 * A network by its name, for the images and classes of a data set.
 * @throws ArgumentError for images that the network does not take, naming those that do
 */
export function networkFor(model: ModelName, { name, shape, classNames }: Dataset): Network {
  const build = (each: ModelName) => MODELS[each]({ input: shape, classes: classNames.length });
  const network = build(model);
  if (network.input.join() === shape.join()) return network;
  const fitting = MODEL_NAMES.filter((each) => build(each).input.join() === shape.join());
  const [expected, got] = [network.input, shape].map((lengths) => `[${lengths.join(', ')}]`);
  throw new ArgumentError(
    `${model}: expected images of ${expected}, got ${got} in ${name}; such images are for ${fitting.join(', ')}`,
  );
}
