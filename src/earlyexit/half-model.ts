import { cast } from '../kernels/convert.ts';
import { Model } from './model.ts';
import type { ChosenThresholds } from './model.ts';
import type { Network } from './network.ts';

/** The network with f16 between its layers: it takes and gives f32. */
const inHalf = (network: Network): Network => ({
  ...network,
  half: true,
  body: (stage, x, context) => network.body(stage, x.dtype === 'f16' ? x : cast({ x }, { to: 'f16' }), context),
  exit: (stage, x, context) => cast({ x: network.exit(stage, x, context) }, { to: 'f32' }),
});

/** What was certified was certified of scores in f32. */
export const withoutGuarantee = (chosen: ChosenThresholds): ChosenThresholds => ({ ...chosen, guarantee: undefined });

/**
 * A copy of a model for inference, with its weights, as they are now, and all that its layers hand on in f16: half the
 * memory, half the traffic. Sums are f32, exits judge logits in f32 that come rounded to f16, so that some samples leave
 * elsewhere: choose thresholds, or judge those of the model, with the copy, which has none of their guarantees. Dispose of
 * both.
 * @throws GpuError on a device without `shader-f16`
 */
export async function halfModel(model: Model): Promise<Model> {
  const { network, normalization, classNames, thresholds, training } = model;
  const details = { normalization, classNames, ...(training && { training }) };
  const half = new Model(inHalf(network), await model.parameters.inHalf(), details);
  half.thresholds = thresholds && withoutGuarantee(thresholds);
  return half;
}
