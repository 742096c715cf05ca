import type { Rows } from '../tensor/spec.ts';
import type { Step } from './lower.ts';

/** Launches whose grids one small kernel computes as a segment begins, from one live count. */
export interface IndirectGroup {
  readonly segment: number;
  readonly rows: Rows;
  /** Positions in the list of steps. */
  readonly steps: readonly number[];
}

/**
 * Which launches can have their grids computed on the GPU: those whose live count an earlier segment has decided there.
 * What decides such a count itself is always launched: those behind must hear that nobody is left.
 */
export function indirectGroups(steps: readonly Step[]): IndirectGroup[] {
  const decided = new Map<Rows, number>();
  const groups = new Map<Rows, { segment: number; rows: Rows; steps: number[] }>();
  steps.forEach(({ dispatch: { rows, bind }, segment }, position) => {
    const decides = Object.values(bind).filter((bound) => bound.kind === 'live');
    for (const bound of decides) decided.set(bound.rows, segment);
    if (!rows || decides.length > 0 || !(decided.get(rows)! < segment)) return;
    const group = groups.get(rows) ?? { segment, rows, steps: [] };
    groups.set(rows, group);
    group.steps.push(position);
  });
  return [...groups.values()];
}
