import { gradients } from '../../src/autograd/backward.ts';
import type { Model } from '../../src/earlyexit/model.ts';
import { compile } from '../../src/graph/program.ts';
import { store } from '../../src/graph/trace.ts';
import { add } from '../../src/kernels/binary.ts';
import { meanCrossEntropy } from '../../src/kernels/cross-entropy.ts';
import type { Value } from '../../src/kernels/define.ts';
import type { LayerContext } from '../../src/nn/layer.ts';
import { Random } from '../../src/random.ts';
import { Rows, sizeOf } from '../../src/tensor/spec.ts';
import { arena } from '../../src/tensor/tensor.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';

/** Of the network's shape, with numbers as a normalised image has them. */
export function noiseBatch({ network }: Model, count: number): { x: Float32Array; y: Uint32Array } {
  const random = new Random(7);
  const x = Float32Array.from({ length: count * sizeOf(network.input) }, () => random.normal());
  return { x, y: Uint32Array.from({ length: count }, () => random.below(network.classes)) };
}

/**
 * The sum of the mean cross-entropies of all exits as training sees it, on one batch and with the same elements dropped
 * each time; and, if wanted, its gradients.
 */
export async function compileLoss(model: Model, batch: ReturnType<typeof noiseBatch>, { derive }: { derive: boolean }) {
  const { network, device, parameters } = model;
  const names = [...parameters.trained.keys()];
  const grads = arena(device, new Map(names.map((name) => [name, parameters.get(name).shape])), 'gradients');
  const samples = batch.y.length;
  const rows = new Rows(samples, 'samples');
  const program = await compile(
    device,
    {
      x: { dtype: 'f32', shape: [samples, ...network.input], rows },
      y: { dtype: 'u32', shape: [samples], rows },
      seed: { dtype: 'u32', shape: [1] },
    },
    ({ x, y, seed }) => {
      let stream = 0;
      const context: LayerContext = { ...model.context, training: { seed, nextStream: () => stream++ } };
      let value: Value = x;
      const losses = network.stages.map((_, index) => {
        value = network.body(index + 1, value, context);
        return meanCrossEntropy({ logits: network.exit(index + 1, value, context), labels: y });
      });
      const total = losses.reduce((a, b) => add({ a, b }));
      const wanted = derive ? names : [];
      gradients(total, wanted.map((name) => parameters.get(name))).forEach((grad, index) =>
        store(grad!, grads.tensors.get(wanted[index]!)!));
      return { total };
    },
  );
  return {
    grads: grads.tensors,
    run: async (): Promise<number> => (await program.call({ ...batch, seed: Uint32Array.of(5) })).total[0]!,
    [Symbol.dispose]() {
      program.dispose();
      grads.whole.dispose();
    },
  };
}

/**
 * The slope of the loss along the gradient of one parameter, by central differences, as a multiple of the gradient's
 * norm: 1 where the gradient is right. A whole tensor at once, since one weight of a first layer moves so many ReLUs
 * across 0 that over any step wide enough for f32 the slope seen is off by some per cent.
 */
export async function slopeAlongGradient(
  loss: { run(): Promise<number> },
  { parameter, grad }: { parameter: Tensor; grad: Tensor },
): Promise<number> {
  const [values, direction] = [await parameter.read(), Float64Array.from(await grad.read())];
  const norm = Math.hypot(...direction);
  const lossAt = (distance: number): Promise<number> => {
    parameter.write(values.map((value, index) => value + (distance * direction[index]!) / norm));
    return loss.run();
  };
  const h = 1e-3;
  const slope = (await lossAt(h) - (await lossAt(-h))) / (2 * h);
  parameter.write(values);
  return slope / norm;
}
