import { criterionOf } from '../earlyexit/criteria.ts';
import type { Guarantee } from '../earlyexit/judgement/guarantee.ts';
import { learnsToLeave } from '../earlyexit/learned-criterion.ts';
import type { Network } from '../earlyexit/network.ts';
import type { ChosenThresholds, ModelDetails, TrainingRecord } from '../earlyexit/model.ts';
import type { Layer } from '../nn/layer.ts';
import { countParameters } from '../nn/parameters.ts';
import { criterionText } from './evaluation.ts';
import { percent, plural, points, significant, whole } from './format.ts';
import { list, table } from './table.ts';

/** Numbers in all parameters of a network, running statistics among them. */
export function parameterCount({ parameters }: Network): number {
  const { trained, kept } = countParameters(parameters);
  return trained + kept;
}

/** What a piece of the trunk or a head costs. */
export interface PartCost {
  /** `stage 1`, `exit 1` */
  readonly part: string;
  /** Numbers that optimisers step; of an exit, with its gate. */
  readonly trained: number;
  /** Numbers that are kept beside them: running statistics. */
  readonly kept: number;
  /** Multiply-accumulates of one sample, in this part alone. */
  readonly macs: number;
  /** Of an exit: of one sample that leaves there, heads on the way counted. */
  readonly macsToExit?: number;
}

/** In the order in which a sample meets them. */
export function partCosts({ stages, parts, parameters, macs }: Network): PartCost[] {
  const cost = (part: string, gate?: string): Omit<PartCost, 'macs'> => {
    const names = [part.replace(' ', ''), gate];
    const own = Object.entries(parameters).filter(([name]) => names.includes(name.slice(0, name.indexOf('.'))));
    return { part, ...countParameters(Object.fromEntries(own)) };
  };
  return stages.flatMap((_, index) => {
    const [head, macsToExit] = [macs.heads[index]!, macs.toExit[index]!];
    const trunk = macsToExit - head - (macs.toExit[index - 1] ?? 0);
    return [
      { ...cost(`stage ${index + 1}`), macs: trunk },
      { ...cost(`exit ${index + 1}`, parts[index]!.gate), macs: head, macsToExit },
    ];
  });
}

/** Columns: parameters, running statistics where there are any, multiply-accumulates of the part and to the exit. */
export function partsText(network: Network): string {
  const parts = partCosts(network);
  const hasKept = parts.some(({ kept }) => kept > 0);
  const rows = parts.map(({ part, trained, kept, macs, macsToExit }) => [
    part,
    whole(trained),
    ...(hasKept ? [whole(kept)] : []),
    whole(macs),
    macsToExit === undefined ? '' : whole(macsToExit),
  ]);
  return table([['', 'parameters', ...(hasKept ? ['kept'] : []), 'MACs', 'MACs to exit'], ...rows]);
}

/** `b-lenet, 74,694 parameters, 1,140,070 MACs, 220,150 to exit 1` */
export function networkText(network: Network): string {
  const { name, parameters, macs } = network;
  const { trained, kept } = countParameters(parameters);
  const numbers = plural(trained, 'parameter') + (kept > 0 ? ` and ${plural(kept, 'running statistic')}` : '');
  const early = macs.toExit.slice(0, -1).map((cost, index) => `, ${whole(cost)} to exit ${index + 1}`);
  return `${name}, ${numbers}, ${whole(macs.full)} MACs${early.join('')}`;
}

/** `entropy < 0.0423 nats, chosen on digits/validation (1,000 samples), where ...` */
export const thresholdsText = (chosen: ChosenThresholds): string =>
  `${criterionText(criterionOf(chosen))}, ${choiceText(chosen)}`;

/** On what thresholds were chosen, for what loss, and what came of it there. */
export function choiceText(choice: Omit<ChosenThresholds, 'criterion' | 'values' | 'classValues'>): string {
  const { chosenOn, achieved, guarantee } = choice;
  const aim = aimText(choice);
  const leaving = achieved.shares.slice(0, -1).reduce((sum, share) => sum + share, 0);
  return (
    `chosen on ${chosenOn.dataset} (${plural(chosenOn.samples, 'sample')})${aim}: ${percent(leaving, 1)} left early, ` +
    `${percent(achieved.accuracy)} right against ${percent(achieved.accuracyFull)}` +
    (guarantee ? `; ${guaranteeText(guarantee)}` : '')
  );
}

type Aim = Pick<
  ChosenThresholds,
  'maxAccuracyLoss' | 'maxMacs' | 'targetShares' | 'maxMs' | 'deadline' | 'timedOn'
>;

function aimText({ maxAccuracyLoss, maxMacs, targetShares, maxMs, deadline, timedOn }: Aim): string {
  const where = timedOn ? ` on ${timedOn.adapter}, ${timedOn.policy}` : '';
  if (maxAccuracyLoss !== undefined) return ` to lose at most ${points(maxAccuracyLoss)} points there`;
  if (maxMacs !== undefined) return ` to cost at most ${whole(maxMacs)} MACs there`;
  if (targetShares) return ` to let ${targetShares.map((share) => percent(share, 1)).join(', ')} leave there`;
  if (maxMs !== undefined) return ` to take at most ${significant(maxMs)} ms in the mean${where}`;
  if (deadline) {
    return ` to take more than ${significant(deadline.ms)} ms for at most ${percent(deadline.late)} of them${where}`;
  }
  return '';
}

