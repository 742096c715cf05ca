import type { Network } from '../network.ts';
import { bAlexNet } from './b-alexnet.ts';
import { bLeNet } from './b-lenet.ts';
import { bResNet } from './b-resnet.ts';
import { mlp } from './mlp.ts';

/** Networks by name, each as published, or with the sizes that it has where nothing is said. */
export const MODELS = {
  'b-lenet': bLeNet,
  'b-alexnet': bAlexNet,
  'b-resnet': bResNet,
  mlp,
} satisfies Record<string, () => Network>;

export type ModelName = keyof typeof MODELS;

export const MODEL_NAMES = Object.keys(MODELS) as readonly ModelName[];
