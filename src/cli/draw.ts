import { parse, View } from 'vega';
import { compile } from 'vega-lite';
import type { TopLevelSpec } from 'vega-lite';
import type { Draw } from '../report/charts/chart.ts';

/** Draws without a page: an SVG as text. Imported by those verbs alone that draw, since Vega is large. */
export const draw: Draw = async (spec) => {
  const view = new View(parse(compile(spec as unknown as TopLevelSpec).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
};
