import * as ort from 'onnxruntime-node';
import type { WorkOf } from './cases.ts';
import { isWeighted, shapeBehind, stagesOf, thresholdFor, trunkOf } from './network.ts';
import type { Layer } from './network.ts';
import { onnxModel } from './onnx.ts';
import type { OnnxNode, OnnxTensor } from './onnx.ts';
import { answering, firstSure, reading, Unsupported } from './peer.ts';
import type { Peer, Prepared } from './peer.ts';

type Provider = 'webgpu' | 'cpu';

/** What a run reads: a part of the answer, small; and the name of what stays on the device. */
const TINY = 'tiny';

/**
 * onnxruntime has a Dawn of its own and does not say which adapter it took: it sees the same drivers, by the same
 * variables of the environment, as everybody here.
 */
const open =
  (provider: Provider) =>
  async (): Promise<Peer> => {
    if (!ort.listSupportedBackends().some(({ name }) => name === provider)) {
      throw new Unsupported(`onnxruntime-node has no ${provider} for this platform`);
    }
    return {
      adapter: provider === 'webgpu' ? 'not told (a Dawn of its own, the same drivers)' : 'CPU',
      errors: undefined,
      async prepare(work) {
        switch (work.kind) {
          case 'matmul': {
            const graph = new Graph().node('MatMul', ['x', 'b'], 'y').weight('b', [work.k, work.n], work.b);
            return operation(provider, graph, work.a, [work.m, work.k]);
          }
          case 'conv': {
            const graph = new Graph().layers([work.layer], 'x', 'y');
            return operation(provider, graph, work.x, [work.batch, ...work.input]);
          }
          case 'softmax': {
            const graph = new Graph().node('Softmax', ['x'], 'y', { axis: -1 });
            return operation(provider, graph, work.x, [work.rows, work.classes]);
          }
          case 'scores':
            return scores(provider, work);
          case 'infer':
            return infer(provider, work);
          case 'train':
            throw new Unsupported('onnxruntime-node does not train');
          case 'read':
            return read(provider, work);
          case 'exits':
            return exits(provider, work);
          case 'gated':
            throw new Unsupported('decides on the host');
        }
      },
    };
  };

export const openWebGpu = open('webgpu');
export const openCpu = open('cpu');

/** A graph as it grows: operators of ONNX, weights as initializers. */
class Graph {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: Record<string, OnnxTensor> = {};

  node(op: string, inputs: readonly string[], output: string, attributes: OnnxNode['attributes'] = {}): this {
    this.nodes.push({ op, inputs, outputs: [output], attributes });
    return this;
  }

  weight(name: string, shape: readonly number[], data: Float32Array): this {
    this.initializers[name] = { shape, data };
    return this;
  }

  indices(name: string, ...values: readonly number[]): this {
    this.initializers[name] = { shape: [values.length], data: BigInt64Array.from(values, BigInt) };
    return this;
  }

  /** The first elements of `from`, whose shape has `rank` axes: all that a run reads. */
  tiny(from: string, rank: number): this {
    this.indices('starts', ...Array(rank).fill(0)).indices('ends', ...Array(rank - 1).fill(1), 4);
    return this.node('Slice', [from, 'starts', 'ends'], TINY);
  }

  layers(layers: readonly Layer[], from: string, to: string): this {
    let value = from;
    layers.forEach((layer, index) => {
      const next = index === layers.length - 1 ? to : `${to} ${index}`;
      this.#layer(layer, value, next);
      value = next;
    });
    return this;
  }

  #layer(layer: Layer, from: string, to: string): void {
    const relu = 'relu' in layer && layer.relu;
    const sum = relu ? `${to} before relu` : to;
    if (isWeighted(layer)) {
      const { input, output, weight, bias } = layer;
      const kernel = layer.type === 'conv' ? [layer.kernel, layer.kernel] : [];
      this.weight(`${to} weight`, [output, input, ...kernel], weight).weight(`${to} bias`, [output], bias);
    }
    const weighted = [from, `${to} weight`, `${to} bias`];
    switch (layer.type) {
      case 'conv': {
        const { kernel, stride, padding } = layer;
        const pads = Array<number>(4).fill(padding);
        this.node('Conv', weighted, sum, { kernel_shape: [kernel, kernel], strides: [stride, stride], pads });
        break;
      }
      case 'linear':
        this.node('Gemm', weighted, sum, { transB: 1 });
        break;
      case 'maxPool':
        this.node('MaxPool', [from], to, { kernel_shape: [2, 2], strides: [2, 2] });
        break;
      case 'planeMean':
        this.node('ReduceMean', [from], to, { axes: [2, 3], keepdims: 0 });
        break;
      case 'flatten':
        this.node('Flatten', [from], to, { axis: 1 });
    }
    if (relu) this.node('Relu', [sum], to);
  }

  /** `to`: entropy, margin and label of each row of `logits`, `f32[rows, 3]`. */
  scores(logits: string, to: string): this {
    this.node('Softmax', [logits], 'p', { axis: -1 })
      .node('LogSoftmax', [logits], 'log p', { axis: -1 })
      .node('Mul', ['p', 'log p'], 'p log p')
      .node('ReduceSum', ['p log p', 'last axis'], 'negative entropy', { keepdims: 1 })
      .node('Neg', ['negative entropy'], 'entropy')
      .node('ArgMax', ['p'], 'label', { axis: -1, keepdims: 1 })
      .node('Cast', ['label'], 'label f32', { to: 1 })
      .node('ReduceMax', ['p'], 'first', { axes: [-1], keepdims: 1 })
      .node('Less', ['p', 'first'], 'is not first')
      .node('Where', ['is not first', 'p', 'zero'], 'others')
      .node('ReduceMax', ['others'], 'second', { axes: [-1], keepdims: 1 })
      .node('Sub', ['first', 'second'], 'margin')
      .node('Concat', ['entropy', 'margin', 'label f32'], to, { axis: -1 });
    return this.indices('last axis', -1).weight('zero', [1], Float32Array.of(0));
  }

  /** Outputs of `kept` stay on the device, the others come to the host. */
  session(
    provider: Provider,
    inputs: Readonly<Record<string, readonly number[]>>,
    outputs: readonly string[],
    kept?: string,
  ): Promise<ort.InferenceSession> {
    const { nodes, initializers } = this;
    const locations = outputs.map((name) => [name, name === kept ? 'gpu-buffer' : 'cpu'] as const);
    return ort.InferenceSession.create(onnxModel({ inputs, outputs, initializers, nodes }), {
      executionProviders: [provider],
      // Without it a warning for each operator that has no kernel on the GPU.
      logSeverityLevel: 3,
      ...(provider === 'webgpu' && { preferredOutputLocation: Object.fromEntries(locations) }),
    });
  }
}

