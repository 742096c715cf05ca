import type { Interval } from '../earlyexit/judgement/intervals.ts';
import type { RunComparison, SideBySide } from '../earlyexit/judgement/side-by-side.ts';
import { criterionText } from './evaluation.ts';
import { plural, points, significant, times, whole } from './format.ts';
import { pointInterval } from './sweep.ts';
import { list, table, wrap } from './table.ts';

const WIDTH = 80;

/** Runs next to each other as text of at most 80 columns; tables call them by their number. */
export function sideBySideText({ runs, comparisons }: SideBySide): string {
  const name = (index: number): string => String(index + 1);
  const legend = runs.flatMap((run, index): [string, string][] => [
    [name(index), `${run.name} on ${run.judgedOn.dataset}, ${plural(run.judgedOn.samples, 'sample')}`],
    ['', `leaves if ${criterionText(run.criterion)}`],
  ]);
  const rates = runs.map(({ accuracy, accuracyFull, shares }, index) => [
    name(index),
    share(accuracy),
    share(accuracyFull),
    share(shares[0]!),
  ]);
  const timed = runs.some(({ milliseconds }) => milliseconds);
  const costs = runs.map(({ seed, macs, milliseconds: ms }, index) => [
    name(index),
    seed === undefined ? '-' : String(seed),
    whole(macs.mean),
    whole(macs.full),
    times(macs.full / macs.mean),
    ...(timed ? (ms ? [significant(ms.mean), significant(ms.full), times(ms.full / ms.mean)] : ['-', '-', '-']) : []),
  ]);
  const timeHead = timed ? ['mean ms', 'without', 'saved'] : [];
  const measured = new Set(runs.flatMap(({ milliseconds: ms }) => (ms ? [`${ms.policy} on ${ms.adapter}`] : [])));
  return [
    list(legend, { width: WIDTH }),
    '',
    table([['', 'right, %', 'without exits, %', 'leave at exit 1, %'], ...rates], { indent: 2 }),
    '',
    table([['', 'seed', 'mean MACs', 'without', 'saved', ...timeHead], ...costs], { indent: 2 }),
    '',
    ...[...measured].flatMap((what) => wrap(`ms: single calls, ${what}, to which these times belong`, WIDTH)),
    ...comparisons.flatMap((comparison, index) => wrap(`${name(index + 1)} against 1: ${verdict(comparison)}`, WIDTH)),
    ...wrap(
      '95 % intervals, those of differences for all comparisons together (Bonferroni); p: McNemar, exact, with ' +
        'exits. It speaks for these weights: another seed may come out otherwise.',
      WIDTH,
    ),
  ].join('\n');
}

/** `97.80 [96.70, 98.55]` */
const share = ({ value, low, high }: Interval): string => `${points(value)} [${points(low)}, ${points(high)}]`;

function verdict(comparison: RunComparison | null): string {
  if (!comparison) return 'not compared, as it was judged on other samples';
  const { difference, onlyFirst, onlySecond, pValue, significant: real } = comparison;
  const size = real ? 'LARGER than chance makes it' : 'no larger than chance makes it';
  return (
    `${pointInterval(difference)} points, ${size}: right alone on ${whole(onlySecond)}, wrong alone on ` +
    `${whole(onlyFirst)}, p = ${Number(pValue.toPrecision(2))}`
  );
}
