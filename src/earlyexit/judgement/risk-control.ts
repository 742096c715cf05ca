import { assertDisjoint } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { ArgumentError, NotCertifiedError } from '../../errors.ts';
import { Random } from '../../random.ts';
import { greatestThreshold, resolveCriterion } from '../criteria.ts';
import type { CriterionKind, ThresholdCriterion } from '../criteria.ts';
import type { ChosenThresholds } from '../model.ts';
import { answersAt, barOf, checkTable, meanOf, sumOf, sureness } from './answers.ts';
import { BOUNDS } from './bounds.ts';
import { RISK_BOUNDS, RISK_METHODS } from './guarantee.ts';
import type { Guarantee, RiskBound, RiskMethod } from './guarantee.ts';
import type { RiskLoss } from './losses.ts';
import { accuracyOf, madeOn } from './scores.ts';
import type { ScoreTable } from './scores.ts';
import { sharesAt } from './thresholds.ts';

/** When a mean loss counts as controlled. */
export interface RiskRule {
  /** The mean loss is to be at most this. */
  readonly level: number;
  /** Least and greatest loss there can be. */
  readonly range: readonly [low: number, high: number];
  /** `fixed-sequence` where left out. */
  readonly method?: RiskMethod;
  /** Probability that the calibration set misleads; 0.1 where left out. Conformal control takes none. */
  readonly delta?: number;
  /** `waudby-smith-ramdas` where left out. Conformal control takes none. */
  readonly bound?: RiskBound;
}

export interface RiskControlOptions extends Omit<RiskRule, 'range'> {
  readonly loss: RiskLoss;
  /** Entropy where left out. */
  readonly criterion?: CriterionKind;
  /**
   * Thresholds, one per exit but the last or one for all, strictest first: `thresholdGrid` where left out. From
   * anywhere but the calibration set: what was chosen by looking at it must not be tested on it.
   */
  readonly candidates?: readonly (readonly number[])[];
  /** Data that must not share images with the calibration set: what the model was trained on, the test set. */
  readonly apartFrom?: readonly Dataset[];
  /** For the record. */
  readonly date: Date;
}

/**
 * Thresholds that save most among those whose risk is certified on a calibration set, which has neither trained the
 * model nor chosen candidates or temperatures. Samples must be independent draws; their order in the table does not
 * matter.
 * @throws NotCertifiedError where nothing that saves can be certified, with the samples that would do; ArgumentError
 * for options out of range, a network without early exits, no samples, losses beyond their range, shared images
 */
export function controlRisk(
  table: ScoreTable,
  options: RiskControlOptions,
): ChosenThresholds & { readonly guarantee: Guarantee } {
  const { dataset, exits, classes } = table;
  const { loss, criterion = 'entropy', candidates = thresholdGrid(criterion, classes), date, apartFrom = [] } = options;
  const rule = { ...options, range: loss.range };
  const resolved = resolveRule(rule);
  const { level, method, delta, bound } = resolved;
  checkTable('controlRisk', table, 2);
  if (candidates.length === 0) throw new ArgumentError('controlRisk: expected candidates, got none');
  if (Number.isNaN(date.getTime())) throw new ArgumentError('controlRisk: expected a date, got an invalid one');
  for (const other of apartFrom) assertDisjoint(dataset, other);

  // Bets depend on the order of losses, and files are often sorted by class.
  const order = new Random(0).shuffle(Uint32Array.from(dataset.labels.keys()));
  const sure = exits.slice(0, -1).map((list) => sureness(list, criterion));
  const tried = candidates.map((candidate) => {
    const asked: ThresholdCriterion = { kind: criterion, thresholds: candidate };
    const { thresholds } = resolveCriterion(asked, exits.length, classes) as ThresholdCriterion;
    const at = leaving(sure, thresholds.map((threshold) => barOf(criterion, threshold)));
    const losses = Float64Array.from(order, (sample) => lossOf(table, loss, sample, at[sample]!));
    return { thresholds, ...answersAt(table, at), losses, shares: sharesAt(at, exits.length) };
  });
  const losses = tried.map((candidate) => candidate.losses);
  const saving = tried.flatMap(({ shares }, index) => (shares.at(-1)! < 1 ? [index] : []));
  const certified = certify(losses, rule).filter((index) => saving.includes(index));
  if (certified.length === 0) refuse(losses, saving, loss, rule);

  const chosen = certified.reduce((best, index) => (tried[index]!.macs < tried[best]!.macs ? index : best));
  const { thresholds, accuracy, shares } = tried[chosen]!;
  const calibration = madeOn(table);
  const emptyClasses = classes - new Set(dataset.labels).size;
  return {
    criterion,
    values: thresholds,
    ...(table.temperatures && { temperatures: table.temperatures }),
    chosenOn: calibration,
    achieved: { accuracy, accuracyFull: accuracyOf(table, exits.length), shares },
    guarantee: {
      risk: loss.name,
      level,
      method,
      ...(method !== 'conformal' && { delta, bound }),
      candidates: candidates.length,
      observed: meanOf(losses[chosen]!),
      upperBound: boundAt(losses, chosen, resolved),
      calibration,
      ...(emptyClasses > 0 && { emptyClasses }),
      date: date.toISOString().slice(0, 10),
    },
  };
}

