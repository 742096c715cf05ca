import type { Interval } from '../earlyexit/judgement/intervals.ts';
import type { ThresholdStability } from '../earlyexit/judgement/stability.ts';
import type { Baseline, ModelFindings } from './findings.ts';
import { compare, percent, points, significant, whole } from './format.ts';
import { html } from './markup.ts';
import type { Content, Markup } from './markup.ts';

/** The first cell of a row names it. The table can be scrolled by keyboard where it is too wide. */
export function dataTable(
  label: string,
  columns: readonly string[],
  rows: readonly (readonly [name: string, ...cells: Content[]])[],
): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>
${rows.map(([name, ...cells]) =>
    html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>\n`)}</tbody>
</table></div>`;
}

/** `98.70 %`, and below it where the true value lies. */
export const interval = ({ value, low, high }: Interval): Markup =>
  html`${percent(value)}<small>${points(low)} to ${points(high)}</small>`;

/** Each model with exits and without, and the plain networks. */
export function comparisonTable(models: readonly ModelFindings[], plain: readonly Baseline[]): Markup {
  const rows = models.flatMap(({ name, accuracy, accuracyFull, macs, latency }) => {
    const of = models.length > 1 ? `${name}, ` : '';
    return [
      [`${of}with exits`, interval(accuracy), work(macs.mean, macs.full), significant(latency.early.p50)],
      [`${of}without`, interval(accuracyFull), whole(macs.full), significant(latency.full.p50)],
    ] as [string, ...Content[]][];
  });
  const others = plain.map(({ name, accuracy, macs }): [string, ...Content[]] => [
    name,
    interval(accuracy),
    whole(macs),
    '',
  ]);
  return html`<div>
${dataTable('Accuracy and compute', ['', 'right', 'MACs', 'p50, ms'], [...rows, ...others])}
${models.map(gainNote)}
</div>`;
}

const work = (mean: number, full: number): Markup =>
  html`${whole(mean)}<small>${compare(full / mean, 'fewer', 'more')}</small>`;

function gainNote({ name, gain, depths, notFinite }: ModelFindings, _: number, all: readonly unknown[]): Markup {
  const of = all.length > 1 ? `${name}: ` : '';
  const [least, most] = [gain.low, gain.high].map(signedPoints);
  const lost = `${of}with exits minus without: ${signedPoints(gain.value)} points, between ${least} and ${most}.`;
  const broken = `${of}${whole(notFinite)} of the samples have a NaN or infinite score at the last exit.`;
  return html`${depths.length > 1 ? html`<p class="note">${lost}</p>` : ''}${
    notFinite > 0 ? html`<p class="note">${broken}</p>` : ''}`;
}

const signedPoints = (share: number): string => `${share > 0 ? '+' : ''}${points(share)}`;

/** What each exit does, and how far it can be believed. */
export function exitTable({ depths, reliability }: ModelFindings): Markup {
  const rows = depths.map(({ exit, share, accuracy, accuracyAll, value }): [string, ...Content[]] => {
    const trust = reliability.find((one) => one.exit === exit);
    const worth = value && html`${signedPoints(value.accuracy.value)} points<small>${added(value.macs)} MACs</small>`;
    return [
      `exit ${exit}`,
      interval(share),
      accuracy ? interval(accuracy) : '-',
      interval(accuracyAll),
      trust?.failureAuroc?.toFixed(3) ?? '-',
      worth ?? '-',
    ];
  });
  const columns = ['', 'leave here', 'right, of those', 'right, of all', 'failure AUROC', 'worth'];
  return dataTable('Exits', columns, rows);
}

/** How far thresholds are a matter of the samples they were chosen on. */
export function stabilityTable(stability: readonly ThresholdStability[]): Markup {
  const rows = stability.map(({ exit, threshold, span, unstable }): [string, ...Content[]] => [
    `exit ${exit}`,
    html`${significant(threshold.value)}<small>${significant(threshold.low)} to ${significant(threshold.high)}</small>`,
    `${points(span.accuracy)} points`,
    `${points(span.share)} points`,
    unstable ? html`<strong>unstable</strong>` : 'stable',
  ]);
  const columns = ['', 'threshold', 'moves accuracy by', 'moves share by', ''];
  return dataTable('Stability of the thresholds', columns, rows);
}

const added = (macs: number): string => `${macs > 0 ? '+' : ''}${whole(macs)}`;
