import type { Chart, Draw } from './charts/chart.ts';
import type { Markup } from './markup.ts';

/** What the page is made with. */
export interface PageTools {
  readonly draw: Draw;
  /** A sample as a `data:` address; nothing where it cannot be shown. */
  readonly picture: (sample: number) => string | undefined;
  readonly classNames: readonly string[];
}

/** Places a chart in the page, with what it shows in words. */
export type Place = (chart: Chart, caption: string) => Promise<Markup>;
