import { adam } from '../src/autograd/optimizer.ts';
import type { Device } from '../src/device/device.ts';
import { Model } from '../src/earlyexit/model.ts';
import { bAlexNet } from '../src/earlyexit/models/b-alexnet.ts';
import { bLeNet } from '../src/earlyexit/models/b-lenet.ts';
import { bResNet } from '../src/earlyexit/models/b-resnet.ts';
import { mlp } from '../src/earlyexit/models/mlp.ts';
import type { Network } from '../src/earlyexit/network.ts';
import { compileStep } from '../src/earlyexit/training/step.ts';
import type { StepInputs, TrainingStep } from '../src/earlyexit/training/step.ts';
import { byKernel, profile } from '../src/graph/profile.ts';
import type { Profile } from '../src/graph/profile.ts';
import { Random } from '../src/random.ts';
import { sizeOf } from '../src/tensor/spec.ts';
import { bench } from './harness.ts';
import type { Case, Facts } from './harness.ts';

const MODELS: readonly { readonly network: Network; readonly batch: number }[] = [
  { network: bLeNet(), batch: 64 },
  { network: mlp(), batch: 64 },
  { network: bAlexNet(), batch: 16 },
  { network: bResNet({ blocks: 1 }), batch: 8 },
  { network: bResNet(), batch: 2 },
];

const KERNELS_SHOWN = 8;

const megabytes = (bytes: number): number => Number((bytes / 1e6).toFixed(2));

/** Where the time of a step goes on the GPU, over as many steps as fit a second. Nothing without time stamps. */
async function kernelFacts({ program }: TrainingStep, inputs: () => StepInputs): Promise<Facts> {
  if (!program.device.features.has('timestamp-query')) return {};
  const profiles: Profile[] = [];
  const began = performance.now();
  do profiles.push(await profile(program, inputs()));
  while (performance.now() - began < 1000);
  const spans = profiles.map(({ ms }) => ms).sort((a, b) => a - b);
  const shares = byKernel(profiles.flatMap(({ launches }) => launches)).slice(0, KERNELS_SHOWN);
  return {
    'ms on the GPU': Number(spans[spans.length >> 1]!.toFixed(2)),
    kernels: shares.map(({ kernel, share }) => `${kernel} ${(100 * share).toFixed(1)} %`).join(', '),
  };
}

async function trainingCase(device: Device, network: Network, batch: number): Promise<Case & Disposable> {
  device.resetPeak();
  const before = device.memory().bytes;
  const optimizer = adam();
  const model = Model.initialize(device, network, { seed: 1 });
  const weightBytes = device.memory().bytes - before;
  const step = await compileStep(model, { batch, weights: network.stages.map(() => 1), optimizer });
  const random = new Random(1);
  const x = Float32Array.from({ length: batch * sizeOf(network.input) }, () => random.normal());
  const y = Uint32Array.from({ length: batch }, () => random.below(network.classes));
  let number = 0;
  const inputs = () => ({ x, y, hyper: optimizer.hyper(++number), seed: Uint32Array.of(number) });
  const run = async (): Promise<void> => {
    const losses = await step.run(inputs())();
    if (!losses.every(Number.isFinite)) throw new Error(`losses ${losses.join(', ')} at step ${number}`);
  };
  // A driver compiles the last of a kernel as it is launched for the first time.
  await run();
  const kernels = await kernelFacts(step, inputs);
  return {
    name: `${network.name}, batch ${batch}`,
    items: batch,
    run,
    facts: () => ({
      dispatches: step.program.dispatches,
      'MB peak': megabytes(device.peakBytes - before),
      'MB of parameters': megabytes(weightBytes),
      'MB of gradients': megabytes(model.parameters.whole.byteLength),
      'MB of optimiser state': megabytes(step.state.reduce((sum, { byteLength }) => sum + byteLength, 0)),
      'MB of activations': megabytes(step.program.memoryBytes),
      ...kernels,
    }),
    [Symbol.dispose]() {
      step[Symbol.dispose]();
      model.dispose();
    },
  };
}

await bench(
  'training',
  'How long does a training step of each model take, all exits, Adam, losses read back; what memory, which kernels?',
  async function* (device) {
    for (const { network, batch } of MODELS) {
      using measured = await trainingCase(device, network, batch);
      yield [measured];
    }
  },
  { secondsPerCase: 1, leastCalls: 1 },
);
