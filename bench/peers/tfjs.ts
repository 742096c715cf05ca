import '@tensorflow/tfjs-backend-webgpu';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import type { WorkOf } from './cases.ts';
import { isWeighted, shapeAfter, shapeBehind, stagesOf, thresholdFor, trunkOf } from './network.ts';
import type { Layer, Network, Shape, WeightedLayer } from './network.ts';
import {
  answering,
  countErrors,
  describeAdapter,
  firstSure,
  reading,
  stepping,
  Unsupported,
} from './peer.ts';
import type { Peer, Prepared } from './peer.ts';

/**
 * Operations in `tidy`, channels last: what its WebGPU backend is made for. The core alone has no gradients; whoever
 * loads this registers them (`register_all_gradients`): the package that would do it brings other backends and more.
 */
export async function open(): Promise<Peer> {
  if (!(await tf.setBackend('webgpu'))) throw new Unsupported('tfjs finds no WebGPU here');
  const { device } = tf.backend() as WebGPUBackend;
  const errors = countErrors(device);
  return {
    adapter: describeAdapter(device.adapterInfo),
    get errors() {
      return errors.count;
    },
    async prepare(work) {
      switch (work.kind) {
        case 'matmul': {
          const a = tf.tensor2d(work.a, [work.m, work.k]);
          const b = tf.tensor2d(work.b, [work.k, work.n]);
          return operation([a, b], () => tf.matMul(a, b));
        }
        case 'conv': {
          const x = channelsLast(work.x, [work.batch, ...work.input]);
          const parameters = parametersOf([work.layer], work.input);
          const body = (): tf.Tensor => apply(work.layer, x, parameters[0]);
          const results = async () => ({ y: await read(() => channelsFirst(body())) });
          return { ...operation([x, ...parameters.flat()], body), results };
        }
        case 'softmax': {
          const x = tf.tensor2d(work.x, [work.rows, work.classes]);
          return operation([x], () => tf.softmax(x));
        }
        case 'scores':
          return scores(work);
        case 'infer':
          return infer(work);
        case 'train':
          return train(work);
        case 'read': {
          const x = tf.tensor1d(work.x);
          // What is small is computed on the host, until something that has no such form has brought it to the device.
          await read(() => tf.relu(x));
          return reading('y', () => read(() => tf.neg(x)), () => x.dispose());
        }
        case 'exits':
          return exits(work);
        case 'gated':
          throw new Unsupported('decides on the host');
      }
    },
  };
}

/** The values of what `body` makes, all else that it makes freed. */
async function read(body: () => tf.Tensor): Promise<Float32Array> {
  const result = tf.tidy(body);
  const values = (await result.data()) as Float32Array;
  result.dispose();
  return values;
}

function operation(operands: tf.Tensor[], body: () => tf.Tensor): Prepared {
  return {
    run: () =>
      read(() => {
        const y = body();
        return tf.slice(y, Array(y.rank).fill(0), y.shape.map((length) => Math.min(4, length)));
      }),
    results: async () => ({ y: await read(body) }),
    dispose: () => tf.dispose(operands),
  };
}

/** `[rows, channels, height, width]` on the host to `[rows, height, width, channels]` on the device. */
const channelsLast = (data: Float32Array, shape: Shape): tf.Tensor4D =>
  tf.tidy(() => tf.transpose(tf.tensor4d(data, shape as [number, number, number, number]), [0, 2, 3, 1]));

const channelsFirst = (y: tf.Tensor): tf.Tensor => tf.transpose(y, [0, 3, 1, 2]);

/** Entropy, margin and label of each row, `f32[3, rows]`: one tensor, so that it takes one read. */
function score(logits: tf.Tensor): tf.Tensor {
  const p = tf.softmax(logits);
  const entropy = tf.neg(tf.sum(tf.mul(p, tf.logSoftmax(logits)), -1));
  const label = tf.argMax(logits, -1);
  const first = tf.max(p, -1, true);
  const second = tf.max(tf.where(tf.less(p, first), p, tf.scalar(0)), -1, true);
  return tf.stack([entropy, tf.squeeze(tf.sub(first, second), [-1]), tf.cast(label, 'float32')]);
}

function scores({ rows, classes, x }: WorkOf<'scores'>): Prepared {
  const logits = tf.tensor2d(x, [rows, classes]);
  return {
    // Of one row all three are wanted; of many a part.
    run: () => read(() => (rows === 1 ? score(logits) : tf.slice(score(logits), [0, 0], [3, 1]))),
    async results() {
      const all = await read(() => score(logits));
      return { entropy: all.subarray(0, rows), margin: all.subarray(rows, 2 * rows), label: all.subarray(2 * rows) };
    },
    dispose: () => logits.dispose(),
  };
}

/**
 * Weights as channels last wants them: `[kernel, kernel, in, out]`, `[in, out]`; flattened planes have another order.
 */
function weightOf(layer: WeightedLayer, flattened: Shape | undefined): tf.Tensor {
  const { input, output, weight } = layer;
  if (layer.type === 'conv') {
    return tf.transpose(tf.tensor4d(weight, [output, input, layer.kernel, layer.kernel]), [2, 3, 1, 0]);
  }
  if (!flattened) return tf.transpose(tf.tensor2d(weight, [output, input]));
  const planes = tf.tensor4d(weight, [output, ...flattened] as [number, number, number, number]);
  return tf.reshape(tf.transpose(planes, [2, 3, 1, 0]), [input, output]);
}

