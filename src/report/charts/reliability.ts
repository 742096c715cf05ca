import type { ExitCalibration } from '../../earlyexit/judgement/calibration/report.ts';
import { wilson } from '../../earlyexit/judgement/intervals.ts';
import type { ExitReliability } from '../findings.ts';
import { percent } from '../format.ts';
import { colour, styled } from './chart.ts';
import type { Chart, Spec } from './chart.ts';

const SIDE = 210;
/** Of one of several beside each other. */
const SMALL = 165;

type Bins = ExitReliability['bins'];

/** How often an exit is right, against how sure it says it is; the more samples, the larger the dot. */
export function reliabilityChart({ exit, error, bins }: ExitReliability, id: string): Chart {
  return {
    id,
    alt: `Reliability of exit ${exit}, expected calibration error ${percent(error)}. ${sentence(bins)}.`,
    spec: styled(panel(`exit ${exit}: share right`, SIDE, [
      dots(bins, 'accent'),
      note(`ECE ${percent(error, 1)}`, SIDE, -12),
    ])),
  };
}

/** The same for each exit as it was, in grey and hollow, and as it is calibrated. */
export function calibrationChart(report: readonly ExitCalibration[], id: string): Chart {
  const exits = report.map(({ exit, before, after }) => ({
    exit,
    before: withIntervals(before.bins),
    after: withIntervals(after.bins),
    change: `ECE ${[before, after].map(({ ece }) => (100 * ece).toFixed(1)).join(' to ')} %`,
  }));
  return {
    id,
    alt: `Reliability before calibration and after. ${exits
      .map(({ exit, change, after }) => `Exit ${exit}, ${change}: ${sentence(after)}`)
      .join('. ')}.`,
    spec: styled({
      spacing: 26,
      hconcat: exits.map(({ exit, before, after, change }) =>
        panel(`exit ${exit}: share right`, SMALL, [
          dots(before, 'quiet', true),
          dots(after, 'accent'),
          // In the corner where no exit should have dots: sure, and wrong.
          note(change, SMALL - 4, SMALL - 6),
        ])),
    }),
  };
}

const withIntervals = (bins: ExitCalibration['before']['bins']): Bins =>
  bins.map(({ accuracy, count, confidence }) =>
    ({ count, confidence, accuracy: wilson(Math.round(accuracy * count), count) }));

const sentence = (bins: Bins): string =>
  bins.map((bin) => `${percent(bin.confidence, 0)} sure, ${percent(bin.accuracy.value, 0)} right`).join('; ');

const axis = { format: '.0%', values: [0, 0.25, 0.5, 0.75, 1] };
const shares = { type: 'quantitative', scale: { domain: [0, 1], nice: false } };
const x = { ...shares, field: 'confidence', axis: { ...axis, title: 'confidence' } };
const y = { ...shares, axis: { ...axis, title: null } };

/** A square with the diagonal on which an exit is right as often as it says. */
function panel(title: string, side: number, layers: readonly Spec[]): Spec {
  return {
    title: { text: title, offset: 12 },
    width: side,
    height: side,
    layer: [
      {
        data: { values: [0, 1].map((share) => ({ confidence: share, value: share })) },
        mark: { type: 'line', color: colour('quiet'), strokeDash: [4, 4], strokeWidth: 1 },
        encoding: { x, y: { ...y, field: 'value' } },
      },
      ...layers,
    ],
  };
}

/** Words that end at a place. */
const note = (text: string, x: number, y: number): Spec => ({
  data: { values: [{ text }] },
  mark: { type: 'text', align: 'right', baseline: 'bottom' },
  encoding: { x: { value: x }, y: { value: y }, text: { field: 'text' } },
});

/** A bin each, with its interval. */
function dots(bins: Bins, name: 'accent' | 'quiet', hollow = false): Spec {
  const fill = hollow ? colour('paper') : colour(name);
  return {
    data: { values: bins.map(({ accuracy, ...bin }) => ({ ...bin, ...accuracy })) },
    layer: [
      {
        mark: { type: 'rule', color: colour(name), strokeWidth: 1.5 },
        encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' } },
      },
      {
        mark: { type: 'point', fill, stroke: colour(name), strokeWidth: 1.5, opacity: 1 },
        encoding: {
          x,
          y: { ...y, field: 'value' },
          size: { field: 'count', type: 'quantitative', scale: { range: [18, 220], type: 'sqrt' }, legend: null },
        },
      },
    ],
  };
}
