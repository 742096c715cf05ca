import type { ImageShape } from '../../data/dataset.ts';
import { ArgumentError } from '../../errors.ts';
import type { Layer } from '../../nn/layer.ts';
import { conv2d, flatten, linear, maxPool2d } from '../../nn/layers.ts';
import { batchNorm2d } from '../../nn/normalization.ts';
import { sizeOf } from '../../tensor/spec.ts';
import { multiExit } from '../network.ts';
import type { Network } from '../network.ts';

export interface SmallCnnOptions {
  /** 1 x 28 x 28 where left out. */
  readonly input?: ImageShape;
  /** Channels of the convolutions; 8, 24 and 32 where left out. */
  readonly widths?: readonly number[];
  readonly classes?: number;
}

/**
 * A small convolutional network with batch normalisation and an exit after each convolution, for images that are not
 * quite as easy as digits: 3 x 3 convolutions, of which the first two end in pooling by 2, and linear heads. For 28 x 28
 * images of one channel 749,504 multiply-accumulates in the main network, 60,368 to exit 1 and 410,816 to exit 2.
 * @throws ArgumentError unless there is at least one width, and each is a positive whole number
 */
export function smallCnn({ input = [1, 28, 28], widths = [8, 24, 32], classes = 10 }: SmallCnnOptions = {}): Network {
  const [channels, height, width] = input;
  if (widths.length === 0 || !widths.every((each) => Number.isInteger(each) && each > 0)) {
    throw new ArgumentError(`smallCnn: expected one or more positive widths, got [${widths.join(', ')}]`);
  }
  const pool = maxPool2d({ kernel: 2, ceil: true });
  let plane = [height, width];
  const halve = (sides: number[]): number[] => sides.map((side) => Math.ceil(side / 2));
  const stages = widths.map((output, index) => {
    const convolution = conv2d(index === 0 ? channels : widths[index - 1]!, output, { kernel: 3, padding: 1 });
    const body: Layer[] = [convolution, batchNorm2d(output, { activation: 'relu' })];
    if (index < 2) {
      body.push(pool);
      plane = halve(plane);
    }
    // The first plane is large for what it knows.
    const seen = index === 0 ? halve(plane) : plane;
    const head = [flatten(), linear(output * sizeOf(seen), classes)];
    return { body, exit: index === 0 ? [pool, ...head] : head };
  });
  return multiExit({ name: 'small-cnn', input, classes, stages });
}
