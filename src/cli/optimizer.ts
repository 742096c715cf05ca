import { adam, cosine, sgd, stepDecay, warmUp } from '../node.ts';
import type { Optimizer, Schedule } from '../node.ts';
import { choice, flag, integer, number, toggle } from './flags.ts';
import type { Values } from './flags.ts';
import { named } from './named.ts';

const OPTIMIZERS = { adam: 'AdamW where weights decay', sgd: 'with Nesterov momentum' };
const SCHEDULES = { cosine: 'down to 0 at the last step', step: 'a tenth after each third', constant: 'as it is' };

export const optimizerFlags = {
  optimizer: flag(choice(...(Object.keys(OPTIMIZERS) as (keyof typeof OPTIMIZERS)[])), {
    placeholder: 'name',
    help: `What takes the steps: ${named(OPTIMIZERS)}`,
    fallback: 'adam',
  }),
  learningRate: flag(number(0, Infinity, { exclusive: true }), {
    placeholder: 'x',
    help: 'At the first step, or after the warm-up',
    fallback: '0.002',
  }),
  schedule: flag(choice(...(Object.keys(SCHEDULES) as (keyof typeof SCHEDULES)[])), {
    placeholder: 'name',
    help: `What becomes of the learning rate: ${named(SCHEDULES)}`,
    fallback: 'cosine',
  }),
  warmUp: flag(number(0), { placeholder: 'epochs', help: 'The learning rate rises for so long first', fallback: '0' }),
  momentum: flag(number(0, 1), { placeholder: 'x', help: 'Of sgd', fallback: '0.9' }),
  weightDecay: flag(number(0), { placeholder: 'x', help: 'Pull of the weights towards 0', fallback: '0' }),
  accumulate: flag(integer(1), { placeholder: 'n', help: 'Batches whose gradients make one step', fallback: '1' }),
  recompute: toggle('Compute activations again for the gradients instead of keeping them: less memory, more time'),
  clip: flag(number(0), {
    placeholder: 'x',
    help: 'Gradients longer than this are shortened to it; 0 for never',
    fallback: '0',
  }),
};

/** @param samples in the training part */
export function optimizerOf(
  flags: Values<typeof optimizerFlags> & { readonly epochs: number; readonly batch: number },
  samples: number,
): Optimizer {
  const { momentum, weightDecay, accumulate, batch, epochs } = flags;
  const stepsPerEpoch = Math.ceil(samples / (batch * accumulate));
  const steps = epochs * stepsPerEpoch;
  const schedules: Readonly<Record<typeof flags.schedule, (start: number) => Schedule>> = {
    cosine: (start) => cosine(start, steps),
    step: (start) => stepDecay(start, { every: Math.ceil(steps / 3), factor: 0.1 }),
    constant: (start) => start,
  };
  const after = schedules[flags.schedule](flags.learningRate);
  const rising = Math.round(flags.warmUp * stepsPerEpoch);
  const learningRate = rising > 0 ? warmUp(after, rising) : after;
  return flags.optimizer === 'adam'
    ? adam({ learningRate, weightDecay })
    : sgd({ learningRate, momentum, nesterov: momentum > 0, weightDecay });
}
