import { withGates } from './gates.ts';
import { Model } from './model.ts';

/**
 * The same model with a gate at each exit but the last: weights are copied, and the gates let nobody leave until they
 * are trained, for example by `gatesOnly`. Stored thresholds, which would decide in their place, are left out. The given
 * model stays as it is, and both are to be disposed of.
 * @throws ArgumentError as `withGates`; DeviceLostError
 */
export async function addGates(model: Model): Promise<Model> {
  const { device, normalization, classNames, training } = model;
  const network = withGates(model.network);
  const values = await model.parameters.read();
  const details = { normalization, classNames, ...(training && { training }) };
  const gated = Model.initialize(device, network, { seed: 0, ...details });
  gated.parameters.write(values);
  return gated;
}
