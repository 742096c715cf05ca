import type { CriterionKind } from '../../earlyexit/criteria.ts';
import type { ThresholdStability } from '../../earlyexit/judgement/stability.ts';
import { plural, points, significant } from '../format.ts';
import { colour, styled } from './chart.ts';
import type { Chart } from './chart.ts';

const WIDTH = 440;

interface StabilityOptions {
  readonly criterion: CriterionKind;
  readonly classNames: readonly string[];
}

/** Each threshold with the interval it falls within on resampled data, and what moves from one end to the other. */
export function stabilityChart(
  stability: readonly ThresholdStability[],
  { criterion, classNames }: StabilityOptions,
  id: string,
): Chart {
  const values = stability.map(({ exit, label, threshold, span, unstable }) => ({
    ...threshold,
    row: `exit ${exit}${label === undefined ? '' : ` ${classNames[label] ?? label}`}`,
    colour: colour(unstable ? 'wrong' : 'accent'),
    text:
      `${unstable ? 'unstable' : 'stable'}: moves share by ${points(span.share)}, ` +
      `accuracy by ${points(span.accuracy)} points`,
  }));
  const unit = criterion === 'entropy' ? ', nats' : '';
  const own = { field: 'colour', type: 'nominal', scale: null };
  const y = { field: 'row', type: 'nominal', sort: null, axis: { title: null, labelPadding: 8 } };
  const x = (field: string) => ({
    field,
    type: 'quantitative',
    axis: { title: `threshold of the ${criterion}${unit}`, tickCount: 5 },
  });
  const said = values.map(({ row, value, low, high, text }) =>
    `${row}: ${significant(value)}, from ${significant(low)} to ${significant(high)}, ${text}`);
  return {
    id,
    alt: `Thresholds and their 95 % intervals, ${plural(values.length, 'threshold')}. ${said.join('; ')}.`,
    spec: styled({
      width: WIDTH,
      height: { step: 44 },
      data: { values },
      encoding: { y },
      layer: [
        {
          mark: { type: 'rule', strokeWidth: 3, yOffset: 8 },
          encoding: { x: x('low'), x2: { field: 'high' }, stroke: own },
        },
        {
          mark: { type: 'point', size: 90, filled: true, opacity: 1, yOffset: 8 },
          encoding: { x: x('value'), color: own },
        },
        {
          mark: { type: 'text', align: 'left', baseline: 'middle', yOffset: -9 },
          encoding: { x: { value: 0 }, text: { field: 'text' } },
        },
      ],
    }),
  };
}
