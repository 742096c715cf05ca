import type { Load } from '../earlyexit/judgement/load.ts';
import type { MeanDepth, SlowDownReport } from '../earlyexit/judgement/slow-down.ts';
import type { LatencyTail, WorstCase } from '../earlyexit/judgement/worst-case.ts';
import { compare, percent, plural, significant, whole } from './format.ts';
import { table, wrap } from './table.ts';

const WIDTH = 80;

const PERCENTILES = ['p50', 'p95', 'p99'] as const;

const milliseconds = (value: number): string => (Number.isFinite(value) ? `${significant(value)} ms` : '-');

/** At several rates, of the same calls with exits and without. */
export type RateRow = Readonly<Record<'early' | 'full', Omit<Load, 'times'>>> & { readonly rate: number };

/** Response times at given rates as text of at most 80 columns. */
export function loadText(rows: readonly RateRow[]): string {
  const row = (name: string, { served, rejected, latencyMs }: Omit<Load, 'times'>): string[] => [
    name,
    `${whole(served)} of ${whole(served + rejected)}`,
    ...PERCENTILES.map((at) => milliseconds(latencyMs[at])),
  ];
  const lines = rows.flatMap(({ rate, early, full }) => [row(`${rate}/s, with exits`, early), row('  without', full)]);
  return [
    ...wrap('Under load: calls come at random times (Poisson) and are timed from then, waiting included', WIDTH),
    table([['', 'served', ...PERCENTILES], ...lines], { indent: 2 }),
  ].join('\n');
}

/** What no input exceeds. */
export function worstCaseText({ macs, latencyMs }: WorstCase): string {
  const tail = (name: string, of: LatencyTail): string[] => [
    name,
    ...[...PERCENTILES, 'slowest' as const].map((at) => milliseconds(of[at])),
  ];
  const more = compare(macs.full / macs.worst, 'fewer', 'more');
  return [
    ...wrap(
      `Worst case, the last exit through every head: ${whole(macs.worst)} MACs, ${more} than without exits; ` +
        `${plural(latencyMs.samples, 'sample')} one by one`,
      WIDTH,
    ),
    table(
      [
        ['', ...PERCENTILES, 'slowest'],
        tail('to the last exit', latencyMs.worst),
        tail('without exits', latencyMs.full),
      ],
      { indent: 2 },
    ),
  ].join('\n');
}

/** How deep samples go as they are, and as a search for such that avoid the exits has left them. */
export function slowDownText(report: Omit<SlowDownReport, 'inputs'>): string {
  const { samples, epsilon, steps, before, after, bound } = report;
  const row = (name: string, { exit, macs: mean, early, accuracy }: MeanDepth): string[] => [
    name,
    exit.toFixed(2),
    whole(mean),
    percent(early, 1),
    percent(accuracy),
  ];
  const range = `pixels moved by at most ${significant(epsilon)} of their range`;
  return [
    ...wrap(`Inputs that avoid the exits: ${plural(samples, 'sample')}, ${range}, ${plural(steps, 'step')}`, WIDTH),
    table(
      [
        ['', 'mean exit', 'mean MACs', 'leave early', 'accuracy'],
        row('as they are', before),
        row('slowed down', after),
        ['the bound', '', whole(bound.macs.worst)],
      ],
      { indent: 2 },
    ),
  ].join('\n');
}

/** Millijoules of one sample, and what they are of. */
export const energyText = ({ early, full }: { readonly early: number; readonly full: number }): string =>
  wrap(
    `Energy: ${significant(early)} mJ per sample with exits, ${significant(full)} mJ without: of the whole processor ` +
      'package, other processes and what it uses idle included',
    WIDTH,
  ).join('\n');
