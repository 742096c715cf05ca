import { gradients } from '../../autograd/backward.ts';
import type { Optimizer } from '../../autograd/optimizer.ts';
import { compile } from '../../graph/program.ts';
import { store } from '../../graph/trace.ts';
import { add } from '../../kernels/binary.ts';
import { crossEntropy } from '../../kernels/cross-entropy.ts';
import type { Value } from '../../kernels/define.ts';
import { mean } from '../../kernels/reduce.ts';
import { scale } from '../../kernels/unary.ts';
import type { LayerContext } from '../../nn/layer.ts';
import { Rows } from '../../tensor/spec.ts';
import { arena } from '../../tensor/tensor.ts';
import type { Model } from '../model.ts';

export interface StepInputs {
  readonly x: Float32Array;
  readonly y: Uint32Array;
  readonly hyper: Float32Array;
  readonly seed: Uint32Array;
}

export interface TrainingStep extends Disposable {
  readonly dispatches: number;
  readonly memory: string;
  /** One step in one submit. The result, called once, waits for the losses: one per exit, then the weighted sum. */
  run(inputs: StepInputs): () => Promise<Float32Array>;
}

/** One training step as one program: forward, a loss per exit, backward, the optimiser over the whole arena. */
export async function compileStep(
  model: Model,
  { batch, weights, optimizer }: { batch: number; weights: readonly number[]; optimizer: Optimizer },
): Promise<TrainingStep> {
  const { network, device, parameters } = model;
  const shapes = new Map([...parameters.trained].map(([name, { shape }]) => [name, shape]));
  const grads = arena(device, shapes, 'gradients');
  const state = optimizer.createState(device, parameters.whole);
  const rows = new Rows(batch, 'samples');
  const dispose = (): void => [grads.whole, ...state].forEach((tensor) => tensor.dispose());
  const program = await compile(
    device,
    {
      x: { dtype: 'f32', shape: [batch, ...network.input], rows },
      y: { dtype: 'u32', shape: [batch], rows },
      hyper: { dtype: 'f32', shape: [optimizer.hyperSize] },
      seed: { dtype: 'u32', shape: [1] },
    },
    ({ x, y, hyper, seed }) => {
      let stream = 0;
      const context: LayerContext = { ...model.context, training: { seed, nextStream: () => stream++ } };
      const losses: Value[] = [];
      let value = x;
      network.stages.forEach((_, index) => {
        value = network.body(index + 1, value, context);
        losses.push(mean({ x: crossEntropy({ logits: network.exit(index + 1, value, context), labels: y }) }));
      });
      const total = losses
        .flatMap((loss, index) => (weights[index] ? [weights[index] === 1 ? loss : scale({ x: loss }, { by: weights[index]! })] : []))
        .reduce((a, b) => add({ a, b }));
      const tensors = [...parameters.trained];
      gradients(total, tensors.map(([, tensor]) => tensor)).forEach((grad, index) => {
        // An exit of weight 0 is out of the loss: what only it uses has no gradient and stays as it is.
        if (grad) store(grad, grads.tensors.get(tensors[index]![0])!);
      });
      optimizer.step(parameters.whole, grads.whole, state, hyper);
      return { ...Object.fromEntries(losses.map((loss, index) => [`exit${index + 1}`, loss])), total };
    },
    { label: `${network.name} step` },
  ).catch((error: unknown) => {
    dispose();
    throw error;
  });
  return {
    dispatches: program.dispatches,
    memory: program.memory,
    run(inputs) {
      const read = program.submit({ ...inputs });
      return async () => Float32Array.from(Object.values(await read()), (values) => values[0]!);
    },
    [Symbol.dispose]() {
      program.dispose();
      dispose();
    },
  };
}