/**
 * Which rows of `losses`, `[candidates][samples]` with the samples in random order, have a mean of at most the level.
 * Right for risks that rise and fall along the candidates, whatever the losses' distribution within the range.
 *
 * - `conformal`: the first rows whose `(sum + high) / (n + 1)` is at most the level, where the loss of each sample is
 *   its worst up to that row, which makes it monotone (Angelopoulos et al. 2022, "Conformal risk control", theorem 1
 *   and section 2). The mean loss of a new sample under any of them, over calibration sets too, is at most the level;
 *   sets on which none is certified count as no loss.
 * - `ucb`: the first rows whose upper bound is at most the level (Bates et al. 2021, "Distribution-free,
 *   risk-controlling prediction sets", section 2). With probability 1 - delta all of their risks are. As a bound at
 *   most the level is a test passed, this is `fixed-sequence`.
 * - `fixed-sequence`: the first rows whose p-value is at most delta (Angelopoulos et al. 2021, "Learn then test"): no
 *   price for many candidates, but none behind the first that fails.
 * - `bonferroni`: all rows whose p-value is at most delta over the number of rows, in whatever order (the same).
 * @throws ArgumentError for a rule out of range, no rows, rows without losses or of several lengths, losses beyond the
 * range
 */
export function certify(losses: readonly Float64Array[], rule: RiskRule): number[] {
  const resolved = resolveRule(rule);
  const { level, range, method } = resolved;
  const lengths = [...new Set(losses.map((row) => row.length))];
  if (lengths.length !== 1 || lengths[0] === 0) {
    throw new ArgumentError(`certify: expected rows of one length, 1 or more, got ${lengths.join(', ') || 'no rows'}`);
  }
  for (const row of losses) checkLosses(row, range);
  const rows = losses.map((_, index) => index);
  if (method === 'bonferroni') return rows.filter((row) => passes(losses[row]!, resolved, rows.length));
  const failing =
    method === 'conformal'
      ? worstSoFar(losses, range).findIndex((row) => conformalBound(row, range) > level)
      : losses.findIndex((row) => !passes(row, resolved));
  return failing < 0 ? rows : rows.slice(0, failing);
}

/**
 * How many samples certify a candidate that has losses like these, over and over; `undefined` if more than a million
 * or, since their mean is not below the level, no number would do. `[0]` asks for the least that any data needs.
 * `candidates`: rows tested, for `bonferroni`.
 * @throws ArgumentError for a rule out of range, no losses, or losses beyond the range
 */
