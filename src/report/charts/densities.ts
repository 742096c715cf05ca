import type { ExitDensities } from '../densities.ts';
import { plural, whole } from '../format.ts';
import { colour } from './chart.ts';
import type { Chart } from './chart.ts';
import { histogramRows } from './histogram-rows.ts';

const COLOURS = { right: colour('accent'), wrong: colour('wrong'), unknown: colour('violet') };
const TITLES = { entropy: 'entropy, nats', confidence: '1 - confidence', margin: '1 - margin' };

/** How unsure an exit is of what it gets right, what it gets wrong, and what it cannot know. */
export function densityChart({ exit, measure, threshold, edges, groups }: ExitDensities, id: string): Chart {
  const title = `${TITLES[measure]}, at exit ${exit}`;
  return {
    id,
    alt: `Distribution of ${title}, for ${groups
      .map(({ group, count, leaving }) =>
        `${plural(count, `${group} input`)}${leaving === null ? '' : `, of which ${whole(leaving)} would leave`}`)
      .join('; ')}.`,
    spec: histogramRows({
      rows: groups.map(({ group, count, leaving, shares }) => ({
        name: group,
        note: leaving === null ? plural(count, 'input') : `${whole(leaving)} of ${whole(count)} would leave`,
        colour: COLOURS[group],
        shares,
      })),
      edges,
      scale: 'log',
      axis: {
        title,
        values: [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1],
        labelExpr: "datum.value < 0.001 ? format(datum.value, '.0e') : format(datum.value, '~g')",
      },
      marks: threshold === null ? [] : [{ at: Math.max(threshold, edges[0]!) }],
    }),
  };
}
