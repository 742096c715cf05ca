import { adam, sgd } from '../src/autograd/optimizer.ts';
import { batches } from '../src/data/batches.ts';
import { proceduralDigits } from '../src/data/procedural-digits.ts';
import { Model } from '../src/earlyexit/model.ts';
import { bLeNet } from '../src/earlyexit/models/b-lenet.ts';
import { compileStep } from '../src/earlyexit/training/step.ts';
import { bench } from './harness.ts';

await bench(
  'training-step',
  'How long does one training step of B-LeNet take, both exits, loss read back?',
  async function* (device) {
    for (const batch of [64, 512]) {
      const digits = proceduralDigits({ count: batch, seed: 1 });
      const cases = [];
      const steps: Disposable[] = [];
      for (const optimizer of [sgd(), adam()]) {
        const model = Model.initialize(device, bLeNet(), { seed: 1 });
        const [data] = batches(digits, { batch });
        const { x, y } = data!;
        const step = await compileStep(model, { batch, weights: [1, 1], optimizer });
        steps.push(step, model);
        let number = 0;
        cases.push({
          name: `batch ${batch}, ${optimizer.name}`,
          items: batch,
          facts: { dispatches: step.dispatches, memory: step.memory },
          run: async () => {
            const losses = await step.run({ x, y, hyper: optimizer.hyper(++number), seed: Uint32Array.of(number) })();
            if (!losses.every(Number.isFinite)) throw new Error(`losses ${losses.join(', ')} at step ${number}`);
          },
        });
      }
      yield cases;
      for (const step of steps) step[Symbol.dispose]();
    }
  },
);
