import { halfModel, loadModel, readModelFile } from '../../node.ts';
import type { Prediction } from '../../node.ts';
import { significant } from '../../report/format.ts';
import { table } from '../../report/table.ts';
import { note } from '../console.ts';
import { criterionFlags, decide, decidesItself, fromModel } from '../criterion.ts';
import { adapterFlag, halfFlag, openDevice } from '../device.ts';
import { readBytes } from '../files.ts';
import { toggle } from '../flags.ts';
import { policyFlags, policyOptions } from '../policy.ts';
import { pictureReader } from '../pictures.ts';
import type { Picture } from '../pictures.ts';
import { UsageError } from '../usage-error.ts';
import { defineVerb } from '../verb.ts';

export const predictVerb = defineVerb({
  name: 'predict',
  inputs: '<file> <...inputs>',
  summary: 'Classify pictures: PNG files, or idx-file#index',
  flags: {
    ...criterionFlags,
    ...policyFlags,
    half: halfFlag,
    invert: toggle('Make black white and white black first: for dark strokes on light paper'),
    adapter: adapterFlag,
  },
  async run([file, ...inputs], flags) {
    const bytes = await readBytes(file!, 'a model file');
    const { network, details } = readModelFile(bytes, file);
    const decided = decide(network, details.thresholds, flags);
    if (!decided && !decidesItself(network, flags)) {
      const lacking = `${file} has no thresholds for ${flags.criterion ?? 'any criterion'}`;
      throw new UsageError(`--threshold: expected one, since ${lacking}; exitgpu train stores some`);
    }
    const read = pictureReader(network.input, flags);
    const pictures: Picture[] = [];
    for (const input of inputs) pictures.push(await read(input));
    for (const { input, changes } of pictures) if (changes.length) note(`${input}: ${changes.join(', ')}`);
    // Normalised by a small mean: most of what the network saw was dark.
    const learntOnDark = details.normalization.mean.every((mean) => mean < 0.5);
    const light = pictures.filter(({ border }) => border > 127).map(({ input }) => input);
    if (learntOnDark && light.length) {
      const way = flags.invert ? 'leave out --invert' : 'try --invert';
      note(`hint: light at the border, where the training data is dark: ${light.join(', ')}; ${way}`);
    }

    if (flags.policy === 'auto' && !decided?.shares) {
      const known = 'a model with stored thresholds for this criterion, which say where samples leave';
      throw new UsageError(
        `--policy auto: expected ${known}; exitgpu train stores some, or name readback, overlap or gated`,
      );
    }
    using device = await openDevice(flags.adapter);
    using loaded = loadModel(device, bytes, file);
    using model = flags.half ? await halfModel(loaded) : loaded;
    const decision = decided ?? (await fromModel(model));
    using classifier = await model.compile({
      criterion: decision.criterion,
      shares: decision.shares,
      ...policyOptions(flags),
    });
    const results: Result[] = [];
    for (const { input, pixels, changes } of pictures) {
      const prediction = await classifier.classify(pixels, { scores: true, deadlineMs: flags.deadline });
      results.push({ input, className: model.classNames[prediction.label]!, ...prediction, changes });
    }
    const { criterion, source, origin } = decision;
    return {
      text: predictionsText(results),
      json: {
        adapter: device.name,
        policy: classifier.policy,
        exits: classifier.exits,
        criterion,
        thresholds: { source, origin },
        predictions: results,
      },
    };
  },
});

type Result = Prediction & Pick<Picture, 'input' | 'changes'> & { readonly className: string };

function predictionsText(results: readonly Result[]): string {
  const rows = results.map(({ input, label, className, exit, finite, confidence, entropy, margin, timedOut }) => [
    input,
    finite ? (className === String(label) ? className : `${className} (${label})`) : `${className}? logits not finite`,
    `${exit}${timedOut ? '*' : ''}`,
    ...[confidence, entropy, margin].map((score) => (finite ? significant(score!) : '-')),
  ]);
  const late = results.some(({ timedOut }) => timedOut) ? ['', '* the deadline came first'] : [];
  return [table([['input', 'label', 'exit', 'confidence', 'entropy', 'margin'], ...rows]), ...late].join('\n');
}
