/** The questions that all peers are asked: shapes, inputs, and how exact an answer must be to have its time taken. */
import { Random } from '../../src/random.ts';
import { conv, fourStages, leNet, sizeOf } from './network.ts';
import type { Layer, Network, Shape } from './network.ts';

/**
 * What is to be computed. Operands of single operations lie on the device; the input of a network comes from the host.
 */
export type Work =
  /** `y[m, n] = a[m, k] b[k, n]` */
  | {
      readonly kind: 'matmul';
      readonly m: number;
      readonly k: number;
      readonly n: number;
      readonly a: Float32Array;
      readonly b: Float32Array;
    }
  /** One convolution with its bias and no activation; `y` as `[batch, out, height, width]`. */
  | {
      readonly kind: 'conv';
      readonly batch: number;
      readonly input: Shape;
      readonly layer: Extract<Layer, { type: 'conv' }>;
      readonly x: Float32Array;
    }
  /** `y[rows, classes]` */
  | { readonly kind: 'softmax'; readonly rows: number; readonly classes: number; readonly x: Float32Array }
  /** Of the softmax of each row: `entropy` in nats, `margin` (the greatest minus the second), `label`. */
  | { readonly kind: 'scores'; readonly rows: number; readonly classes: number; readonly x: Float32Array }
  /** `logits[batch, 10]`, all of them read. */
  | { readonly kind: 'infer'; readonly network: Network; readonly batch: number; readonly x: Float32Array }
  /** A step on the mean cross-entropy, its loss read; `losses` of the first three steps. */
  | {
      readonly kind: 'train';
      readonly network: Network;
      readonly optimizer: 'sgd' | 'adam';
      readonly learningRate: number;
      readonly batch: number;
      readonly x: Float32Array;
      readonly y: Uint32Array;
    }
  /**
   * What the read at a checkpoint costs at least: `y = -x` of four numbers on the device, the least launch that there
   * is, and its 16 bytes on the host.
   */
  | { readonly kind: 'read'; readonly x: Float32Array }
  /**
   * One sample through a network with exits, which answers at exit `leavesAt`, counted from 1. `checks` on the way: the
   * host reads entropy and label of each exit passed and decides; without, the last exit alone is built. `entropy` and
   * `label` of the answer.
   */
  | {
      readonly kind: 'exits';
      readonly network: Network;
      readonly checks: boolean;
      readonly leavesAt: number;
      readonly x: Float32Array;
    }
  /** As `exits` with checks, all of them decided on the device: one submit, one read. */
  | { readonly kind: 'gated'; readonly network: Network; readonly leavesAt: number; readonly x: Float32Array };

export type WorkOf<K extends Work['kind']> = Extract<Work, { kind: K }>;

/** All that a case computes, by name and in the layout of the case. */
export type Results = Readonly<Record<string, ArrayLike<number>>>;

export interface Case {
  readonly name: string;
  /** Greatest difference from the oracle over the oracle's greatest magnitude. */
  readonly tolerance: number;
  /** The name of what the rivals do in its place, where none of them can do this. */
  readonly against?: string;
  /** Made when its turn comes: the inputs of all cases together are large. */
  work(): Work;
}

/** Sums of up to 1,024 products of f32; beyond it lies a wrong result and not another order of summation. */
const TOLERANCE = 1e-4;
/** Three steps of training amplify what rounding leaves. */
const TRAINING_TOLERANCE = 1e-3;

/** Operands of a case have different seeds: of equal length they would be equal. */
function normal(seed: number, length: number, deviation = 1): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length }, () => deviation * random.normal());
}

const matmul = (m: number, k: number, n: number): Case => ({
  name: `matmul ${m}x${k}x${n}`,
  tolerance: TOLERANCE,
  work: () => ({ kind: 'matmul', m, k, n, a: normal(1, m * k), b: normal(2, k * n, 1 / Math.sqrt(k)) }),
});

function convolution(kernel: number, size: number, input: number, output: number, batch: number): Case {
  const shape = [input, size, size];
  return {
    name: `conv ${kernel}x${kernel} ${size}x${size} ${input}->${output}, batch ${batch}`,
    tolerance: TOLERANCE,
    work: () => ({
      kind: 'conv',
      batch,
      input: shape,
      layer: conv(new Random(kernel), input, output, { kernel, padding: kernel >> 1, relu: false }),
      x: normal(1, batch * sizeOf(shape)),
    }),
  };
}

const onRows = (name: string, kind: 'softmax' | 'scores', rows: number, classes: number): Case => ({
  name,
  tolerance: TOLERANCE,
  work: () => ({ kind, rows, classes, x: normal(1, rows * classes, 3) }),
});

const inference = (batch: number): Case => ({
  name: `LeNet inference, batch ${batch}`,
  tolerance: TOLERANCE,
  work: () => ({ kind: 'infer', network: leNet(), batch, x: normal(1, batch * 784) }),
});

const training = (optimizer: 'sgd' | 'adam', learningRate: number, batch: number): Case => ({
  name: `LeNet training step, ${optimizer === 'sgd' ? 'SGD' : 'Adam'}, batch ${batch}`,
  tolerance: TRAINING_TOLERANCE,
  work() {
    const random = new Random(batch);
    const y = Uint32Array.from({ length: batch }, () => random.below(10));
    return { kind: 'train', network: leNet(), optimizer, learningRate, batch, x: normal(1, batch * 784), y };
  },
});

const checkpointRead: Case = {
  name: 'read of a checkpoint, behind a launch of four numbers',
  tolerance: 0,
  work: () => ({ kind: 'read', x: normal(1, 4) }),
};

const exits = (name: string, checks: boolean, leavesAt: number): Case => ({
  name: `4-stage CNN with exits, ${name}`,
  tolerance: TOLERANCE,
  work: () => ({ kind: 'exits', network: fourStages(), checks, leavesAt, x: normal(1, 3 * 32 * 32) }),
});

const allChecked = exits('all checked', true, 4);

const gated: Case = {
  name: '4-stage CNN with exits, all checked on the GPU',
  tolerance: TOLERANCE,
  against: allChecked.name,
  work: () => ({ kind: 'gated', network: fourStages(), leavesAt: 4, x: normal(1, 3 * 32 * 32) }),
};

/** The case that is also asked of a fresh process, from opening the device to the first answer. */
export const COLD = inference(1);

export const CASES: readonly Case[] = [
  matmul(512, 512, 512),
  matmul(1024, 1024, 1024),
  matmul(1, 1024, 1024),
  matmul(32, 784, 256),
  convolution(3, 32, 16, 32, 1),
  convolution(3, 32, 16, 32, 32),
  convolution(5, 28, 1, 6, 64),
  ...[64, 4096].map((rows) => onRows(`softmax ${rows}x1000`, 'softmax', rows, 1000)),
  ...[64, 4096].map((rows) => onRows(`entropy + margin + argmax ${rows}x1000`, 'scores', rows, 1000)),
  ...[10, 1000, 32_000, 128_256].map((classes) =>
    onRows(`exit check of one row, ${classes} classes`, 'scores', 1, classes)),
  checkpointRead,
  inference(1),
  inference(64),
  training('sgd', 0.001, 64),
  training('adam', 0.001, 64),
  exits('no check', false, 4),
  allChecked,
  gated,
  exits('leaves first', true, 1),
];
