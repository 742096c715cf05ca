import { sizeOf } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { ExitRecord } from './generated/exit-check.ts';
import { exitHistogramKernel } from './generated/exit-histogram.ts';

/** Scores that can be told apart in bins, by the numbers that the kernel knows them by. */
const MEASURES = { confidence: 0, margin: 1, entropy: 2 } as const;

export interface ExitHistogramAttributes {
  readonly classes: number;
  readonly measure: keyof typeof MEASURES;
}

/**
 * Adds the rows that have left since they were last counted to histograms, by exit, label and score; each record is
 * marked, so that however often this runs a row counts once. records: an `ExitRecord` per row of the batch; edges:
 * `f32[exits, bins - 1]`, ascending at each exit, the bin of a score being the number of edges at or below it;
 * histograms: `u32[exits, classes + bins + 1]`, changed in place: labels, scores, and rows that were not finite.
 */
export const exitHistogram = defineOp<
  { records: Operand; edges: Operand; histograms: Operand },
  never,
  ExitHistogramAttributes
>({
  name: 'exit-histogram',
  infer({ records, edges, histograms }, { classes }) {
    const [exits = 0, between = 0] = edges.shape;
    const fits = edges.dtype === 'f32' && edges.shape.length === 2 && between >= 1;
    if (!fits || histograms.dtype !== 'u32' || histograms.shape.join() !== [exits, classes + between + 2].join()) {
      throw expected('exit-histogram', 'edges f32[exits, bins - 1] and histograms u32[exits, classes + bins + 1]',
        edges, histograms);
    }
    if (records.rows || (sizeOf(records.shape) * 4) % ExitRecord.size) {
      throw expected('exit-histogram', `records of ${ExitRecord.size} bytes, not of rows`, records);
    }
    return {};
  },
  lower({ records, edges, histograms }, _, { classes, measure }) {
    const rows = (sizeOf(records.shape) * 4) / ExitRecord.size;
    const bind = { records, edges, histograms };
    const params = { rows, classes, bins: edges.shape[1]! + 1, measure: MEASURES[measure] };
    // Not of rows: those that left in the run before are counted too, whatever the present one is of.
    return [dispatch(exitHistogramKernel, { bind, params, grid: linearGrid(rows, 64) })];
  },
  gradient: none('it counts'),
});
