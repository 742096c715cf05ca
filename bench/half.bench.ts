import { Random } from '../src/random.ts';
import { halfModel } from '../src/earlyexit/half-model.ts';
import { Model } from '../src/earlyexit/model.ts';
import { bAlexNet } from '../src/earlyexit/models/b-alexnet.ts';
import { bResNet } from '../src/earlyexit/models/b-resnet.ts';
import { compile } from '../src/graph/program.ts';
import { conv2d } from '../src/kernels/conv2d.ts';
import type { Operand, Value } from '../src/kernels/define.ts';
import { linear } from '../src/kernels/linear.ts';
import { softmax } from '../src/kernels/softmax.ts';
import { relu } from '../src/kernels/unary.ts';
import { sizeOf } from '../src/tensor/spec.ts';
import { Tensor } from '../src/tensor/tensor.ts';
import { bench } from './harness.ts';
import type { Case } from './harness.ts';

type Given = Readonly<Record<string, Operand>>;

const single: readonly [name: string, shapes: Readonly<Record<string, readonly number[]>>, op: (given: Given) => Value][] = [
  ['linear 64x1024 by 1024', { x: [64, 1024], weight: [1024, 1024] }, (given) => linear(given as never)],
  ['linear 1x4096 by 4096', { x: [1, 4096], weight: [4096, 4096] }, (given) => linear(given as never)],
  ['conv 3x3 32x32 16->32, 32', { x: [32, 16, 32, 32], weight: [32, 16, 3, 3] }, (given) => conv2d(given as never, { padding: 1 })],
  ['softmax 4096x1000', { x: [4096, 1000] }, (given) => softmax(given as never)],
  ['relu of 16 M', { x: [1 << 24] }, (given) => relu(given as never)],
];

const numbers = (length: number): Float32Array => {
  const random = new Random(1);
  return Float32Array.from({ length }, () => random.between(-1, 1));
};

await bench(
  'half',
  'What does f16 in memory cost or save, and how far does it move results?',
  async function* (device) {
    if (!device.features.has('shader-f16')) return;
    for (const [name, shapes, op] of single) {
      const cases: Case[] = [];
      const freed: { dispose(): void }[] = [];
      for (const dtype of ['f32', 'f16'] as const) {
        const given = Object.fromEntries(
          Object.entries(shapes).map(([input, shape]) => {
            const tensor = Tensor.zeros(device, { dtype, shape }, input);
            tensor.write(numbers(sizeOf(shape)));
            freed.push(tensor);
            return [input, tensor];
          }),
        );
        const program = await compile(device, {}, () => ({ y: op(given) }));
        freed.push(program);
        cases.push({ name: `${name}, ${dtype}`, run: () => device.read({ ...program.run({}).y.range, size: 4 }) });
      }
      yield cases;
      for (const each of freed) each.dispose();
    }

    for (const network of [bAlexNet(), bResNet({ blocks: 1 })]) {
      using model = Model.initialize(device, network, { seed: 1 });
      using half = await halfModel(model);
      const exits = [network.stages.length];
      const x = numbers(16 * model.sampleSize);
      const cases: Case[] = [];
      const labels: number[][] = [];
      const classifiers = [];
      for (const each of [model, half]) {
        const classifier = await each.compile({ exits, batch: 16 });
        classifiers.push(classifier);
        labels.push((await classifier.classifyBatch(x)).map(({ label }) => label));
        const facts = {
          dispatches: classifier.dispatches,
          'weights, MB': each.parameters.whole.byteLength / 1e6,
          memory: classifier.memory,
          'labels as in f32': labels.at(-1)!.filter((label, index) => label === labels[0]![index]).length,
        };
        cases.push({ name: `${each.network.name}, 16 samples, ${each.network.half ? 'f16' : 'f32'}`, items: 16, facts, run: () => classifier.classifyBatch(x) });
      }
      yield cases;
      for (const classifier of classifiers) classifier.dispose();
    }
  },
);
