import { percent } from '../format.ts';
import { colour, styled } from './chart.ts';
import type { Chart } from './chart.ts';

interface Depth {
  /** Counted from 1. */
  readonly exit: number;
  /** Of all samples, those that leave here. */
  readonly share: number;
  /** Of these, the right ones; null if none leaves. */
  readonly accuracy: number | null;
}

/** The share of the samples that leaves at each exit, and how many of these are right. */
export function depthChart(depths: readonly Depth[], id: string): Chart {
  const values = depths.map(({ exit, share, accuracy }) => ({
    exit: `exit ${exit}`,
    share,
    right: share * (accuracy ?? 0),
    text: percent(share, 1) + (accuracy === null ? '' : `, ${percent(accuracy, 1)} of them right`),
  }));
  const y = { field: 'exit', type: 'nominal', sort: null, axis: { title: null, labelPadding: 8 } };
  const bar = (field: string, fill: string) => ({
    mark: { type: 'bar', height: 14, yOffset: 8, color: fill },
    encoding: { x: { field, type: 'quantitative', scale: { domain: [0, 1] }, axis: null } },
  });
  return {
    id,
    alt: `Where samples leave. ${values.map(({ exit, text }) => `${exit}: ${text}`).join('; ')}.`,
    spec: styled({
      width: 340,
      height: { step: 44 },
      data: { values },
      encoding: { y },
      layer: [
        { ...bar('whole', colour('line')), transform: [{ calculate: '1', as: 'whole' }] },
        bar('share', colour('wrong')),
        bar('right', colour('accent')),
        {
          mark: { type: 'text', align: 'left', baseline: 'middle', yOffset: -9, xOffset: 0 },
          encoding: { x: { value: 0 }, text: { field: 'text' } },
        },
      ],
    }),
  };
}
