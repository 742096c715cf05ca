import { criterionOf } from '../earlyexit/criteria.ts';
import { meanOf } from '../earlyexit/judgement/answers.ts';
import { lateOf, lateOver, meanOver } from '../earlyexit/judgement/exit-times.ts';
import type { ExitTimes } from '../earlyexit/judgement/exit-times.ts';
import type { BootstrapInterval, Interval } from '../earlyexit/judgement/intervals.ts';
import { percentiles } from '../earlyexit/judgement/percentiles.ts';
import { UNSTABLE } from '../earlyexit/judgement/stability.ts';
import type { ThresholdStability } from '../earlyexit/judgement/stability.ts';
import type { ChosenThresholds } from '../earlyexit/model.ts';
import { criterionText } from './evaluation.ts';
import { compare, percent, plural, points, significant, whole } from './format.ts';
import { choiceText } from './model.ts';
import { interval, pointInterval } from './sweep.ts';
import { list, table, wrap } from './table.ts';

const WIDTH = 80;

/** What thresholds achieve on the data they were chosen on. */
export interface Achieved {
  readonly accuracy: Interval;
  /** With exits minus without, on the same samples. */
  readonly gain: BootstrapInterval;
  /** Multiply-accumulates per sample in the mean; `full` is the network without exits. */
  readonly macs: { readonly mean: number; readonly full: number };
  /** Of the samples that leave at each exit. */
  readonly shares: readonly Interval[];
  /** Where times were measured. */
  readonly times?: ExitTimes | undefined;
}

/** Entries of a list: what was measured, on what, and what it comes to where samples leave in these shares. */
export function timesEntries(
  measured: ExitTimes,
  shares: readonly number[],
  deadline?: { readonly ms: number } | undefined,
): [string, string][] {
  const one = (name: string, calls: readonly number[]): string =>
    `${name} ${significant(meanOf(calls))} (${significant(percentiles(calls).p99)})`;
  const all = [
    ...measured.toExit.map((calls, index) => one(`exit ${index + 1}`, calls)),
    one('without exits', measured.full),
  ];
  const [mean, full] = [meanOver(measured, shares), meanOf(measured.full)];
  const late = (ms: number): string => {
    const [share, without] = [lateOver(measured, ms, shares), lateOf(measured.full, ms)];
    return `${percent(share)} take more than ${significant(ms)} ms, ${percent(without)} without exits`;
  };
  return [
    ['ms, mean', `${significant(mean)}, ${compare(full / mean, 'faster', 'slower')} than ${significant(full)}`],
    ...(deadline ? [['late', late(deadline.ms)] as [string, string]] : []),
    ['ms to leave', `${all.join(', ')}: means (p99) of ${plural(measured.full.length, 'call')} each`],
    ['measured on', `${measured.adapter}, ${measured.policy}; these milliseconds belong to it`],
  ];
}

/** A choice of thresholds as text of at most 80 columns. */
export function tuningText(
  chosen: ChosenThresholds,
  { accuracy, gain, macs, shares, times: measured }: Achieved,
  stability: readonly ThresholdStability[],
  { title, classNames }: { title: string; classNames: readonly string[] },
): string {
  const { chosenOn } = chosen;
  const entries: [string, string][] = [
    ['leaves if', criterionText(criterionOf(chosen))],
    ['thresholds', choiceText(chosen)],
    ['accuracy', `${interval(accuracy)}, ${pointInterval(gain)} points against the network without exits`],
    ['MACs, mean', `${whole(macs.mean)}, ${compare(macs.full / macs.mean, 'fewer', 'more')} than ${whole(macs.full)}`],
    ...shares.map((share, index): [string, string] => [`exit ${index + 1}`, `${interval(share)} leave here`]),
    ...(measured ? timesEntries(measured, chosen.achieved.shares, chosen.deadline) : []),
  ];
  const unstable = stability.filter((one) => one.unstable);
  // Of many thresholds, one per class, those that are fine say little.
  const shown = chosen.classValues ? unstable : stability;
  const rows = shown.map(({ exit, label, threshold, span, slope, unstable: moves }) => [
    `exit ${exit}${label === undefined ? '' : ` ${classNames[label] ?? label}`}`,
    `${significant(threshold.value)} [${significant(threshold.low)}, ${significant(threshold.high)}]`,
    points(span.accuracy),
    points(span.share),
    slope ? `${slope.value.toFixed(2)} [${slope.low.toFixed(2)}, ${slope.high.toFixed(2)}]` : '-',
    moves ? 'UNSTABLE' : 'stable',
  ]);
  const head = ['', 'threshold', 'accuracy moves', 'share moves', 'slope', ''];
  const about = `thresholds on ${chosenOn.dataset}, ${plural(chosenOn.samples, 'sample')}; 95 % intervals`;
  return [
    ...wrap(`${title}, ${about}`, WIDTH),
    '',
    list(entries, { width: WIDTH }),
    '',
    ...(rows.length > 0 ? [table([head, ...rows], { indent: 2, gap: 2 }), ''] : []),
    ...wrap(
      (unstable.length > 0 ? `${unstable.length} of ${plural(stability.length, 'threshold')} UNSTABLE` : 'All stable') +
        `: unstable is one within whose interval, over resampled data, accuracy moves by more than ` +
        `${points(UNSTABLE.accuracy)} points or the share that leaves there by more than ` +
        `${points(UNSTABLE.share)} points; ` +
        'slope: right answers won per sample more that leaves there' +
        (unstable.length > 0 ? '. More validation samples, or fewer thresholds, make them firmer.' : ''),
      WIDTH,
    ),
  ].join('\n');
}
