import { controlRisk, geometricShares, NotCertifiedError, RISK_METHODS, risks, tuneTo } from '../node.ts';
import type { ChosenThresholds, CriterionKind, Dataset, ExitTimes, Network, ScoreTable } from '../node.ts';
import { endsOf } from '../earlyexit/judgement/answers.ts';
import { kebab } from './command-line.ts';
import { chooseNow, MAX_LOSS } from './criterion.ts';
import { choice, number, numbers, optionalFlag, toggle } from './flags.ts';
import type { Values } from './flags.ts';
import { UsageError } from './usage-error.ts';

const RISKS = {
  'accuracy-loss': risks.accuracyLoss,
  'premature-exit': risks.prematureExit,
  'error-rate': risks.errorRate,
  disagreement: risks.disagreement,
};
type RiskName = keyof typeof RISKS;

/** `accuracy-loss=0.01` */
function readRisk(text: string): { name: RiskName; level: number } {
  const [name = '', level = '', ...rest] = text.split('=');
  if (!Object.hasOwn(RISKS, name) || rest.length > 0 || level === '') {
    const names = Object.keys(RISKS).join(', ');
    throw new UsageError(`expected one of ${names} with a level, accuracy-loss=0.01; got '${text}'`);
  }
  return { name: name as RiskName, level: number(0, 1)(level) };
}

const COST = 'a share of the network without exits, up to 1, or a number';

export const targetFlags = {
  maxLoss: optionalFlag(number(0, 100), {
    placeholder: 'points',
    help: `Target: save most, with so many percentage points of accuracy lost at most (${MAX_LOSS} if none is given)`,
  }),
  perClass: toggle('With --max-loss: a threshold for each class that an exit may answer'),
  macs: optionalFlag(number(0, Infinity, { exclusive: true }), {
    placeholder: 'cost',
    help: `Target: most accurate, with so many multiply-accumulates per sample in the mean at most: ${COST}`,
  }),
  milliseconds: optionalFlag(number(0, Infinity, { exclusive: true }), {
    placeholder: 'ms',
    help: 'Target: most accurate, with so many milliseconds per sample in the mean at most, measured on this adapter',
  }),
  deadline: optionalFlag(number(0, Infinity, { exclusive: true }), {
    placeholder: 'ms',
    help: 'Target: most accurate, with few samples that take longer than so many milliseconds on this adapter',
  }),
  late: optionalFlag(number(0, 1), {
    placeholder: 'share',
    help: 'With --deadline: the share of the samples that may take longer (default 0.01)',
  }),
  shares: optionalFlag(numbers(0), {
    placeholder: 's,s..',
    help: 'Target: these shares of the samples leave at each exit, the last included',
  }),
  budget: optionalFlag(number(0, Infinity, { exclusive: true }), {
    placeholder: 'cost',
    help: `Target: shares in geometric progression that cost so much in the mean, as for MSDNet: ${COST}`,
  }),
  risk: optionalFlag(readRisk, {
    placeholder: 'name=level',
    help: `Target: save most with a guarantee that is kept with the model: ${Object.keys(RISKS).join(', ')}`,
  }),
  delta: optionalFlag(number(0, 1, { exclusive: true }), {
    placeholder: 'p',
    help: 'With --risk: the probability that the guarantee may fail with (default 0.1)',
  }),
  method: optionalFlag(choice(...RISK_METHODS), {
    placeholder: 'name',
    help: `With --risk: ${RISK_METHODS.join(', ')} (default fixed-sequence)`,
  }),
};
export type TargetFlags = Values<typeof targetFlags>;

const TARGETS = ['maxLoss', 'macs', 'milliseconds', 'deadline', 'shares', 'budget', 'risk'] as const;

export type Chooser = (table: ScoreTable) => ChosenThresholds;

/** Whether the target is one of time, which is measured on the device. */
export const isTimed = ({ milliseconds, deadline }: TargetFlags): boolean => (milliseconds ?? deadline) !== undefined;

/**
 * What chooses thresholds as the flags ask, given times where `isTimed`. `apartFrom`: data that must share no images
 * with what a guarantee is made on.
 * @throws UsageError for more than one target, or flags that belong to another
 */
export function chooserOf(
  flags: TargetFlags,
  { macs }: Network,
  criterion: CriterionKind,
  apartFrom: readonly Dataset[],
): (table: ScoreTable, times?: ExitTimes) => ChosenThresholds {
  const { maxLoss, perClass, macs: most, milliseconds, deadline, late, shares, budget, risk, delta, method } = flags;
  const given = TARGETS.filter((name) => flags[name] !== undefined).map((name) => `--${kebab(name)}`);
  if (given.length > 1) throw new UsageError(`tune: expected one target, got ${given.length}: ${given.join(', ')}`);
  if (perClass && given.length > 0 && maxLoss === undefined) {
    throw new UsageError(`--per-class: expected it with --max-loss, got ${given[0]}`);
  }
  if (risk === undefined && (delta ?? method) !== undefined) {
    throw new UsageError('--delta and --method: expected them with --risk name=level, got none');
  }
  if (late !== undefined && deadline === undefined) {
    throw new UsageError('--late: expected it with --deadline ms, got none');
  }
  if (late === 1) throw new UsageError('--late: expected less than 1, where every sample may be late, got 1');
  const cost = (value: number): number => (value <= 1 ? value * macs.full : value);
  if (risk) {
    const options = { loss: RISKS[risk.name], level: risk.level, criterion, delta, method, date: new Date() };
    return (table) => controlRisk(table, { ...options, ...(table.fingerprint === undefined && { apartFrom }) });
  }
  if (most !== undefined) return (table) => tuneTo(table, { macs: cost(most) }, { criterion });
  if (milliseconds !== undefined) {
    return (table, times) => tuneTo(table, { milliseconds, times: times! }, { criterion });
  }
  if (deadline !== undefined) {
    const target = { deadlineMs: deadline, ...(late !== undefined && { late }) };
    return (table, times) => tuneTo(table, { ...target, times: times! }, { criterion });
  }
  const wanted = budget === undefined ? shares : geometricShares(macs.toExit, { budget: cost(budget) });
  if (wanted) return (table) => tuneTo(table, { shares: wanted }, { criterion });
  if (perClass) {
    return (table) => tuneTo(table, { maxAccuracyLoss: (maxLoss ?? MAX_LOSS) / 100, perClass }, { criterion });
  }
  return (table) => chooseNow(table, { criterion, maxLoss });
}

/** As it chooses, but where nothing is certified none leaves early: for choosing again on resampled data. */
export const leniently =
  (choose: Chooser, chosen: ChosenThresholds, classes: number): Chooser =>
  (table) => {
    try {
      return choose(table);
    } catch (error) {
      if (!(error instanceof NotCertifiedError)) throw error;
      const [strictest] = endsOf(chosen.criterion, classes);
      return { ...chosen, values: chosen.values.map(() => strictest) };
    }
  };
