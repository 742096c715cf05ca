import { answers, rightAtExits, sumOf } from '../answers.ts';
import { bootstrapDifference, rate, wilson } from '../intervals.ts';
import type { BootstrapInterval, BootstrapOptions, Interval, Statistic } from '../intervals.ts';
import { percentiles } from '../percentiles.ts';
import { macsWithoutExits } from '../sweep.ts';
import type { ScoreTable } from '../scores.ts';
import { evidence } from './examination.ts';
import type { CaseHistory, Judgement } from './examination.ts';

/** Less saved than this is not worth a word. */
const SAVING = 0.1;
/** What exits may cost under a shift more than without, and how often those that leave early may err. */
const SHIFT = { loss: 0.02, error: 0.1 };

type Timing = NonNullable<CaseHistory['latency']>[number];

/** With exits minus without, of calls that were made in turn. */
function timeDifference(
  { times: { early, full } }: Timing,
  at: 'p50' | 'p99',
  options: BootstrapOptions = {},
): BootstrapInterval {
  const of = (times: readonly number[]): Statistic => ({
    count: times.length,
    of: (indices) => percentiles(Array.from(indices, (index) => times[index]!))[at],
  });
  return bootstrapDifference(of(early), of(full), options);
}

export function noTimeSaved({ scores, criterion, heads, latency, bootstrapping }: CaseHistory): Judgement {
  const used = latency?.[0];
  if (!used) return { found: null, needs: 'latency measured with exits and without' };
  const full = macsWithoutExits(scores.macs, heads);
  const saved = 1 - answers(scores, criterion).macs / full;
  const medians = latency.map((timing) => ({
    policy: timing.policy,
    median: timeDifference(timing, 'p50', bootstrapping),
  }));
  const { low, high } = medians[0]!.median;
  const found = saved >= SAVING && !(high < 0);
  const better = medians.filter(({ median }) => median.high < 0).sort((a, b) => a.median.value - b.median.value)[0];
  return {
    found,
    says: found
      ? `The exits save multiply-accumulates and ${low < 0 ? 'not surely' : 'no'} time on this adapter.`
      : saved < SAVING
        ? 'There is little work saved that could save time.'
        : 'What the exits save in work they save in time too.',
    evidence: [
      evidence('multiply-accumulates saved', 'share', { value: saved, low: saved, high: saved }),
      ...medians.map(({ policy, median }) => evidence(`${policy}: median with exits minus without`, 'ms', median)),
    ],
    rule: `at least ${SAVING * 100} % of the work is saved, and the median time is not surely less`,
    next: better
      ? `take the policy that realises it: --policy ${better.policy}`
      : 'no policy measured saves time here: per call the device costs more than the network; classify in batches ' +
        '(classifyBatch), or let --policy auto leave out exits that do not pay',
  };
}

export function tailLatency({ latency, bootstrapping }: CaseHistory): Judgement {
  const used = latency?.[0];
  if (!used) return { found: null, needs: 'latency measured with exits and without' };
  const tails = latency.map((timing) => ({
    policy: timing.policy,
    tail: timeDifference(timing, 'p99', bootstrapping),
  }));
  const found = tails[0]!.tail.low > 0;
  const better = tails.slice(1).find(({ tail }) => tail.low <= 0);
  return {
    found,
    says: found
      ? 'The slowest samples are slower with exits than without.'
      : 'The slowest samples are not shown to be slower with exits.',
    evidence: tails.map(({ policy, tail }) => evidence(`${policy}: p99 with exits minus without`, 'ms', tail)),
    rule: 'p99 with exits is above p99 without, its whole interval',
    next:
      (better ? `--policy ${better.policy}; ` : '') +
      'bound it: a greatest depth, maxDepth(k, criterion), or a deadline, classify(x, { deadlineMs }) and --deadline',
  };
}

/** Of the samples that leave before the last exit; and what leaving costs. */
function earlyExits(
  scores: ScoreTable,
  { criterion, bootstrapping }: CaseHistory,
): { share: Interval; right: Interval | null; loss: BootstrapInterval } {
  const { at, right } = answers(scores, criterion);
  const early = right.filter((_, sample) => at[sample]! < scores.exits.length - 1);
  return {
    share: wilson(early.length, at.length, bootstrapping),
    right: rate(sumOf(early), early.length, bootstrapping),
    loss: bootstrapDifference(rightAtExits(scores).at(-1)!, right, bootstrapping),
  };
}

export function collapseUnderShift(history: CaseHistory): Judgement {
  const { scores, shifted } = history;
  if (!shifted?.length) return { found: null, needs: 'scores of the same samples made worse' };
  const clean = earlyExits(scores, history);
  const kinds = shifted.map(({ name, scores: worse }) => {
    const { loss, ...early } = earlyExits(worse, history);
    const sureAndWrong =
      early.right !== null && 1 - early.right.high > SHIFT.error && early.share.low >= clean.share.value / 2;
    const costly = loss.low > clean.loss.value + SHIFT.loss;
    const savesNothing = early.share.high < clean.share.value / 2;
    return { name, early, loss, sureAndWrong, costly, savesNothing, ill: sureAndWrong || costly || savesNothing };
  });
  const ill = kinds.filter((kind) => kind.ill);
  const named = (of: (kind: (typeof kinds)[number]) => boolean): string =>
    ill.filter(of).map(({ name }) => name).join(', ');
  const says = [
    [named(({ sureAndWrong }) => sureAndWrong), 'samples still leave early and are often wrong'],
    [named(({ costly }) => costly), 'the exits lose answers that the last exit gets right'],
    [named(({ savesNothing }) => savesNothing), 'hardly any sample leaves early any more'],
  ].flatMap(([names, what]) => (names ? [`${what} (${names})`] : []));
  return {
    found: ill.length > 0,
    says: ill.length > 0 ? `Under shift ${says.join('; ')}.` : 'Under shift the exits do no worse than the last exit.',
    evidence: [
      evidence('early exits, as it is', 'share', clean.share),
      ...(ill.length > 0 ? ill : kinds).flatMap(({ name, early, loss }) => [
        evidence(`early exits under ${name}`, 'share', early.share),
        ...(early.right ? [evidence(`right of those under ${name}`, 'share', early.right)] : []),
        evidence(`accuracy lost to exits under ${name}`, 'difference', loss),
      ]),
    ],
    rule:
      `under a shift at least half as many leave early as otherwise and more than ${SHIFT.error * 100} % of them are ` +
      `wrong, or exits lose ${SHIFT.loss * 100} points more than otherwise, or fewer than half as many leave; ` +
      'whole intervals',
    next:
      'train with changed images (exitgpu train --shift 2 --noise 0.3 --cutout 6), watch the exits in use (monitor), ' +
      'and raise the least depth where they drift: minDepth(k, criterion)',
  };
}
