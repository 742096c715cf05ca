/** Rows as lines of a terminal and as a table. */
import type { Outcome, Row } from './compare.ts';

/** What exitgpu is to be ahead of: the libraries on the same adapter. */
const RIVALS: readonly string[] = ['tfjs', 'jax-js', 'ort-node WebGPU'];

/** @param rows those measured so far, this one among them */
export function line(row: Row, rows: readonly Row[]): string {
  const cells = Object.entries(row.outcomes).map(([name, outcome]) => `${name} ${cell(outcome)}`);
  return `${row.name}: ${cells.join(', ')}; best rival / exitgpu ${ratio(row, rows)}`;
}

export function markdown(rows: readonly Row[], names: readonly string[]): string {
  const lines = rows.map((row) => [row.name, ...names.map((name) => cell(row.outcomes[name])), ratio(row, rows)]);
  return table([['case', ...names, 'best rival / exitgpu'], ...lines]);
}

/** The most that each held in buffers, in MB. */
export function memoryMarkdown(rows: readonly Row[], names: readonly string[]): string {
  const peak = (outcome: Outcome | undefined): string =>
    outcome && 'peakBytes' in outcome ? (outcome.peakBytes! / 1e6).toPrecision(3) : '-';
  const lines = rows.map(({ name, outcomes }) => [name, ...names.map((peer) => peak(outcomes[peer]))]);
  return table([['peak MB in buffers', ...names], ...lines]);
}

function table([header, ...lines]: readonly (readonly string[])[]): string {
  return [header!, header!.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function cell(outcome: Outcome | undefined): string {
  if (!outcome) return '-';
  return 'reason' in outcome ? outcome.reason : `${rounded(outcome.bestMs)} / ${rounded(outcome.medianMs)}`;
}

function rounded(ms: number): string {
  return ms < 100 ? ms.toPrecision(3) : ms.toFixed(0);
}

/** How many times faster exitgpu is than the fastest rival with right results. */
function ratio(row: Row, rows: readonly Row[]): string {
  const rivals = row.against === undefined ? row : rows.find(({ name }) => name === row.against);
  const times = Math.min(...RIVALS.map((name) => best(rivals, name))) / best(row, 'exitgpu');
  return Number.isFinite(times) && times > 0 ? times.toFixed(2) : '-';
}

function best(row: Row | undefined, name: string): number {
  const outcome = row?.outcomes[name];
  return outcome && 'bestMs' in outcome ? outcome.bestMs : Infinity;
}
