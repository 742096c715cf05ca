import {
  blockUntilReady,
  defaultDevice,
  getWebGPUDevice,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  tree,
  valueAndGrad,
} from '@jax-js/jax';
import type { WorkOf } from './cases.ts';
import { isWeighted, stagesOf, thresholdFor, trunkOf } from './network.ts';
import type { Layer } from './network.ts';
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

type Array = np.Array;
/** Of each layer with weights. jax-js counts references: a use takes one, `.ref` makes another. */
type Parameters = { weight: Array; bias: Array }[];

/** Of Adam (Kingma & Ba 2015, algorithm 1). */
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

/** Functions under `jit`, operands on the device: what the documentation of jax-js recommends. */
export async function open(): Promise<Peer> {
  if (!(await init('webgpu')).includes('webgpu')) throw new Unsupported('jax-js finds no WebGPU here');
  defaultDevice('webgpu');
  const device = getWebGPUDevice();
  const errors = countErrors(device);
  return {
    adapter: describeAdapter(device.adapterInfo),
    get errors() {
      return errors.count;
    },
    async prepare(work) {
      switch (work.kind) {
        case 'matmul': {
          const operands = [put(work.a, [work.m, work.k]), put(work.b, [work.k, work.n])];
          return operation(operands, jit((a: Array, b: Array) => np.matmul(a, b)));
        }
        case 'conv': {
          const { layer, batch, input } = work;
          const x = put(work.x, [batch, ...input]);
          const [parameters] = parametersOf([layer]);
          const { weight, bias } = parameters!;
          const body = jit((x: Array, weight: Array, bias: Array) => apply(layer, x, { weight, bias }));
          return operation([x, weight, bias], body);
        }
        case 'softmax':
          return operation([put(work.x, [work.rows, work.classes])], jit((x: Array) => nn.softmax(x, -1)));
        case 'scores':
          return scores(work);
        case 'infer':
          return infer(work);
        case 'train':
          return train(work);
        case 'read':
          return read(work);
        case 'exits':
          return exits(work);
        case 'gated':
          throw new Unsupported('decides on the host');
      }
    },
  };
}

const put = (data: Float32Array, shape: readonly number[]): Array =>
  np.array(data as Float32Array<ArrayBuffer>, { shape: [...shape] });

async function operation(operands: Array[], body: (...operands: Array[]) => Array): Promise<Prepared> {
  await blockUntilReady(operands);
  const call = (): Array => body(...operands.map((operand) => operand.ref));
  return {
    async run() {
      const y = call();
      // Its first few elements, as a view: the kernel that copies them is the tiny one.
      await y.slice(...y.shape.map((length) => [0, Math.min(4, length)] as [number, number])).data();
    },
    results: async () => ({ y: await data(call()) }),
    dispose: () => tree.dispose(operands),
  };
}

async function read({ x: values }: WorkOf<'read'>): Promise<Prepared> {
  const x = put(values, [values.length]);
  await blockUntilReady(x);
  const body = jit((x: Array) => np.negative(x));
  return reading('y', () => data(body(x.ref)), () => x.dispose());
}

const data = async (array: Array): Promise<Float32Array> => (await array.data()) as Float32Array;

/** Entropy, margin and label of each row, as `f32[3, rows]`: one array, so that it takes one read. */
function score(logits: Array): Array {
  const classes = logits.shape.at(-1)!;
  const p = nn.softmax(logits.ref, -1);
  const logP = nn.logSoftmax(logits.ref, -1);
  const entropy = np.negative(np.sum(p.ref.mul(logP), -1));
  const label = np.argmax(logits, -1);
  const first = np.max(p.ref, -1);
  const isFirst = np.equal(np.arange(classes).reshape([1, classes]), label.ref.reshape([-1, 1]));
  const second = np.max(np.where(isFirst, 0, p), -1);
  return np.stack([entropy, first.sub(second), label.astype(np.float32)]);
}

async function scores({ rows, classes, x }: WorkOf<'scores'>): Promise<Prepared> {
  const logits = put(x, [rows, classes]);
  await blockUntilReady(logits);
  const body = jit(score);
  return {
    // Of one row all three are wanted; of many a part.
    run: () => (rows === 1 ? body(logits.ref) : body(logits.ref).slice([0, 3], [0, 1])).data(),
    async results() {
      const all = await data(body(logits.ref));
      return { entropy: all.subarray(0, rows), margin: all.subarray(rows, 2 * rows), label: all.subarray(2 * rows) };
    },
    dispose: () => logits.dispose(),
  };
}

function parametersOf(layers: readonly Layer[]): Parameters {
  return layers.filter(isWeighted).map((layer) => {
    const { input, output, weight, bias } = layer;
    const shape = layer.type === 'conv' ? [output, input, layer.kernel, layer.kernel] : [output, input];
    return { weight: put(weight, shape), bias: put(bias, [output]) };
  });
}

