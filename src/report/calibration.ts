import type { Calibrator } from '../earlyexit/judgement/calibration/calibrators.ts';
import type { CalibrationMeasures, ExitCalibration } from '../earlyexit/judgement/calibration/report.ts';
import { percent, plural } from './format.ts';
import { table, wrap } from './table.ts';

const WIDTH = 80;

export interface CalibrationTitle {
  readonly title: string;
  /** Names of the data. */
  readonly fittedOn: string;
  readonly judgedOn: string;
}

/** What calibration did for each exit, as text of at most 80 columns. */
export function calibrationText(
  report: readonly ExitCalibration[],
  calibrators: readonly Calibrator[],
  { title, fittedOn, judgedOn }: CalibrationTitle,
): string {
  const rows = report.flatMap(({ exit, before, after }, index) => [
    [`exit ${exit}`, ...cells(before)],
    [`  ${calibratorText(calibrators[index]!)}`, ...cells(after)],
  ]);
  const left = report.reduce((most, { leftOut }) => Math.max(most, leftOut), 0);
  const worse = report.filter(({ before, after }) => after.ece > before.ece).map(({ exit }) => exit);
  const bounded = calibrators.some((calibrator) => calibrator.kind === 'temperature' && calibrator.bounded);
  return [
    ...wrap(`${title}, calibrated on ${fittedOn}, judged on ${judgedOn}`, WIDTH),
    '',
    table([['', 'accuracy', 'ECE', 'adaptive', 'Brier', 'NLL', 'failure AUROC'], ...rows], { indent: 2 }),
    '',
    ...wrap(
      'The errors (ECE, adaptive, Brier, NLL) are the better the smaller. What an exit decides by is an order of its ' +
        'answers: that is the failure AUROC, 1 at best, which calibration hardly changes.',
      WIDTH,
    ),
    ...(worse.length > 0
      ? wrap(`On ${judgedOn} the ECE is LARGER than before at exit ${worse.join(', ')}.`, WIDTH)
      : []),
    ...(bounded ? ['* at the end of its range: the data do not say how far, and 1 is kept instead'] : []),
    ...(left > 0 ? [`left out for a NaN or infinite logit: up to ${plural(left, 'sample')} of an exit`] : []),
  ].join('\n');
}

const cells = ({ accuracy, ece, adaptiveEce, brier, nll, failureAuroc }: CalibrationMeasures): string[] => [
  percent(accuracy),
  percent(ece),
  percent(adaptiveEce),
  ...[brier, nll, failureAuroc].map((value) => value?.toFixed(4) ?? '-'),
];

const calibratorText = (calibrator: Calibrator): string =>
  calibrator.kind === 'temperature'
    ? `T ${Number(calibrator.temperature.toPrecision(4))}${calibrator.bounded ? '*' : ''}`
    : calibrator.kind;
