import type { Interval } from '../earlyexit/judgement/intervals.ts';
import type { SweepReport, SweptTimes } from '../earlyexit/judgement/sweep.ts';
import { criterionText } from './evaluation.ts';
import { compare, percent, plural, points, significant, times, whole } from './format.ts';
import { table, wrap } from './table.ts';

const WIDTH = 80;

/** `97.80 % [96.70, 98.55]` */
export const interval = ({ value, low, high }: Interval): string =>
  `${percent(value)} [${points(low)}, ${points(high)}]`;

/** `+0.20 [-0.10, +0.50]`, in percentage points. */
export const pointInterval = ({ value, low, high }: Interval): string =>
  `${signed(value)} [${signed(low)}, ${signed(high)}]`;

const signed = (share: number): string => (share < 0 ? '' : '+') + points(share);

/** A sweep as text of at most 80 columns. `origin` says where the criterion comes from. */
export function sweepText(report: SweepReport, { title, origin }: { title: string; origin: string }): string {
  const { judgedOn, chosenOn, full, curve, oracle, criterion, accuracy, gain, macs, exits, thinking } = report;
  const { milliseconds } = report;
  const thresholds = (point: (typeof curve)[number]): string =>
    'thresholds' in point.criterion ? point.criterion.thresholds.map(significant).join(', ') : '';
  const measure = curve[0]?.criterion.kind ?? 'entropy';
  const ms = (value: number | undefined): string[] => (value === undefined ? [] : [significant(value)]);
  const trade = [
    ['mean MACs', 'saved', ...(milliseconds ? ['mean ms'] : []), 'accuracy', `${measure} thresholds`],
    ...curve.map((point, place) => [
      whole(point.macs),
      times(full.macs / point.macs),
      ...ms(milliseconds?.curve[place]),
      interval(point.accuracy),
      thresholds(point),
    ]),
    [
      whole(oracle.macs),
      times(full.macs / oracle.macs),
      ...ms(milliseconds?.oracle),
      percent(oracle.accuracy),
      'oracle',
    ],
    [whole(full.macs), times(1), ...ms(milliseconds?.full), interval(full.accuracy), 'without exits'],
  ];
  const depth = [
    ['', 'leave here', 'right of those', 'right of all', 'wasted MACs'],
    ...exits.map(({ exit, share, accuracy: here, accuracyAll, wastedMacs }) => [
      `exit ${exit}`,
      interval(share),
      here ? interval(here) : '-',
      percent(accuracyAll.value),
      whole(wastedMacs),
    ]),
  ];
  const worth = exits.flatMap(({ exit, value }) =>
    value ? [[`exit ${exit}`, pointInterval(value.accuracy), signedWhole(value.macs)]] : []);
  const kinds = [
    ['', 'samples', 'overthinking', 'premature'],
    ...[{ name: 'all', ...thinking }, ...thinking.byClass].map(({ name, count, overthinking, premature }) => [
      name,
      whole(count),
      overthinking ? interval(overthinking) : '-',
      premature ? interval(premature) : '-',
    ]),
  ];
  return [
    ...wrap(
      `${title} on ${judgedOn.dataset}, ${plural(judgedOn.samples, 'sample')}; thresholds of the curve from ` +
        `${chosenOn.dataset}, ${plural(chosenOn.samples, 'sample')}; 95 % intervals`,
      WIDTH,
    ),
    '',
    table(trade, { indent: 2 }),
    '',
    ...wrap(`leaves if ${criterionText(criterion)}: ${origin}`, WIDTH),
    ...wrap(
      `${interval(accuracy)} right, ${pointInterval(gain)} points against the network without exits; ` +
        `${whole(macs)} MACs, ${compare(full.macs / macs, 'fewer', 'more')}; the oracle, which leaves at the first ` +
        `exit that is right, is ${points(thinking.gap.accuracy)} points better for ` +
        `${whole(Math.abs(thinking.gap.macs))} MACs ${thinking.gap.macs < 0 ? 'more' : 'less'}`,
      WIDTH,
    ),
    ...(milliseconds ? wrap(timesText(milliseconds), WIDTH) : []),
    '',
    table(depth, { indent: 2 }),
    '',
    table([['with minus without', 'accuracy, points', 'mean MACs'], ...worth], { indent: 2 }),
    '',
    table(kinds, { indent: 2 }),
    ...wrap('overthinking: right at an early exit, wrong at the last; premature: left wrong, right at the last', WIDTH),
  ].join('\n');
}

const timesText = ({ mean, full, policy, adapter }: SweptTimes): string =>
  `${significant(mean)} ms, ${compare(full / mean, 'faster', 'slower')} than ${significant(full)} ms without exits: ` +
  `single calls, ${policy}, on ${adapter}, to which these times belong`;

const signedWhole = (value: number): string => (value > 0 ? '+' : '') + whole(value);