export function samplesNeeded(losses: ArrayLike<number>, rule: RiskRule, candidates = 1): number | undefined {
  const resolved = resolveRule(rule);
  const { level, range, method } = resolved;
  checkLosses(losses, range);
  const observed = meanOf(losses);
  if (observed >= level) return undefined;
  if (method === 'conformal') {
    const samples = Math.max(1, Math.ceil((range[1] - level) / (level - observed)));
    return samples <= MOST_SAMPLES ? samples : undefined;
  }
  const enough = (samples: number): boolean =>
    passes(new Float64Array(samples).map((_, index) => losses[index % losses.length]!), resolved, candidates);
  let [low, high] = [losses.length - 1, losses.length];
  while (!enough(high)) {
    if (high >= MOST_SAMPLES) return undefined;
    [low, high] = [high, Math.min(2 * high, MOST_SAMPLES)];
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

const MOST_SAMPLES = 1_000_000;

/**
 * Sixty-one thresholds, each for all exits, strictest first: a millionth of the way from letting nobody leave to
 * letting all, then on in tenths of a decade, as scores crowd at the sure end. They know nothing of any data.
 */
export const thresholdGrid = (criterion: CriterionKind, classes: number): number[][] =>
  Array.from({ length: 61 }, (_, step) => {
    const way = 10 ** ((step - 60) / 10);
    return [criterion === 'entropy' ? way * greatestThreshold(criterion, classes) : 1 - way];
  });

function resolveRule(rule: RiskRule): Required<RiskRule> {
  const { level, range, method = 'fixed-sequence', delta = 0.1, bound = 'waudby-smith-ramdas' } = rule;
  const [low, high] = range;
  if (!(low < high && Number.isFinite(high - low))) {
    throw new ArgumentError(`risk control: expected losses in a finite range, got ${low} to ${high}`);
  }
  if (!(level > low && level < high)) {
    throw new ArgumentError(`risk control: expected a level between ${low} and ${high}, as losses are, got ${level}`);
  }
  if (!RISK_METHODS.includes(method)) {
    throw new ArgumentError(`risk control: expected a method of ${RISK_METHODS.join(', ')}, got '${method}'`);
  }
  if (method === 'conformal' && (rule.delta !== undefined || rule.bound !== undefined)) {
    throw new ArgumentError(
      'risk control: expected neither delta nor bound with conformal, which holds in expectation; ' +
        `take ${RISK_METHODS.slice(1).join(', ')} for a probability`,
    );
  }
  if (!(delta > 0 && delta < 1)) {
    throw new ArgumentError(`risk control: expected delta between 0 and 1, got ${delta}`);
  }
  if (!RISK_BOUNDS.includes(bound)) {
    throw new ArgumentError(`risk control: expected a bound of ${RISK_BOUNDS.join(', ')}, got '${bound}'`);
  }
  return { level, range, method, delta, bound };
}

/** What `replay` says for thresholds of one measure, without its price for any criterion. */
function leaving(sure: readonly Float64Array[], bars: readonly number[]): Uint16Array {
  return Uint16Array.from(sure[0]!, (_, sample) => {
    const exit = sure.findIndex((list, index) => list[sample]! > bars[index]!);
    return exit < 0 ? sure.length : exit;
  });
}

/** The loss of one sample that leaves at this index. */
function lossOf({ dataset, exits }: ScoreTable, loss: RiskLoss, sample: number, at: number): number {
  const [answer, last] = [exits[at]![sample]!, exits.at(-1)![sample]!];
  return loss.of({ label: dataset.labels[sample]!, exit: at + 1, answer, last });
}

function checkLosses(losses: ArrayLike<number>, [low, high]: RiskRule['range']): void {
  if (losses.length === 0) throw new ArgumentError('risk control: expected losses, got none');
  for (let at = 0; at < losses.length; at++) {
    const loss = losses[at]!;
    if (loss >= low && loss <= high) continue;
    throw new ArgumentError(`risk control: expected losses from ${low} to ${high}, got ${loss}`);
  }
}

function passes(losses: Float64Array, rule: Required<RiskRule>, candidates = 1): boolean {
  const { level, range, bound } = rule;
  const [unit, delta] = [toUnit(range), deltaOf(rule, candidates)];
  return BOUNDS[bound].pValue(losses.map(unit), unit(level), delta) <= delta;
}

/** What each of so many tests may err with. */
const deltaOf = ({ method, delta }: Required<RiskRule>, candidates: number): number =>
  method === 'bonferroni' ? delta / candidates : delta;

/** What the method compares with the level for one row. */
function boundAt(losses: readonly Float64Array[], row: number, rule: Required<RiskRule>): number {
  const { range, method, bound } = rule;
  if (method === 'conformal') return conformalBound(worstSoFar(losses, range)[row]!, range);
  const [low, high] = range;
  const inUnits = BOUNDS[bound].upperBound(losses[row]!.map(toUnit(range)), deltaOf(rule, losses.length));
  return low + (high - low) * inUnits;
}

/** Each sample's greatest loss up to each row. A set that certifies nothing counts as no loss: they start there. */
function worstSoFar(losses: readonly Float64Array[], [low]: RiskRule['range']): Float64Array[] {
  let worst = losses[0]!.map(() => Math.max(low, 0));
  return losses.map((row) => (worst = worst.map((loss, sample) => Math.max(loss, row[sample]!))));
}

const conformalBound = (losses: Float64Array, [, high]: RiskRule['range']): number =>
  (sumOf(losses) + high) / (losses.length + 1);

const toUnit =
  ([low, high]: RiskRule['range']) =>
  (value: number): number =>
    (value - low) / (high - low);

/** What is in the way, and how many samples would clear it. */
function refuse(losses: readonly Float64Array[], saving: readonly number[], loss: RiskLoss, rule: RiskRule): never {
  const { level, range, method } = resolveRule(rule);
  const candidates = losses.length;
  if (saving.length === 0) {
    throw new NotCertifiedError(
      `controlRisk: none of ${candidates} candidates lets a sample leave early: ` +
        'early scores are not finite or no better than a guess, or the candidates too strict',
    );
  }
  const least = samplesNeeded([Math.max(range[0], 0)], rule, candidates);
  // Tests in sequence all have to be passed up to the first that saves; of tests on their own, one.
  const inTheWay = method === 'bonferroni' ? saving.map((row) => losses[row]!) : losses.slice(0, saving[0]! + 1);
  const byMean = inTheWay.toSorted((one, other) => meanOf(one) - meanOf(other));
  const nearest = byMean.at(method === 'bonferroni' ? 0 : -1)!;
  const estimate = samplesNeeded(nearest, rule, candidates);
  const observed = Number(meanOf(nearest).toPrecision(3));
  const wayOut =
    least === undefined
      ? 'no number of samples would do even without any loss; allow more'
      : meanOf(nearest) >= level
        ? `it is ${observed} there, and no number of samples would do; allow more, or train the early exits further`
        : `without any loss ${least} samples would do, with ${observed}, as seen, ` +
          (estimate === undefined ? `more than ${MOST_SAMPLES}` : `about ${estimate}`);
  throw new NotCertifiedError(
    `controlRisk: expected a threshold that lets samples leave with ${loss.name} certified to be at most ${level}, ` +
      `got none from ${losses[0]!.length} samples: ${wayOut}`,
    { least, estimate },
  );
}
