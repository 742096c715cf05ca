import { ShapeError } from '../errors.ts';
import { sizeOf } from '../tensor/spec.ts';
import type { Layer } from './layer.ts';
import { conv2d, flatten, globalAveragePool, linear, maxPool2d } from './layers.ts';
import { mixedPool2d } from './mixed-pool.ts';

/**
 * The layers of a head from the shape of one sample where it is put, `[channels, height, width]` or `[size]`; they
 * end in logits. Made anew for each place, so one function serves exits at many.
 */
export type Head = (shape: readonly number[]) => readonly Layer[];

/** One linear layer over all there is. */
export const linearHead =
  (classes: number): Head =>
  (shape) => [...(shape.length > 1 ? [flatten()] : []), linear(sizeOf(shape), classes)];

/** The mean of each plane, then a linear layer: the smallest head. Throws `ShapeError` where there are no planes. */
export const poolHead =
  (classes: number): Head =>
  (shape) => [globalAveragePool(), linear(planes('poolHead', shape).channels, classes)];

export interface ConvHeadOptions {
  /** Of the convolution; as many as come in where left out. */
  readonly channels?: number;
}

/**
 * A 3 x 3 convolution, 2 x 2 pooling, ReLU and a linear layer, as in the head of B-LeNet. Throws `ShapeError` where
 * there are no planes.
 */
export const convHead =
  (classes: number, options: ConvHeadOptions = {}): Head =>
  (shape) => {
    const { channels: input, height, width } = planes('convHead', shape);
    const { channels = input } = options;
    return [
      conv2d(input, channels, { kernel: 3, padding: 1 }),
      maxPool2d({ kernel: 2, ceil: true, activation: 'relu' }),
      flatten(),
      linear(channels * Math.ceil(height / 2) * Math.ceil(width / 2), classes),
    ];
  };

/**
 * The head of shallow-deep networks (Kaya, Hong & Dumitras 2019, section 4): pooling that learns between maximum and
 * average down to planes about 4 wide, then a linear layer; planes less than 8 wide are not pooled, as in the
 * authors' code. Throws `ShapeError` where there are no planes.
 */
export const mixedPoolHead =
  (classes: number): Head =>
  (shape) => {
    const { channels, height, width } = planes('mixedPoolHead', shape);
    const kernel = Math.floor(Math.min(height, width) / 4);
    if (kernel < 2) return linearHead(classes)(shape);
    const pooled = [channels, Math.floor(height / kernel), Math.floor(width / kernel)];
    return [mixedPool2d({ kernel }), ...linearHead(classes)(pooled)];
  };

function planes(head: string, shape: readonly number[]): { channels: number; height: number; width: number } {
  const [channels, height, width] = shape;
  if (shape.length !== 3) {
    const got = `[${shape.join(', ')}]`;
    throw new ShapeError(`${head}: expected [channels, height, width], got ${got}; linearHead takes any shape`);
  }
  return { channels: channels!, height: height!, width: width! };
}
