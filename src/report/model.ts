import type { Network } from '../earlyexit/network.ts';
import type { ChosenThresholds, ModelDetails, TrainingRecord } from '../earlyexit/model.ts';
import type { Layer } from '../nn/layer.ts';
import { sizeOf } from '../tensor/spec.ts';
import { criterionText } from './evaluation.ts';
import { percent, plural, points, whole } from './format.ts';
import { list } from './table.ts';

/** Numbers in all parameters of a network. */
export const parameterCount = ({ parameters }: Network): number =>
  Object.values(parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** `b-lenet, 74,694 parameters, 1,140,070 MACs, 220,150 to exit 1` */
export function networkText(network: Network): string {
  const { name, macs } = network;
  const early = macs.toExit.slice(0, -1).map((cost, index) => `, ${whole(cost)} to exit ${index + 1}`);
  return `${name}, ${plural(parameterCount(network), 'parameter')}, ${whole(macs.full)} MACs${early.join('')}`;
}

/** `entropy < 0.0423 nats, chosen on digits/validation (1,000 samples), where ...` */
export const thresholdsText = ({ criterion, values, ...choice }: ChosenThresholds): string =>
  `${criterionText({ kind: criterion, thresholds: values })}, ${choiceText(choice)}`;

/** On what thresholds were chosen, for what loss, and what came of it there. */
export function choiceText(choice: Omit<ChosenThresholds, 'criterion' | 'values'>): string {
  const { chosenOn, maxAccuracyLoss, achieved } = choice;
  const leaving = achieved.shares.slice(0, -1).reduce((sum, share) => sum + share, 0);
  return (
    `chosen on ${chosenOn.dataset} (${plural(chosenOn.samples, 'sample')}) ` +
    `to lose at most ${points(maxAccuracyLoss)} points there: ${percent(leaving, 1)} left early, ` +
    `${percent(achieved.accuracy)} right against ${percent(achieved.accuracyFull)}`
  );
}

/** All that a model file says, as text. */
export function modelText(network: Network, { normalization, classNames, thresholds, training }: ModelDetails): string {
  const numbers = (values: readonly number[]): string => values.map((value) => Number(value.toFixed(4))).join(', ');
  const stages = network.stages.flatMap(({ body, exit }, index): [string, string][] => [
    [`stage ${index + 1}`, body.map(layerText).join(', ')],
    [`  exit ${index + 1}`, exit.map(layerText).join(', ')],
  ]);
  return list([
    ['network', networkText(network)],
    ['input', `[${network.input.join(', ')}]`],
    ...(normalization
      ? [['pixels', `mean ${numbers(normalization.mean)}, deviation ${numbers(normalization.std)}`] as const]
      : []),
    ...stages,
    ['classes', (classNames ?? []).join(', ')],
    ['thresholds', thresholds ? thresholdsText(thresholds) : 'none stored'],
    ...(training ? trainingEntries(training) : [['trained on', 'not recorded'] as const]),
  ]);
}

function trainingEntries(training: TrainingRecord): [string, string][] {
  const { dataset, samples, fingerprint, epochs, interrupted, batch, seed, weights, adapter, losses } = training;
  const { name, ...options } = training.optimizer;
  const settings = Object.entries(options).map(([option, value]) => `, ${option} ${String(value)}`);
  const course = `${epochs.done} of ${epochs.planned} epochs${interrupted ? ', interrupted' : ''}`;
  return [
    ['trained on', `${dataset} (${plural(samples, 'sample')}, fingerprint ${fingerprint})`],
    ['training', `${course}, batch ${batch}, seed ${seed}, weights ${weights.join(', ')}, on ${adapter}`],
    ['optimiser', `${String(name)}${settings.join('')}`],
    ['loss', losses.map((loss) => loss.toFixed(4)).join(', ') || 'no whole epoch'],
  ];
}

/** `conv 5x5 1->5`, `maxPool 2x2 relu` */
function layerText({ type, options }: Layer): string {
  const { kernel, input, output, rate, activation } = options;
  const window = kernel && `${String(kernel)}x${String(kernel)}`;
  const widths = output && `${String(input)}->${String(output)}`;
  return [type, window, widths, rate, activation !== 'none' && activation].filter(Boolean).join(' ');
}
