import { colour, styled } from './chart.ts';
import type { Spec } from './chart.ts';

/** A histogram of its own height, one below the other over the same axis. */
export interface HistogramRow {
  readonly name: string;
  /** At the right, over the histogram. */
  readonly note: string;
  readonly colour: string;
  /** Share of the samples in each bin, one less than there are edges. */
  readonly shares: readonly number[];
}

export interface HistogramRows {
  readonly rows: readonly HistogramRow[];
  /** Of the bins, ascending. */
  readonly edges: readonly number[];
  readonly axis: Spec & { readonly title: string };
  readonly scale: 'linear' | 'log';
  /** Lines across all rows, or those of one row. */
  readonly marks: readonly { readonly at: number; readonly row?: number }[];
}

const WIDTH = 380;
const HEIGHT = 42;

/** Each row is scaled to its fullest bin, so that what is rare is seen too. */
export function histogramRows({ rows, edges, axis, scale, marks }: HistogramRows): Spec {
  const x = (field: string, last: boolean) => ({
    field,
    type: 'quantitative',
    scale: { type: scale, domain: [edges[0], edges.at(-1)], nice: false },
    axis: last ? axis : null,
  });
  return styled({
    spacing: 26,
    vconcat: rows.map((row, index) => {
      const last = index === rows.length - 1;
      const top = Math.max(...row.shares) || 1;
      const y = { field: 'share', type: 'quantitative', axis: null, scale: { domain: [0, top] } };
      const steps = edges.map((edge, bin) => ({ edge, share: row.shares[Math.min(bin, row.shares.length - 1)] }));
      const lines = marks.filter((mark) => mark.row === undefined || mark.row === index);
      const text = (align: 'left' | 'right', style: Spec) => ({
        data: { values: [{ text: align === 'left' ? row.name : row.note }] },
        mark: { type: 'text', align, baseline: 'bottom', ...style },
        encoding: { x: { value: align === 'left' ? 0 : WIDTH }, y: { value: -6 }, text: { field: 'text' } },
      });
      return {
        width: WIDTH,
        height: HEIGHT,
        layer: [
          {
            data: { values: steps },
            mark: { type: 'area', interpolate: 'step-after', color: row.colour, opacity: 0.85 },
            encoding: { x: x('edge', last), y },
          },
          {
            data: { values: lines },
            mark: { type: 'rule', color: colour('ink'), strokeDash: [3, 3] },
            encoding: { x: x('at', last) },
          },
          text('left', { fontWeight: 600, color: row.colour }),
          text('right', { color: colour('quiet') }),
        ],
      };
    }),
  });
}