/** Weight and bias of each layer that has them, in order. */
function parametersOf(layers: readonly Layer[], input: Shape): [tf.Tensor, tf.Tensor][] {
  const parameters: [tf.Tensor, tf.Tensor][] = [];
  let shape = input;
  let flattened: Shape | undefined;
  for (const layer of layers) {
    if (layer.type === 'flatten') flattened = shape;
    if (isWeighted(layer)) {
      parameters.push([tf.tidy(() => weightOf(layer, flattened)), tf.tensor1d(layer.bias)]);
      flattened = undefined;
    }
    shape = shapeAfter(layer, shape);
  }
  return parameters;
}

function apply(layer: Layer, x: tf.Tensor, parameters: readonly [tf.Tensor, tf.Tensor] | undefined): tf.Tensor {
  const [weight, bias] = parameters ?? [];
  const activation = 'relu' in layer && layer.relu ? 'relu' : 'linear';
  switch (layer.type) {
    case 'conv':
      return tf.fused.conv2d({
        x: x as tf.Tensor4D,
        filter: weight as tf.Tensor4D,
        strides: layer.stride,
        pad: layer.padding,
        bias: bias!,
        activation,
      });
    case 'linear':
      return tf.fused.matMul({ a: x, b: weight!, bias: bias!, activation });
    case 'maxPool':
      return tf.maxPool(x as tf.Tensor4D, 2, 2, 'valid');
    case 'planeMean':
      return tf.mean(x, [1, 2]);
    case 'flatten':
      return tf.reshape(x, [x.shape[0]!, -1]);
  }
}

function forward(layers: readonly Layer[], parameters: readonly [tf.Tensor, tf.Tensor][], x: tf.Tensor): tf.Tensor {
  let next = 0;
  return layers.reduce((value, layer) => apply(layer, value, isWeighted(layer) ? parameters[next++] : undefined), x);
}

/** One channel looks the same in both layouts, and three are transposed on the host as pictures come: channels last. */
function inputOf(network: Network, rows: number, x: Float32Array): () => tf.Tensor4D {
  const [channels, height, width] = network.input as [number, number, number];
  const plane = height * width;
  const data = x.map((_, index) => {
    const pixel = Math.floor(index / channels);
    const row = Math.floor(pixel / plane);
    return x[(row * channels + (index % channels)) * plane + (pixel % plane)]!;
  });
  return () => tf.tensor4d(data, [rows, height, width, channels]);
}

function infer({ network, batch, x }: WorkOf<'infer'>): Prepared {
  const layers = trunkOf(network);
  const parameters = parametersOf(layers, network.input);
  const input = inputOf(network, batch, x);
  const run = (): Promise<Float32Array> => read(() => forward(layers, parameters, input()));
  return reading('logits', run, () => tf.dispose(parameters));
}

function train(work: WorkOf<'train'>): Prepared {
  const { network, batch, learningRate } = work;
  const layers = trunkOf(network);
  const parameters = parametersOf(layers, network.input);
  const variables = parameters.map((pair) => pair.map((each) => tf.variable(each)) as [tf.Variable, tf.Variable]);
  const optimizer =
    work.optimizer === 'sgd' ? tf.train.sgd(learningRate) : tf.train.adam(learningRate, 0.9, 0.999, 1e-8);
  const input = inputOf(network, batch, work.x);
  const labels = Int32Array.from(work.y);
  const run = async (): Promise<number> => {
    const values = await read(() =>
      optimizer.minimize(() => {
        const logits = forward(layers, variables, input());
        return tf.losses.softmaxCrossEntropy(tf.oneHot(tf.tensor1d(labels, 'int32'), 10), logits) as tf.Scalar;
      }, true)!,
    );
    return values[0]!;
  };
  return stepping(run, () => {
    tf.dispose([parameters, variables]);
    optimizer.dispose();
  });
}

/** Stage by stage, each with its exit; the host decides between them. */
function exits({ network, checks, leavesAt, x }: WorkOf<'exits'>): Prepared {
  let shape = network.input;
  const stages = stagesOf(network, checks).map(({ body, exit }) => {
    const behind = shapeBehind(body, shape);
    const stage = { body, exit, ofBody: parametersOf(body, shape), ofExit: parametersOf(exit, behind) };
    shape = behind;
    return stage;
  });
  const input = inputOf(network, 1, x);
  const threshold = thresholdFor(network, leavesAt);
  const run = async (): Promise<Float32Array> => {
    let value: tf.Tensor = input();
    const answer = await firstSure(stages, threshold, ({ body, exit, ofBody, ofExit }) => {
      const crossing = tf.tidy(() => forward(body, ofBody, value));
      value.dispose();
      value = crossing;
      return read(() => score(forward(exit, ofExit, crossing)));
    });
    value.dispose();
    return answer;
  };
  return answering(run, () => tf.dispose(stages.map(({ ofBody, ofExit }) => [ofBody, ofExit])));
}
