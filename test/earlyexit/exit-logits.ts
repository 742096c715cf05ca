import type { Model } from '../../src/earlyexit/model.ts';
import { compile } from '../../src/graph/program.ts';
import type { Value } from '../../src/kernels/define.ts';
import { Rows } from '../../src/tensor/spec.ts';
import type { TypedArray } from '../../src/tensor/spec.ts';

/** The logits of every exit for some samples, as in inference. */
export async function exitLogits(model: Model, samples: Float32Array): Promise<TypedArray[]> {
  const { network, context, device } = model;
  const rows = new Rows(samples.length / model.sampleSize);
  const x = { dtype: 'f32', shape: [rows.max, ...network.input], rows } as const;
  using program = await compile(device, { x }, (inputs) => {
    let value: Value = inputs.x;
    const exits = network.stages.map((_, index) => {
      value = network.body(index + 1, value, context);
      return [`exit${index + 1}`, network.exit(index + 1, value, context)] as const;
    });
    return Object.fromEntries(exits);
  });
  return Object.values(await program.call({ x: samples }));
}
