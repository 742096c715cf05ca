import type { Interval } from '../../earlyexit/judgement/intervals.ts';
import type { Baseline, ModelFindings } from '../findings.ts';
import { percent, whole } from '../format.ts';
import { colour, seriesColour, styled } from './chart.ts';
import type { Chart } from './chart.ts';
import { placeLabels } from './labels.ts';

const WIDTH = 360;
const HEIGHT = 230;

/** A model on the chart; the curve may be left out. */
type Judged = Pick<ModelFindings, 'name' | 'accuracy' | 'accuracyFull'> & {
  readonly macs: Pick<ModelFindings['macs'], 'mean' | 'full'>;
  readonly curve?: ModelFindings['curve'];
};

interface Marked {
  readonly name: string;
  readonly accuracy: Interval;
  readonly macs: number;
  readonly colour: string;
  readonly shape: 'circle' | 'diamond' | 'square';
  readonly filled: boolean;
}

/**
 * Accuracy against multiply-accumulates: for each model the curve over its thresholds with its interval, the operating
 * point, and the network without exits; the plain networks.
 */
export function accuracyChart(models: readonly Judged[], plain: readonly Baseline[]): Chart {
  const several = models.length > 1;
  const marked: readonly Marked[] = [
    ...models.flatMap(({ name, accuracy, accuracyFull, macs }, index): Marked[] => {
      const own = { colour: seriesColour(index), shape: 'circle' } as const;
      return [
        { ...own, name: several ? name : 'with exits', accuracy, macs: macs.mean, filled: true },
        // Of several, the hollow ring in the same colour says it.
        { ...own, name: several ? '' : 'without exits', accuracy: accuracyFull, macs: macs.full, filled: false },
      ];
    }),
    ...plain.map((baseline): Marked => ({ ...baseline, colour: colour('quiet'), shape: 'diamond', filled: false })),
  ];
  const curves = models.flatMap(({ curve = [] }, index) =>
    curve.map(({ accuracy, macs }) => ({ ...accuracy, macs, colour: seriesColour(index) })));
  const ends = [...marked.map(({ accuracy }) => accuracy), ...curves].flatMap(({ low, high }) => [low, high]);
  const x = [0, Math.max(...[...marked, ...curves].map(({ macs }) => macs)) * 1.04] as const;
  const y = widened(Math.min(...ends), Math.max(...ends));
  const at = ({ macs, accuracy }: { macs: number; accuracy: number }) => ({
    x: (WIDTH * (macs - x[0])) / (x[1] - x[0]),
    y: HEIGHT * (1 - (accuracy - y[0]) / (y[1] - y[0])),
  });
  const texts = marked
    .filter(({ name }) => name !== '')
    .map(({ name, accuracy, macs, ...mark }) => ({
      ...at({ macs, accuracy: accuracy.value }),
      text: `${name} ${percent(accuracy.value)}`,
      colour: mark.colour,
    }));
  const bars = marked.flatMap(({ macs, accuracy: { low, high } }) =>
    Array.from({ length: 20 }, (_, step) => ({ macs, value: low + ((high - low) * step) / 19 })));
  const obstacles = [...curves, ...bars].map(({ macs, value }) => at({ macs, accuracy: value }));
  const labels = placeLabels(texts, obstacles, { width: WIDTH, height: HEIGHT }).map((place, index) => ({
    ...texts[index]!,
    ...place,
  }));
  const points = marked.map(({ accuracy, ...mark }) => ({ ...mark, ...accuracy }));
  const macs = {
    field: 'macs',
    type: 'quantitative',
    scale: { domain: x, nice: false },
    axis: { title: 'multiply-accumulates per sample, mean', labelExpr: "format(datum.value, '.3~s')", tickCount: 5 },
  };
  const accuracy = (field: string) => ({
    field,
    type: 'quantitative',
    scale: { domain: y, nice: false, zero: false },
    axis: { title: null, format: y[1] - y[0] < 0.04 ? '.1%' : '.0%', tickCount: 5 },
  });
  const own = { field: 'colour', type: 'nominal', scale: null };
  const span = { x: macs, y: accuracy('low'), y2: { field: 'high' } };
  return {
    id: 'accuracy',
    alt: `Accuracy against multiply-accumulates. ${marked
      .filter(({ name }) => name !== '')
      .map((mark) => `${mark.name}: ${percent(mark.accuracy.value)} at ${whole(mark.macs)}`)
      .join('; ')}.`,
    spec: styled({
      title: { text: 'accuracy', offset: 12 },
      width: WIDTH,
      height: HEIGHT,
      layer: [
        { data: { values: curves }, mark: { type: 'area', opacity: 0.14 }, encoding: { ...span, fill: own } },
        {
          data: { values: curves },
          mark: { type: 'line', strokeWidth: 2 },
          encoding: { x: macs, y: accuracy('value'), stroke: own },
        },
        { data: { values: points }, mark: { type: 'rule', strokeWidth: 1.5 }, encoding: { ...span, stroke: own } },
        {
          data: { values: points },
          mark: { type: 'point', size: 90, strokeWidth: 2, opacity: 1 },
          encoding: {
            x: macs,
            y: accuracy('value'),
            stroke: own,
            shape: { field: 'shape', type: 'nominal', scale: null },
            fill: { condition: { test: 'datum.filled', ...own }, value: colour('paper') },
          },
        },
        {
          data: { values: labels },
          mark: { type: 'text', align: 'left', baseline: 'middle', fontWeight: 600 },
          encoding: {
            x: { field: 'x', type: 'quantitative', scale: null },
            y: { field: 'y', type: 'quantitative', scale: null },
            text: { field: 'text' },
            color: own,
          },
        },
      ],
    }),
  };
}

/** With room around it, though all be the same; within the shares there are. */
function widened(low: number, high: number): readonly [number, number] {
  const room = Math.max(0.15 * (high - low), 0.002);
  return [Math.max(0, low - room), Math.min(1, high + room)];
}
