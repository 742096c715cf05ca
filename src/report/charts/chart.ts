import { escapeHtml } from '../markup.ts';

/** Of Vega-Lite, as plain data: what draws it is handed in, since the library comes without dependencies. */
export type Spec = Readonly<Record<string, unknown>>;

export interface Chart {
  /** Of the figure in the page, and of its file. */
  readonly id: string;
  /** What a reader who does not see the picture should know. */
  readonly alt: string;
  readonly spec: Spec;
}

/** Makes an SVG of a specification. */
export type Draw = (spec: Spec) => Promise<string>;

/**
 * Light and dark. The series keep apart for the colour-blind (after Okabe and Ito 2008, "Color universal design"), with
 * at least 4.5:1 against the paper, as text asks for.
 */
const PALETTE = {
  ink: ['#1c2230', '#e9ecf1'],
  quiet: ['#596273', '#a6afbd'],
  line: ['#dde1e7', '#353c48'],
  paper: ['#ffffff', '#15181e'],
  accent: ['#0a62b0', '#6fb7ff'],
  wrong: ['#bd4a06', '#ff9c60'],
  green: ['#00795a', '#4fd1a5'],
  violet: ['#8b4a9c', '#d6a5e6'],
  ochre: ['#806000', '#dcc161'],
} as const satisfies Record<string, readonly [light: string, dark: string]>;

type Colour = keyof typeof PALETTE;
const NAMES = Object.keys(PALETTE) as Colour[];

/** A colour that the page sets. */
export const colour = (name: Colour): string => `var(--${name})`;

const SERIES = (['accent', 'wrong', 'green', 'violet', 'ochre'] as const).map(colour);

/** Of the model at `index`; they come again after five. */
export const seriesColour = (index: number): string => SERIES[index % SERIES.length]!;

/** The declarations of the colours for a style sheet. */
export const colourVariables = (mode: 'light' | 'dark'): string =>
  NAMES.map((name) => `--${name}: ${PALETTE[name][mode === 'light' ? 0 : 1]};`).join(' ');

export const FONT_SIZE = 12;

const CONFIG = {
  // The page says in one sentence what a picture shows.
  aria: false,
  background: null,
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  axis: {
    labelColor: colour('quiet'),
    labelFontSize: FONT_SIZE,
    titleColor: colour('quiet'),
    titleFontSize: FONT_SIZE,
    titleFontWeight: 'normal',
    titlePadding: 8,
    gridColor: colour('line'),
    domainColor: colour('quiet'),
    tickColor: colour('quiet'),
  },
  axisY: { domain: false, ticks: false },
  axisX: { grid: false },
  text: { fontSize: FONT_SIZE, color: colour('ink') },
  title: { color: colour('quiet'), fontSize: FONT_SIZE, fontWeight: 'normal', anchor: 'start', frame: 'group' },
};

/** Adds what all charts share. */
export const styled = (spec: Spec): Spec => ({
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  padding: 4,
  config: CONFIG,
  ...spec,
});

/** With lines below that say what it was measured on, for a picture that stands alone. */
export const captioned = (spec: Spec, caption: readonly string[]): Spec =>
  styled({ title: { text: caption, orient: 'bottom', anchor: 'start', offset: 14 }, vconcat: [spec] });

/** For a page that sets the colours; `label` is read aloud. */
export function inlineSvg(svg: string, label: string): string {
  const attributes = `role="img" aria-label="${escapeHtml(label)}"`;
  return svg
    .replace(/ xmlns(:xlink)?="[^"]*"/g, '')
    .replace(/ version="1.1" class="marks"/, '')
    .replace('<svg', `<svg ${attributes}`);
}

/** For a file of its own: light, on white, for any program that reads SVG. */
export function standaloneSvg(svg: string): string {
  const coloured = NAMES.reduce((text, name) => text.replaceAll(colour(name), PALETTE[name][0]), svg);
  return coloured.replace(/(<svg[^>]*>)/, `$1<rect width="100%" height="100%" fill="${PALETTE.paper[0]}"/>`);
}