/** Takes `x` and the parameters, and gives them back to nobody. */
function apply(layer: Layer, x: Array, parameters: { weight: Array; bias: Array } | undefined): Array {
  switch (layer.type) {
    case 'conv': {
      const { stride, padding, output, relu } = layer;
      const pair: [number, number] = [padding, padding];
      const y = lax
        .convGeneralDilated(x, parameters!.weight, [stride, stride], [pair, pair])
        .add(parameters!.bias.reshape([output, 1, 1]));
      return relu ? nn.relu(y) : y;
    }
    case 'linear': {
      const y = np.matmul(x, np.transpose(parameters!.weight)).add(parameters!.bias);
      return layer.relu ? nn.relu(y) : y;
    }
    case 'maxPool':
      return lax.reduceWindow(x, np.max, [2, 2], [2, 2]);
    case 'planeMean':
      return np.mean(x, [2, 3]);
    case 'flatten':
      return x.reshape([x.shape[0]!, -1]);
  }
}

/** Takes its arguments. */
function forward(layers: readonly Layer[], parameters: Parameters, x: Array): Array {
  let next = 0;
  return layers.reduce((value, layer) => apply(layer, value, isWeighted(layer) ? parameters[next++] : undefined), x);
}

async function infer({ network, batch, x }: WorkOf<'infer'>): Promise<Prepared> {
  const layers = trunkOf(network);
  const parameters = parametersOf(layers);
  const body = jit((parameters: Parameters, x: Array) => forward(layers, parameters, x));
  const run = (): Promise<Float32Array> => data(body(tree.ref(parameters), put(x, [batch, ...network.input])));
  return reading('logits', run, () => tree.dispose(parameters));
}

interface AdamState {
  [key: string]: Parameters | Array;
  moment1: Parameters;
  moment2: Parameters;
  step: Array;
}

/** Forward, backward and the update in one `jit`, parameters and moments on the device. */
async function train(work: WorkOf<'train'>): Promise<Prepared> {
  const { network, batch, learningRate } = work;
  const layers = trunkOf(network);
  let parameters = parametersOf(layers);
  const lossOf = (parameters: Parameters, x: Array, y: Array): Array => {
    const logP = nn.logSoftmax(forward(layers, parameters, x), -1);
    return np.negative(np.mean(np.sum(logP.mul(nn.oneHot(y, 10)), -1)));
  };
  const labels = Int32Array.from(work.y);
  const inputs = (): [Array, Array] => [put(work.x, [batch, ...network.input]), np.array(labels)];
  const gradient = valueAndGrad(lossOf);
  const sgd = jit((parameters: Parameters, x: Array, y: Array): [Array, Parameters] => {
    const [loss, grads] = gradient(tree.ref(parameters), x, y);
    return [loss, tree.map((p: Array, g: Array) => p.sub(g.mul(learningRate)), parameters, grads) as Parameters];
  });
  const adam = jit((parameters: Parameters, state: AdamState, x: Array, y: Array): [Array, Parameters, AdamState] => {
    const [loss, grads] = gradient(tree.ref(parameters), x, y);
    const step = state.step.add(1);
    const decay = (beta: number) => (m: Array, g: Array) => m.mul(beta).add(g.mul(1 - beta));
    const moment1 = tree.map(decay(BETA1), state.moment1, tree.ref(grads)) as Parameters;
    const squares = tree.map((g: Array) => np.square(g), grads);
    const moment2 = tree.map(decay(BETA2), state.moment2, squares as Parameters) as Parameters;
    const corrected = (m: Array, beta: number): Array =>
      m.div(np.subtract(1, np.exp(step.ref.mul(Math.log(beta)))));
    const update = (p: Array, m: Array, v: Array): Array =>
      p.sub(corrected(m, BETA1).div(np.sqrt(corrected(v, BETA2)).add(EPSILON)).mul(learningRate));
    const next = tree.map(update, parameters, tree.ref(moment1), tree.ref(moment2)) as Parameters;
    return [loss, next, { moment1, moment2, step }];
  });
  const zeros = (): Parameters => tree.map((p: Array) => np.zerosLike(p), tree.ref(parameters)) as Parameters;
  let state: AdamState | undefined =
    work.optimizer === 'adam' ? { moment1: zeros(), moment2: zeros(), step: np.array(0) } : undefined;
  const run = async (): Promise<number> => {
    let loss: Array;
    if (state) [loss, parameters, state] = adam(parameters, state, ...inputs());
    else [loss, parameters] = sgd(parameters, ...inputs());
    return (await data(loss))[0]!;
  };
  return stepping(run, () => {
    tree.dispose(parameters);
    tree.dispose(state);
  });
}

/** A function for each stage with its exit; the host decides between them. */
async function exits({ network, checks, leavesAt, x }: WorkOf<'exits'>): Promise<Prepared> {
  const stages = stagesOf(network, checks).map(({ body, exit }) => {
    const parameters = { body: parametersOf(body), exit: parametersOf(exit) };
    const run = jit((values: typeof parameters, x: Array): [Array, Array] => {
      const crossing = forward(body, values.body, x);
      return [crossing.ref, score(forward(exit, values.exit, crossing))];
    });
    return { parameters, run };
  });
  const threshold = thresholdFor(network, leavesAt);
  const run = async (): Promise<Float32Array> => {
    let value = put(x, [1, ...network.input]);
    const answer = await firstSure(stages, threshold, (stage) => {
      const [crossing, scores] = stage.run(tree.ref(stage.parameters), value);
      value = crossing;
      return data(scores);
    });
    value.dispose();
    return answer;
  };
  return answering(run, () => tree.dispose(stages.map(({ parameters }) => parameters)));
}
