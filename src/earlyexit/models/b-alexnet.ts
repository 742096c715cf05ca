import { conv2d, dropout, flatten, linear, maxPool2d } from '../../nn/layers.ts';
import { localResponseNorm } from '../../nn/normalization.ts';
import { multiExit } from '../network.ts';
import type { Network } from '../network.ts';

/**
 * B-AlexNet (Teerapittayanon, McDanel & Kung, "BranchyNet", ICPR 2016; layer list from the authors' code): a small
 * AlexNet with two early exits, for 3 x 32 x 32 images. 28,247,296 multiply-accumulates in the main network,
 * 17,339,392 to exit 1, where the head has 1,774,592 of them, and 443,648 in the head of exit 2.
 *
 * The authors' code gives its normalisation size 3, alpha 5e-5 and beta 0.75, and leaves k to Chainer, which takes 2
 * and does not divide alpha by the size: hence 3 x 5e-5 here. As in B-LeNet, what both ways on from an exit begin
 * with belongs to the stage before it.
 */
export function bAlexNet({ classes = 10 }: { classes?: number } = {}): Network {
  const activation = 'relu';
  const pool = maxPool2d({ kernel: 3, stride: 2, ceil: true });
  const poolRelu = maxPool2d({ kernel: 3, stride: 2, ceil: true, activation });
  const norm = localResponseNorm({ size: 3, alpha: 1.5e-4, beta: 0.75, k: 2 });
  return multiExit({
    name: 'b-alexnet',
    input: [3, 32, 32],
    classes,
    stages: [
      {
        body: [
          conv2d(3, 32, { kernel: 5, padding: 2 }),
          poolRelu,
          norm,
          conv2d(32, 64, { kernel: 5, padding: 2 }),
          poolRelu,
          norm,
        ],
        exit: [
          conv2d(64, 32, { kernel: 3, padding: 1, activation }),
          conv2d(32, 32, { kernel: 3, padding: 1 }),
          poolRelu,
          flatten(),
          linear(512, classes),
        ],
      },
      {
        body: [conv2d(64, 96, { kernel: 3, padding: 1, activation })],
        exit: [pool, norm, conv2d(96, 32, { kernel: 3, padding: 1 }), poolRelu, flatten(), linear(128, classes)],
      },
      {
        body: [
          conv2d(96, 96, { kernel: 3, padding: 1, activation }),
          conv2d(96, 64, { kernel: 3, padding: 1 }),
          poolRelu,
          flatten(),
          linear(1024, 256, { activation }),
          dropout({ rate: 0.5 }),
          linear(256, 128, { activation }),
          dropout({ rate: 0.5 }),
        ],
        exit: [linear(128, classes)],
      },
    ],
  });
}
