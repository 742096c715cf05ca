import { multiExit } from '../src/earlyexit/network.ts';
import type { Network } from '../src/earlyexit/network.ts';
import { averagePool2d, conv2d, flatten, linear, maxPool2d } from '../src/nn/layers.ts';

/**
 * Stages of one 3x3 convolution each over 16 channels of 16x16 (590 thousand multiply-accumulates), an exit of pooling
 * and 160 multiply-accumulates after each: deeper than the zoo's models.
 */
export function deepNetwork(stages = 12): Network {
  const channels = 16;
  const convolution = (input: number) => conv2d(input, channels, { kernel: 3, padding: 1, activation: 'relu' });
  const exit = [averagePool2d({ kernel: 16 }), flatten(), linear(channels, 10)];
  return multiExit({
    name: `deep-${stages}`,
    input: [3, 32, 32],
    classes: 10,
    stages: [
      { body: [convolution(3), maxPool2d({ kernel: 2 })], exit },
      ...Array.from({ length: stages - 1 }, () => ({ body: [convolution(channels)], exit })),
    ],
  });
}
