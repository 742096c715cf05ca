/** How numbers look in text for people. */

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `1,140,070` */
export const whole = (value: number): string => grouped.format(value);

/** A share as `97.80 %`. */
export const percent = (share: number, digits = 2): string => `${(share * 100).toFixed(digits)} %`;

/** A difference of shares in percentage points: `0.20`. */
export const points = (share: number): string => (share * 100).toFixed(2);

/** `2.84x` */
export const times = (ratio: number): string => `${ratio.toFixed(2)}x`;

/** `2.84x fewer` of a ratio above 1, `1.10x more` of one below. */
export const compare = (ratio: number, better: string, worse: string): string =>
  ratio >= 1 ? `${times(ratio)} ${better}` : `${times(1 / ratio)} ${worse}`;

/** Three digits that count: `0.0312`, `4.20`, `118`. */
export const significant = (value: number): string =>
  Math.abs(value) >= 100 ? whole(value) : Number.isFinite(value) ? value.toPrecision(3) : '-';

/** `1 sample`, `1,000 samples` */
export const plural = (count: number, noun: string): string => `${whole(count)} ${noun}${count === 1 ? '' : 's'}`;

/** `256 MiB`; powers of 1024. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10));
  const value = count / 1024 ** power;
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[power]}`;
}
