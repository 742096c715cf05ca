import type { Criterion } from '../earlyexit/criteria.ts';
import type { EvaluationReport } from '../earlyexit/judgement/evaluate.ts';
import { compare, percent, plural, points, significant, times, whole } from './format.ts';
import { table, wrap } from './table.ts';

const WIDTH = 80;

/** Ratios of times within this of 1 are noise. */
const NOISE = 0.05;

/**
 * An evaluation as text of at most 80 columns: the verdict, where samples leave, and what that saves.
 * `origin` says where the thresholds come from.
 */
export function evaluationText(report: EvaluationReport, { title, origin }: { title: string; origin: string }): string {
  const { exits, accuracy, accuracyFull, macs, latencyMs, samples, dataset } = report;
  const { early, full } = latencyMs;
  const where = [
    ['', 'leave here', 'accuracy', 'accuracy on all', 'MACs'],
    ...exits.map((exit) => [
      `exit ${exit.exit}`,
      percent(exit.share, 1),
      exit.accuracy === null ? '-' : percent(exit.accuracy),
      percent(exit.accuracyAll),
      whole(exit.macs),
    ]),
  ];
  const gains = [
    ['', 'with exits', 'without', ''],
    ['accuracy', percent(accuracy), percent(accuracyFull), difference(accuracy - accuracyFull)],
    ['MACs, mean', whole(macs.mean), whole(macs.full), compare(macs.speedup, 'fewer', 'more')],
    ...(['p50', 'p95', 'p99'] as const).map((at) => [
      `latency ${at}`,
      `${significant(early[at])} ms`,
      `${significant(full[at])} ms`,
      speed(full[at] / early[at]),
    ]),
  ];
  const [reads, submits, dispatches] = [report.reads, report.submits, report.dispatches].map((mean) => mean.toFixed(2));
  return [
    ...wrap(`${title} on ${dataset}, ${plural(samples, 'sample')}`, WIDTH),
    '',
    ...wrap(verdict(report), WIDTH - 2).map((line) => `  ${line}`),
    '',
    table(where, { indent: 2 }),
    '',
    table(gains, { indent: 2 }),
    '',
    ...wrap(`leaves if ${criterionText(report.criterion)}: ${origin}`, WIDTH),
    ...wrap(
      `one sample: ${reads} reads, ${submits} submits, ${dispatches} dispatches; ` +
        `latency of ${plural(latencyMs.samples, 'sample')}, one by one, with and without exits in turn`,
      WIDTH,
    ),
    ...wrap(policyText(report), WIDTH),
    ...wrap(`adapter: ${report.adapter}`, WIDTH),
    ...(report.plan
      ? ['', ...report.plan.split('\n').flatMap((line) => (line.length > WIDTH ? wrap(line, WIDTH) : [line]))]
      : []),
  ].join('\n');
}

function policyText({ policy, exits, checked, deadline }: EvaluationReport): string {
  const some = checked.length < exits.length ? `, exits ${checked.join(', ')} of ${exits.length} checked` : '';
  if (!deadline) return `policy: ${policy}${some}`;
  const late = `which came first for ${percent(deadline.timedOut, 1)} of the samples`;
  return `policy: ${policy}${some}; deadline ${significant(deadline.ms)} ms, ${late}`;
}

/** What the exits are worth on this data and this adapter, in one sentence or two. */
export function verdict({ exits, accuracy, accuracyFull, macs, latencyMs }: EvaluationReport): string {
  const leaving = exits.slice(0, -1).reduce((sum, { share }) => sum + share, 0);
  if (exits.length === 1) return 'This network has one exit: there is nothing to leave early.';
  if (leaving === 0) return 'No sample leaves early, so the exits only cost: the thresholds let none go.';
  const gain = accuracy - accuracyFull;
  const change = gain === 0 ? 'no accuracy lost' : difference(gain, ' of accuracy');
  const work = compare(macs.speedup, 'fewer', 'MORE');
  return `${percent(leaving, 1)} leave early: ${work} multiply-accumulates, ${change}. ${verdictOnTime(latencyMs)}`;
}

/** What the exits are worth in time. */
export function verdictOnTime({ early, full }: Pick<EvaluationReport['latencyMs'], 'early' | 'full'>): string {
  const median = full.p50 / early.p50;
  const tail = full.p95 / early.p95;
  if (median <= 1 + NOISE) {
    const instead = median < 1 - NOISE ? `${times(1 / median)} slower at the median` : 'the median is the same';
    return `But the exits SAVE NO TIME on this adapter: ${instead}.`;
  }
  const rest = tail < 1 - NOISE ? `, but ${times(1 / tail)} slower at p95` : '';
  return `On this adapter a sample is ${times(median)} faster at the median${rest}.`;
}

/** `entropy < 0.0423 nats`, `confidence > 0.9 and from exit 2`, `margin > 0.5 at temperatures 1.21, 0.98` */
export function criterionText(criterion: Criterion): string {
  const { temperatures, ...plain } = criterion;
  if (!temperatures) return partText(plain);
  return `${partText(plain)} at temperatures ${temperatures.map((value) => Number(value.toPrecision(3))).join(', ')}`;
}

function partText(criterion: Criterion): string {
  switch (criterion.kind) {
    case 'and':
    case 'or':
      return criterion.of
        .map((part) => (part.kind === 'and' || part.kind === 'or' ? `(${partText(part)})` : partText(part)))
        .join(` ${criterion.kind} `);
    case 'patience':
      return `${criterion.exits} exits in a row agree`;
    case 'gate':
      return `learned gate > ${criterion.threshold}`;
    case 'fromExit':
      return `from exit ${criterion.exit}`;
    case 'wgsl':
      return 'a criterion of its own says so';
    default: {
      const { kind, thresholds, classThresholds } = criterion;
      const values = thresholds.map((threshold) => Number(threshold.toPrecision(4))).join(', ');
      const sign = ['confidence', 'margin', 'halting'].includes(kind) ? '>' : '<';
      if (classThresholds) return `${kind} ${sign} the threshold of the label`;
      return `${kind} ${sign} ${values}${kind === 'entropy' ? ' nats' : ''}`;
    }
  }
}

const speed = (ratio: number): string =>
  times(ratio) === times(1) ? 'the same' : compare(ratio, 'faster', 'slower');

const difference = (gain: number, what = ''): string =>
  gain === 0 ? 'the same' : `${points(Math.abs(gain))} points${what} ${gain < 0 ? 'lost' : 'won'}`;
