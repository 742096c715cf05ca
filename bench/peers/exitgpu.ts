import { compileStep } from '../../src/earlyexit/training/step.ts';
import { exitSettings } from '../../src/earlyexit/criterion-steps.ts';
import { readRecord, RECORD_BYTES, SCORE_BYTES } from '../../src/earlyexit/records.ts';
import { constant } from '../../src/kernels/define.ts';
import * as exitgpu from '../../src/index.ts';
import { compile, Model, ops, Rows, Tensor } from '../../src/index.ts';
import type { ClassifierOptions, Device, Layer as OurLayer, Program, Value } from '../../src/index.ts';
import type { WorkOf } from './cases.ts';
import { isWeighted, thresholdFor } from './network.ts';
import type { Layer, Network } from './network.ts';
import { reading, stepping } from './peer.ts';
import type { Peer, Prepared } from './peer.ts';

/** Enough of a result to know that it is there. */
const TINY_BYTES = 16;
const TRAINED_CLASSES = 10;

export async function open(gpu: GPU): Promise<Peer> {
  const device = await exitgpu.open({ gpu });
  return {
    adapter: device.name,
    get errors() {
      return device.uncapturedErrors;
    },
    prepare(work) {
      switch (work.kind) {
        case 'matmul': {
          const a = Tensor.from(device, work.a, [work.m, work.k]);
          const b = Tensor.from(device, work.b, [work.k, work.n]);
          return operation(device, [a, b], () => ops.matmul({ a, b }));
        }
        case 'conv': {
          const { layer } = work;
          const { stride, padding, input, output, kernel } = layer;
          const x = Tensor.from(device, work.x, [work.batch, ...work.input]);
          const weight = Tensor.from(device, layer.weight, [output, input, kernel, kernel]);
          const bias = Tensor.from(device, layer.bias);
          return operation(device, [x, weight, bias], () => ops.conv2d({ x, weight, bias }, { stride, padding }));
        }
        case 'softmax': {
          const x = Tensor.from(device, work.x, [work.rows, work.classes]);
          return operation(device, [x], () => ops.softmax({ x }));
        }
        case 'scores':
          return scores(device, work);
        case 'infer':
          return infer(device, work);
        case 'train':
          return train(device, work);
        case 'read': {
          const x = Tensor.from(device, work.x);
          return operation(device, [x], () => ops.negate({ x }));
        }
        case 'exits':
          return exits(device, work, work.checks ? {} : { exits: [work.network.stages.length] });
        case 'gated':
          return exits(device, work, { policy: 'gated' });
      }
    },
  };
}

/** One operation on tensors that lie on the device. */
async function operation(device: Device, operands: readonly Tensor[], trace: () => Value): Promise<Prepared> {
  const program = await compile(device, {}, () => ({ y: trace() }));
  return {
    run() {
      const recording = program.start({});
      program.encode(recording, 0);
      const pending = recording.read({ ...program.outputs().y.range, size: TINY_BYTES });
      recording.submit();
      return pending();
    },
    results: () => program.call({}),
    dispose: () => disposeAll(program, ...operands),
  };
}

/** The exit check on logits that lie on the device; every row leaves. */
async function scores(device: Device, { rows: count, classes, x }: WorkOf<'scores'>): Promise<Prepared> {
  const logits = Tensor.from(device, x, [count, classes]);
  const place = { exit: 1, classes, first: true, always: true };
  const settings = Tensor.from(device, exitSettings(undefined, place).settings);
  const records = Tensor.zeros(device, { dtype: 'u32', shape: [(RECORD_BYTES / 4) * count] });
  const rows = new Rows(count);
  const origin = Uint32Array.from({ length: count }, (_, row) => row);
  const program = await compile(device, { logits: { dtype: 'f32', shape: [count, classes], rows } }, (inputs) => {
    ops.exitCheck({
      logits: inputs.logits,
      settings,
      classThresholds: constant({ dtype: 'f32', shape: [1] }, Float32Array.of(0)),
      origin: constant({ dtype: 'u32', shape: [count], rows }, origin),
      records,
    });
    return {};
  });
  // The logits stay where a head would have left them.
  program.start({ logits }).submit();
  const read = (size: number): Promise<ArrayBuffer> => {
    const recording = device.record('scores');
    program.encode(recording, 0);
    const pending = recording.read({ buffer: records.buffer, offset: records.offset, size });
    recording.submit();
    return pending();
  };
  return {
    run: () => read(SCORE_BYTES),
    async results() {
      const bytes = await read(RECORD_BYTES * count);
      const answers = Array.from(origin, (row) => readRecord(bytes, row));
      return {
        entropy: answers.map((answer) => answer.entropy),
        margin: answers.map((answer) => answer.margin),
        label: answers.map((answer) => answer.label),
      };
    },
    dispose: () => disposeAll(program, logits, settings, records),
  };
}