const host = (data: Float32Array, shape: readonly number[]): ort.Tensor => new ort.Tensor('float32', data, shape);

/**
 * A tensor where the provider computes. WebGPU's come out of a session, nothing else in Node makes one, and their
 * memory is the session's.
 */
async function resident(
  provider: Provider,
  data: Float32Array,
  shape: readonly number[],
): Promise<{ x: ort.Tensor; upload: ort.InferenceSession }> {
  const upload = await new Graph().node('Identity', ['x'], 'y').session(provider, { x: shape }, ['y'], 'y');
  const { y } = await upload.run({ x: host(data, shape) });
  return { x: y!, upload };
}

const values = (tensor: ort.Tensor | undefined): Float32Array => tensor!.data as Float32Array;

/**
 * `graph` from x to y. A second session reads all of y: the one that is timed leaves it on the device, from where Node
 * cannot read it (`getData()` of 1.30 ends the process).
 */
async function operation(
  provider: Provider,
  graph: Graph,
  data: Float32Array,
  shape: readonly number[],
): Promise<Prepared> {
  const { x, upload } = await resident(provider, data, shape);
  const whole = await graph.session(provider, { x: shape }, ['y']);
  const session = await graph.tiny('y', shape.length).session(provider, { x: shape }, ['y', TINY], 'y');
  return {
    async run() {
      const { y } = await session.run({ x });
      y!.dispose();
    },
    results: async () => ({ y: values((await whole.run({ x })).y) }),
    dispose: () => release([x], upload, whole, session),
  };
}

function release(tensors: readonly ort.Tensor[], ...sessions: readonly ort.InferenceSession[]): void {
  for (const tensor of tensors) tensor.dispose();
  for (const session of sessions) void session.release();
}

async function scores(provider: Provider, { rows, classes, x: data }: WorkOf<'scores'>): Promise<Prepared> {
  const shape = [rows, classes];
  const { x, upload } = await resident(provider, data, shape);
  const graph = new Graph().scores('x', 'y');
  const whole = await graph.session(provider, { x: shape }, ['y']);
  // Of one row all three are wanted; of many a part.
  const session = rows === 1 ? whole : await graph.tiny('y', 2).session(provider, { x: shape }, ['y', TINY], 'y');
  return {
    async run() {
      const { y } = await session.run({ x });
      y!.dispose();
    },
    async results() {
      const all = values((await whole.run({ x })).y);
      const column = (at: number): Float32Array => all.filter((_, index) => index % 3 === at);
      return { entropy: column(0), margin: column(1), label: column(2) };
    },
    dispose: () => release([x], upload, ...new Set([whole, session])),
  };
}

async function read(provider: Provider, { x: data }: WorkOf<'read'>): Promise<Prepared> {
  const shape = [data.length];
  const { x, upload } = await resident(provider, data, shape);
  const session = await new Graph().node('Neg', ['x'], 'y').session(provider, { x: shape }, ['y']);
  return reading('y', async () => values((await session.run({ x })).y), () => release([x], upload, session));
}

async function infer(provider: Provider, { network, batch, x }: WorkOf<'infer'>): Promise<Prepared> {
  const shape = [batch, ...network.input];
  const session = await new Graph().layers(trunkOf(network), 'x', 'y').session(provider, { x: shape }, ['y']);
  const run = async (): Promise<Float32Array> => values((await session.run({ x: host(x, shape) })).y);
  return reading('logits', run, () => release([], session));
}

/** A session for each stage with its exit; the host decides between them, and what crosses stays on the device. */
async function exits(provider: Provider, { network, checks, leavesAt, x }: WorkOf<'exits'>): Promise<Prepared> {
  let shape = network.input;
  const stages = stagesOf(network, checks);
  const sessions: ort.InferenceSession[] = [];
  for (const [index, { body, exit }] of stages.entries()) {
    const isLast = index === stages.length - 1;
    const graph = new Graph().layers(body, 'x', 'crossing').layers(exit, 'crossing', 'logits');
    const outputs = isLast ? ['y'] : ['crossing', 'y'];
    sessions.push(await graph.scores('logits', 'y').session(provider, { x: [1, ...shape] }, outputs, 'crossing'));
    shape = shapeBehind(body, shape);
  }
  const threshold = thresholdFor(network, leavesAt);
  const run = async (): Promise<Float32Array> => {
    let value: ort.Tensor | undefined = host(x, [1, ...network.input]);
    const answer = await firstSure(sessions, threshold, async (session) => {
      const { crossing, y } = await session.run({ x: value! });
      value!.dispose();
      // Nothing crosses behind the last.
      value = crossing;
      return values(y);
    });
    value?.dispose();
    return answer;
  };
  return answering(run, () => release([], ...sessions));
}
