import { loadModel, measureLimits, Model, profileModel, readModelFile } from '../../node.ts';
import type { Device } from '../../node.ts';
import { MODEL_NAMES, MODELS } from '../../earlyexit/models/zoo.ts';
import { rooflineChart } from '../../report/charts/roofline.ts';
import { placeKernels, profileText } from '../../report/profile.ts';
import { note } from '../console.ts';
import { adapterFlag, openDevice } from '../device.ts';
import { readBytes } from '../files.ts';
import { flag, integer, svgFlag, toggle } from '../flags.ts';
import { defineVerb } from '../verb.ts';

export const profileVerb = defineVerb({
  name: 'profile',
  inputs: '<model>',
  summary: `Show where the time of a model goes, kernel by kernel, against what the adapter can do; a file or a name: ${
    MODEL_NAMES.join(', ')}`,
  flags: {
    batch: flag(integer(1), { placeholder: 'n', help: 'Samples that go through together', fallback: '1' }),
    training: toggle('A training step of all exits by Adam, in place of a classification through all exits'),
    svg: svgFlag,
    adapter: adapterFlag,
  },
  async run([source], { batch, training, adapter }) {
    const open = await opener(source!);
    using device = await openDevice(adapter);
    using model = open(device);
    note('measuring what the adapter can do');
    const limits = await measureLimits(device);
    const profile = await profileModel(model, { batch, training });
    const kernels = placeKernels(profile, limits);
    const about = `${source}, ${training ? 'training step, ' : ''}batch ${batch}`;
    return {
      text: `${profileText(profile, kernels, limits, { title: about })}\n\nadapter ${device.name}`,
      json: { adapter: device.name, model: source, batch, training, limits, ...profile, kernels },
      picture: { chart: rooflineChart(kernels, limits), caption: [about, device.name] },
    };
  },
});

/** Reads the file before a device is opened. @throws DataError */
async function opener(source: string): Promise<(device: Device) => Model> {
  const name = MODEL_NAMES.find((each) => each === source);
  if (name) return (device) => Model.initialize(device, MODELS[name](), { seed: 1 });
  const bytes = await readBytes(source, `a model file, or one of ${MODEL_NAMES.join(', ')}`);
  readModelFile(bytes, source);
  return (device) => loadModel(device, bytes, source);
}
