import type { Examination } from '../../earlyexit/judgement/diagnosis.ts';
import { pointInterval } from '../sweep.ts';
import { colour, styled } from './chart.ts';
import type { Chart, Spec } from './chart.ts';

const WIDTH = 260;
/** Of the column of words at the left. */
const WORDS = 300;
const STEP = 19;

/** Each examination and its verdict, with those numbers for and against it that are differences of shares. */
export function diagnosisChart(examinations: readonly Examination[], id: string): Chart {
  const shown = examinations.map((examination) => {
    const { kind, found } = examination;
    const verdict = found === null ? 'not looked at' : found ? 'FOUND' : 'not found';
    const fill = colour(found === null ? 'quiet' : found ? 'wrong' : 'accent');
    const differences = found === null ? [] : examination.evidence.filter(({ unit }) => unit === 'difference');
    return { kind, verdict, fill, differences };
  });
  const rows = shown
    .flatMap(({ kind, verdict, fill, differences }) => [
      { kind, verdict, fill },
      ...differences.map(({ what, value }) => ({ what, ...value, fill })),
    ])
    .map((row, place) => ({ ...row, place }));
  const y = { field: 'place', type: 'ordinal', axis: null };
  const own = { field: 'fill', type: 'nominal', scale: null };
  const x = (field: string) => ({
    field,
    type: 'quantitative',
    axis: { title: 'difference, percentage points', labelExpr: "format(100 * datum.value, '~g')", tickCount: 5 },
  });
  const words = (field: string, at: number, style: Spec) => ({
    transform: [{ filter: `isValid(datum.${field})` }],
    mark: { type: 'text', align: 'left', baseline: 'middle', ...style },
    encoding: { y, x: { value: at }, text: { field }, ...(field === 'verdict' && { color: own }) },
  });
  const measured = { transform: [{ filter: 'isValid(datum.value)' }] };
  return {
    id,
    alt: `What was found. ${shown
      .map(({ kind, verdict, differences }) =>
        [`${kind}: ${verdict}`, ...differences.map(({ what, value }) => `${what} ${pointInterval(value)}`)].join(', '))
      .join('; ')}.`,
    spec: styled({
      width: WIDTH,
      height: { step: STEP },
      data: { values: rows },
      layer: [
        { mark: { type: 'rule', color: colour('line') }, encoding: { x: { datum: 0, type: 'quantitative' } } },
        {
          ...measured,
          mark: { type: 'rule', strokeWidth: 2 },
          encoding: { y, x: x('low'), x2: { field: 'high' }, stroke: own },
        },
        {
          ...measured,
          mark: { type: 'point', size: 40, filled: true, opacity: 1 },
          encoding: { y, x: x('value'), color: own },
        },
        words('kind', -WORDS, { fontWeight: 600 }),
        words('verdict', 6, { fontWeight: 600 }),
        words('what', 14 - WORDS, { color: colour('quiet') }),
      ],
    }),
  };
}
