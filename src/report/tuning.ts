import { criterionOf } from '../earlyexit/criteria.ts';
import type { BootstrapInterval, Interval } from '../earlyexit/judgement/intervals.ts';
import { UNSTABLE } from '../earlyexit/judgement/stability.ts';
import type { ThresholdStability } from '../earlyexit/judgement/stability.ts';
import type { ChosenThresholds } from '../earlyexit/model.ts';
import { criterionText } from './evaluation.ts';
import { plural, points, significant, times, whole } from './format.ts';
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
}

/** A choice of thresholds as text of at most 80 columns. */
export function tuningText(
  chosen: ChosenThresholds,
  { accuracy, gain, macs, shares }: Achieved,
  stability: readonly ThresholdStability[],
  { title, classNames }: { title: string; classNames: readonly string[] },
): string {
  const { chosenOn } = chosen;
  const entries: [string, string][] = [
    ['leaves if', criterionText(criterionOf(chosen))],
    ['chosen', choiceText(chosen)],
    ['accuracy', `${interval(accuracy)}, ${pointInterval(gain)} points against the network without exits`],
    ['MACs, mean', `${whole(macs.mean)}, ${times(macs.full / macs.mean)} fewer than ${whole(macs.full)}`],
    ...shares.map((share, index): [string, string] => [`exit ${index + 1}`, `${interval(share)} leave here`]),
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
