import type { Percentiles } from '../../earlyexit/judgement/percentiles.ts';
import type { ModelFindings } from '../findings.ts';
import { significant } from '../format.ts';
import { colour } from './chart.ts';
import type { Chart } from './chart.ts';
import { histogramRows } from './histogram-rows.ts';

const BINS = 60;

/** How long single samples took, with exits and without; the lines are p50, p95 and p99. */
export function latencyChart({ latency }: ModelFindings, id: string): Chart {
  const { early, full, times } = latency;
  // The slowest few would squeeze all others together.
  const most = Math.max(early.p99, full.p99) * 1.1;
  const edges = Array.from({ length: BINS + 1 }, (_, bin) => (bin * most) / BINS);
  const row = (name: string, { p50, p95, p99 }: Percentiles, values: readonly number[], fill: string) => ({
    name,
    note: `p50 ${significant(p50)}, p95 ${significant(p95)}, p99 ${significant(p99)} ms`,
    colour: fill,
    shares: histogram(values, most),
  });
  const rows = [
    row('with exits', early, times.early, colour('accent')),
    row('without', full, times.full, colour('quiet')),
  ];
  return {
    id,
    alt: `Latency of one sample at a time. ${rows.map(({ name, note }) => `${name}: ${note}`).join('; ')}.`,
    spec: histogramRows({
      rows,
      edges,
      scale: 'linear',
      axis: { title: 'milliseconds', tickCount: 5 },
      marks: [early, full].flatMap(({ p50, p95, p99 }, index) => [p50, p95, p99].map((at) => ({ at, row: index }))),
    }),
  };
}

function histogram(values: readonly number[], most: number): number[] {
  const shares = new Array<number>(BINS).fill(0);
  for (const value of values) {
    const bin = Math.floor((value / most) * BINS);
    if (bin < BINS) shares[bin]! += 1 / values.length;
  }
  return shares;
}