async function infer(device: Device, { network, batch, x }: WorkOf<'infer'>): Promise<Prepared> {
  const model = modelOf(device, network);
  const input = { dtype: 'f32', shape: [batch, ...network.input], rows: new Rows(batch) } as const;
  const { body, exit } = model.network;
  const program: Program<'x', 'logits'> = await compile(device, { x: input }, (inputs) => ({
    logits: exit(1, body(1, inputs.x, model.context), model.context),
  }));
  return reading('logits', async () => (await program.call({ x })).logits, () => disposeAll(program, model));
}

async function train(device: Device, work: WorkOf<'train'>): Promise<Prepared> {
  const { network, batch, x, y, learningRate } = work;
  const optimizer =
    work.optimizer === 'sgd' ? exitgpu.sgd({ learningRate, momentum: 0 }) : exitgpu.adam({ learningRate });
  const model = modelOf(device, network);
  const step = await compileStep(model, { batch, weights: [1], optimizer });
  let number = 0;
  const run = async (): Promise<number> => {
    const losses = await step.run({ x, y, hyper: optimizer.hyper(++number), seed: Uint32Array.of(number) })();
    return losses[0]!;
  };
  return stepping(run, () => {
    step[Symbol.dispose]();
    model.dispose();
  });
}

async function exits(
  device: Device,
  { network, leavesAt, x }: WorkOf<'exits' | 'gated'>,
  options: ClassifierOptions,
): Promise<Prepared> {
  const model = modelOf(device, network);
  const classifier = await model.compile({ criterion: exitgpu.entropy(thresholdFor(network, leavesAt)), ...options });
  const run = () => classifier.classify(x, { scores: true });
  return {
    run,
    async results() {
      const answer = await run();
      if (answer.exit !== leavesAt) throw new Error(`expected an answer at exit ${leavesAt}, got exit ${answer.exit}`);
      return { entropy: [answer.entropy!], label: [answer.label] };
    },
    dispose: () => disposeAll(classifier, model),
  };
}

/** The network with the weights that it came with. */
function modelOf(device: Device, network: Network): Model {
  const { name, input, stages } = network;
  const ours = exitgpu.multiExit({
    name,
    input: input as [number, number, number],
    classes: TRAINED_CLASSES,
    stages: stages.map(({ body, exit }) => ({ body: body.map(layerOf), exit: exit.map(layerOf) })),
  });
  const model = Model.initialize(device, ours, { seed: 1 });
  // Parameters stand in the order of their layers, a weight before its bias.
  const values = (of: readonly Layer[]) => of.filter(isWeighted).flatMap(({ weight, bias }) => [weight, bias]);
  stages.forEach(({ body, exit }, index) => {
    for (const [part, of] of Object.entries({ stage: body, exit })) {
      const names = [...model.parameters.tensors.keys()].filter((key) => key.startsWith(`${part}${index + 1}.`));
      model.parameters.write(new Map(values(of).map((data, at) => [names[at]!, data])));
    }
  });
  return model;
}

function layerOf(layer: Layer): OurLayer {
  const activation = 'relu' in layer && layer.relu ? ({ activation: 'relu' } as const) : {};
  switch (layer.type) {
    case 'conv': {
      const { input, output, kernel, stride, padding } = layer;
      return exitgpu.conv2d(input, output, { kernel, stride, padding, ...activation });
    }
    case 'linear':
      return exitgpu.linear(layer.input, layer.output, activation);
    case 'maxPool':
      return exitgpu.maxPool2d({ kernel: 2 });
    case 'planeMean':
      return exitgpu.globalAveragePool();
    case 'flatten':
      return exitgpu.flatten();
  }
}

function disposeAll(...held: readonly { dispose(): void }[]): void {
  for (const each of held) each.dispose();
}