/** `accuracy loss at most 0.01 guaranteed with probability 0.9`, `errors at most 0.02 guaranteed on average` */
export function guaranteeText({ risk, level, delta }: Guarantee): string {
  const sense = delta === undefined ? 'on average' : `with probability ${Number((1 - delta).toPrecision(6))}`;
  return `${risk} at most ${level} guaranteed ${sense}`;
}

/** For whom it holds, by what method, and since when. */
export function guaranteeEntry(guarantee: Guarantee): [string, string] {
  const { method, bound, candidates, observed, upperBound, calibration, emptyClasses, date } = guarantee;
  const { dataset, samples, fingerprint } = calibration;
  const numbers = [observed, upperBound].map((value) => Number(value.toPrecision(3)));
  const by = `${method}${bound ? ` with ${bound}` : ''} over ${plural(candidates, 'candidate')}`;
  return [
    'guarantee',
    `${guaranteeText(guarantee)}, for samples like those of ${dataset} ` +
      `(${plural(samples, 'sample')}, fingerprint ${fingerprint}), where it was ${numbers[0]}, ` +
      `bounded by ${numbers[1]}; ${by}, ${date}` +
      (emptyClasses ? `; no sample was of ${emptyClasses} of the classes` : ''),
  ];
}

/** All that a model file says, as text. */
export function modelText(network: Network, { normalization, classNames, thresholds, training }: ModelDetails): string {
  const numbers = (values: readonly number[]): string => values.map((value) => Number(value.toFixed(4))).join(', ');
  const stages = network.stages.flatMap(({ body, exit }, index): [string, string][] => [
    [`stage ${index + 1}`, layersText(body)],
    [`  exit ${index + 1}`, layersText(exit)],
  ]);
  const lines = list([
    ['network', networkText(network)],
    ['input', `[${network.input.join(', ')}]`],
    ...(normalization
      ? [['pixels', `mean ${numbers(normalization.mean)}, deviation ${numbers(normalization.std)}`] as const]
      : []),
    ...stages,
    ['classes', (classNames ?? []).join(', ')],
    ['thresholds', thresholds ? thresholdsText(thresholds) : `none stored${learnsToLeave(network) ? '; the model has learned when to leave' : ''}`],
    ...(thresholds?.guarantee ? [guaranteeEntry(thresholds.guarantee)] : []),
    ...(training ? trainingEntries(training) : [['trained on', 'not recorded'] as const]),
  ]);
  return `${lines}\n\n${partsText(network)}`;
}

function trainingEntries(training: TrainingRecord): [string, string][] {
  const { dataset, samples, fingerprint, epochs, interrupted, batch, seed, adapter, losses } = training;
  const { weights, weightSchedule, strategy, loss } = training;
  const { name, ...options } = training.optimizer;
  const settings = Object.entries(options).map(([option, value]) => `, ${option} ${String(value)}`);
  const course = `${epochs.done} of ${epochs.planned} epochs${interrupted ? ', interrupted' : ''}`;
  return [
    ['trained on', `${dataset} (${plural(samples, 'sample')}, fingerprint ${fingerprint})`],
    ['training', `${course}, batch ${batch}, seed ${seed}, on ${adapter}`],
    ['exits', `weights ${weightSchedule ?? weights.join(', ')}${strategy ? `, strategy ${strategy}` : ''}`],
    ...(loss ? [['terms', loss.map(termText).join(' + ')] as [string, string]] : []),
    ['optimiser', `${String(name)}${settings.join('')}`],
    ['loss', losses.map((loss) => loss.toFixed(4)).join(', ') || 'no whole epoch'],
  ];
}

/** `cross-entropies (smoothing 0.1)` */
function termText({ name, ...options }: Readonly<Record<string, unknown>>): string {
  const settings = Object.entries(options).map(([option, value]) => `${option} ${JSON.stringify(value)}`);
  return `${String(name)}${settings.length > 0 ? ` (${settings.join(', ')})` : ''}`;
}

/** What text says of a layer; one inside another is there as JSON, options beside its type. */
type LayerOptions = Pick<Layer, 'type' | 'options'>;
type LayerJson = Layer['options'] & Pick<Layer, 'type'>;

/** Equal layers in a row are told once: `conv 3x3 1->4, 3 x relu`. */
function layersText(layers: readonly LayerOptions[]): string {
  const runs: { text: string; count: number }[] = [];
  for (const text of layers.map(layerText)) {
    const last = runs.at(-1);
    if (last?.text === text) last.count++;
    else runs.push({ text, count: 1 });
  }
  return runs.map(({ text, count }) => (count > 1 ? `${count} x ${text}` : text)).join(', ');
}

/** `conv 5x5 1->5`, `maxPool 2x2 relu`, `residual [conv 3x3 4->4, norm 4] relu` */
function layerText({ type, options }: LayerOptions): string {
  const { kernel, stride, input, output, channels, rate, activation, body, shortcut } = options;
  const usualStride = type === 'conv' ? 1 : kernel;
  const inside = (layers: unknown): string =>
    `[${layersText((layers as LayerJson[]).map(({ type, ...options }) => ({ type, options })))}]`;
  return [
    type,
    kernel && `${String(kernel)}x${String(kernel)}`,
    stride && stride !== usualStride && `stride ${String(stride)}`,
    output && `${String(input)}->${String(output)}`,
    channels,
    rate,
    body && inside(body),
    shortcut && `around ${inside(shortcut)}`,
    activation !== 'none' && activation,
  ]
    .filter(Boolean)
    .join(' ');
}
