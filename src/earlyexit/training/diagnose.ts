import { compile } from '../../graph/program.ts';
import type { Value } from '../../kernels/define.ts';
import { layerNames, within } from '../../nn/layer.ts';
import type { Layer } from '../../nn/layer.ts';
import { Rows } from '../../tensor/spec.ts';
import type { Model } from '../model.ts';

const isFinite = (values: ArrayLike<number>): boolean => Array.prototype.every.call(values, Number.isFinite);

/**
 * Where numbers stop being finite: the first parameter with such a number or, if there is none, the first layer whose
 * output has one for these samples, as when classifying; `undefined` if all are finite.
 */
export async function findNotFinite(model: Model, x: Float32Array): Promise<string | undefined> {
  for (const [name, values] of await model.parameters.read()) if (!isFinite(values)) return name;
  const { network, device, context } = model;
  const batch = x.length / model.sampleSize;
  const input = { dtype: 'f32', shape: [batch, ...network.input], rows: new Rows(batch, 'samples') } as const;
  using program = await compile(device, { x: input }, (inputs) => {
    const outputs: Record<string, Value> = {};
    const run = (value: Value, layers: readonly Layer[], part: string, shown: string): Value =>
      layerNames(layers).reduce((given, name, index) => {
        const result = layers[index]!.forward(given, within(context, `${part}.${name}`));
        return (outputs[`${shown}.${name}`] = result);
      }, value);
    let value = inputs.x;
    network.stages.forEach(({ body, exit }, index) => {
      const part = network.parts[index]!;
      value = run(value, body, part.body, `stage${index + 1}`);
      run(value, exit, part.exit, `exit${index + 1}`);
    });
    return outputs;
  });
  const outputs = await program.call({ x });
  return Object.keys(outputs).find((name) => !isFinite(outputs[name]!));
}
