import type { Tuned, TunedVariant } from '../graph/tune.ts';
import { significant } from './format.ts';
import { table } from './table.ts';

/** What `tune` measured, a line for each choice; `known`: what had been measured before. */
export function tunedText(tuned: readonly Tuned[], known: ReadonlyMap<string, string>): string {
  const before = known.size > 0 ? `${known.size} choices were known before; ` : '';
  if (tuned.length === 0) return `${before}nothing to measure: no operation has another variant at these shapes`;
  const variantText = ({ name, ms, dropped }: TunedVariant): string =>
    `${name} ${ms === undefined ? dropped : `${significant(ms)} ms`}`;
  const rows = tuned.map(({ key, variants, fastest }) => [key, fastest, variants.map(variantText).join(', ')]);
  return `${before}measured ${tuned.length}\n\n${table([['operation and shapes', 'fastest', 'variants'], ...rows])}`;
}
