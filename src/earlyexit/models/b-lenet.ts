import { conv2d, flatten, linear, maxPool2d } from '../../nn/layers.ts';
import { multiExit } from '../network.ts';
import type { Network } from '../network.ts';

/**
 * B-LeNet (Teerapittayanon, McDanel & Kung, "BranchyNet", ICPR 2016; layer list from the authors' code): LeNet with one
 * early exit after the first convolution, for 1 x 28 x 28 images. 1,140,070 multiply-accumulates in the main network,
 * 220,150 to exit 1.
 *
 * Both ways on from the first convolution begin with the same pooling and ReLU; here they belong to stage 1, which
 * computes the same function once instead of twice, and leaves a quarter of the data to cross to stage 2.
 */
export function bLeNet({ classes = 10 }: { classes?: number } = {}): Network {
  const pool = maxPool2d({ kernel: 2, ceil: true, activation: 'relu' });
  return multiExit({
    name: 'b-lenet',
    input: [1, 28, 28],
    classes,
    stages: [
      {
        body: [conv2d(1, 5, { kernel: 5, padding: 3 }), pool],
        exit: [conv2d(5, 10, { kernel: 3, padding: 1 }), pool, flatten(), linear(640, classes)],
      },
      {
        body: [
          conv2d(5, 10, { kernel: 5, padding: 3 }),
          pool,
          conv2d(10, 20, { kernel: 5, padding: 3 }),
          pool,
          flatten(),
          linear(720, 84),
        ],
        exit: [linear(84, classes)],
      },
    ],
  });
}
