import type { ExitReliability } from '../findings.ts';
import { percent } from '../format.ts';
import { colour, styled } from './chart.ts';
import type { Chart } from './chart.ts';

const SIDE = 210;

/** How often an exit is right, against how sure it says it is; the more samples, the larger the dot. */
export function reliabilityChart({ exit, error, bins }: ExitReliability, id: string): Chart {
  const axis = { format: '.0%', values: [0, 0.25, 0.5, 0.75, 1] };
  const shares = { type: 'quantitative', scale: { domain: [0, 1], nice: false } };
  const x = { ...shares, field: 'confidence', axis: { ...axis, title: 'confidence' } };
  const y = { ...shares, axis: { ...axis, title: null } };
  const values = bins.map(({ accuracy, ...bin }) => ({ ...bin, ...accuracy }));
  const ideal = [0, 1].map((share) => ({ confidence: share, value: share }));
  return {
    id,
    alt:
      `Reliability of exit ${exit}, expected calibration error ${percent(error)}. ` +
      bins.map((bin) => `${percent(bin.confidence, 0)} sure, ${percent(bin.accuracy.value, 0)} right`).join('; ') +
      '.',
    spec: styled({
      title: { text: `exit ${exit}: share right`, offset: 12 },
      width: SIDE,
      height: SIDE,
      layer: [
        {
          data: { values: ideal },
          mark: { type: 'line', color: colour('quiet'), strokeDash: [4, 4], strokeWidth: 1 },
          encoding: { x, y: { ...y, field: 'value' } },
        },
        {
          data: { values },
          mark: { type: 'rule', color: colour('accent'), strokeWidth: 1.5 },
          encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' } },
        },
        {
          data: { values },
          mark: { type: 'circle', color: colour('accent'), opacity: 1 },
          encoding: {
            x,
            y: { ...y, field: 'value' },
            size: { field: 'count', type: 'quantitative', scale: { range: [18, 220], type: 'sqrt' }, legend: null },
          },
        },
        {
          data: { values: [{ text: `ECE ${percent(error, 1)}` }] },
          mark: { type: 'text', align: 'right', baseline: 'bottom' },
          encoding: { x: { value: SIDE }, y: { value: -12 }, text: { field: 'text' } },
        },
      ],
    }),
  };
}
