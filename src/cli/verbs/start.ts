import { fromChoice, fromModel } from '../criterion.ts';
import { openDevice } from '../device.ts';
import { EXIT_CODES } from '../failure.ts';
import { defineVerb } from '../verb.ts';
import { judge } from './evaluate.ts';
import { planTraining, trainFlags, trainModel } from './train.ts';

export const startVerb = defineVerb({
  name: 'start',
  summary: 'Train, save and evaluate in one go: what npm start does',
  flags: {
    ...trainFlags,
    // For three minutes on two cores without a GPU, installing and building included: few epochs, and so small steps.
    epochs: { ...trainFlags.epochs, fallback: '2' },
    batch: { ...trainFlags.batch, fallback: '32' },
  },
  async run(_, flags) {
    const plan = await planTraining(flags);
    using device = await openDevice(flags.adapter);
    using trained = await trainModel(device, plan, flags);
    const { model, out, accuracy, interrupted, text } = trained;
    const { training, thresholds } = model;
    const made = { out, interrupted, training, validation: { accuracy } };
    if (interrupted) return { text, json: { ...made, thresholds }, exitCode: EXIT_CODES.interrupted };
    const decision = thresholds ? fromChoice(thresholds, 'chosen') : await fromModel(model);
    const judgement = await judge(model, plan.parts.test, decision, { batch: 64, title: out });
    return { text: `${text}\n\n${judgement.text}`, json: { ...made, ...judgement.json } };
  },
});
