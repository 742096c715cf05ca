import { ArgumentError } from '../../errors.ts';
import type { Layer } from '../../nn/layer.ts';
import { averagePool2d, conv2d, flatten, linear } from '../../nn/layers.ts';
import { batchNorm2d, localResponseNorm } from '../../nn/normalization.ts';
import { padChannels, residual } from '../../nn/residual.ts';
import { multiExit } from '../network.ts';
import type { Network } from '../network.ts';

export interface BResNetOptions {
  /** Residual blocks of each width: 6 blocks + 2 layers with weights. */
  readonly blocks?: number;
  readonly classes?: number;
}

/**
 * B-ResNet (Teerapittayanon, McDanel & Kung, "BranchyNet", ICPR 2016; layer list from the authors' code): the ResNet
 * for CIFAR-10 of He et al. 2016 with two early exits, for 3 x 32 x 32 images. With 18 blocks of each width it is the
 * published B-ResNet-110: 232,411,968 multiply-accumulates in the main network, 48,600,000 to exit 1.
 *
 * The normalisation in the first head has the numbers of `bAlexNet`. As published, the first convolution has no
 * padding, so that planes are 30, 15 and 8 wide.
 * @throws ArgumentError unless there is at least one block
 */
export function bResNet({ blocks = 18, classes = 10 }: BResNetOptions = {}): Network {
  if (!(Number.isInteger(blocks) && blocks > 0)) {
    throw new ArgumentError(`bResNet: expected 1 block or more of each width, got ${blocks}`);
  }
  return multiExit({
    name: `b-resnet-${6 * blocks + 2}`,
    input: [3, 32, 32],
    classes,
    stages: [
      {
        body: [conv2d(3, 16, { kernel: 3 }), batchNorm2d(16, { activation: 'relu' })],
        exit: [
          conv2d(16, 64, { kernel: 5, padding: 2, activation: 'relu' }),
          localResponseNorm({ size: 3, alpha: 1.5e-4, beta: 0.75, k: 2 }),
          conv2d(64, 32, { kernel: 3, padding: 1, activation: 'relu' }),
          conv2d(32, 32, { kernel: 3, padding: 1, activation: 'relu' }),
          flatten(),
          linear(28_800, classes),
        ],
      },
      { body: chain(blocks, 16, 16), exit: [block(16, 16), flatten(), linear(14_400, classes)] },
      {
        body: [...chain(blocks, 16, 32), ...chain(blocks, 32, 64), averagePool2d({ kernel: 6, stride: 1 })],
        exit: [flatten(), linear(576, classes)],
      },
    ],
  });
}

/** Blocks one after the other; the first changes the width. */
const chain = (count: number, input: number, output: number): Layer[] =>
  Array.from({ length: count }, (_, index) => block(index === 0 ? input : output, output));

/** Two convolutions and a way around them; a block that widens halves the planes, and its way around has no weights. */
function block(input: number, output: number): Layer {
  const stride = input === output ? 1 : 2;
  const body = [
    conv2d(input, output, { kernel: 3, stride, padding: 1 }),
    batchNorm2d(output, { activation: 'relu' }),
    conv2d(output, output, { kernel: 3, padding: 1 }),
    batchNorm2d(output),
  ];
  const shortcut = stride === 1 ? [] : [averagePool2d({ kernel: 1, stride }), padChannels({ before: output - input })];
  return residual(body, { shortcut, activation: 'relu' });
}
