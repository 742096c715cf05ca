import { answers, answersAt, rightAtExits } from '../answers.ts';
import { calibrationError } from '../calibration.ts';
import { exitDepths } from '../depth.ts';
import { bootstrap, bootstrapDifference } from '../intervals.ts';
import { judgeThinking } from '../overthinking.ts';
import { isRight } from '../scores.ts';
import { UNSTABLE } from '../stability.ts';
import { evidence } from './examination.ts';
import type { CaseHistory, Judgement } from './examination.ts';

/** What training allows exits to cost where nothing else is said. */
const LOSS = 0.002;
/** Confidence above accuracy that is more than a trifle. */
const OVER_CONFIDENCE = 0.02;

const inPoints = (share: number): string => `${Number((share * 100).toPrecision(3))} points`;

export function prematureExits({ scores, criterion, bootstrapping }: CaseHistory): Judgement {
  const { right } = answers(scores, criterion);
  const loss = bootstrapDifference(rightAtExits(scores).at(-1)!, right, bootstrapping);
  const { premature, overthinking, byClass } = judgeThinking(scores, criterion, bootstrapping);
  const worst = byClass
    .flatMap(({ name, premature: rate }) => (rate ? [{ name, rate }] : []))
    .reduce((most, one) => (one.rate.low > most.rate.low ? one : most));
  const found = loss.low > LOSS;
  return {
    found,
    says: found
      ? 'Samples leave too early: the exits cost more right answers than thresholds should allow.'
      : 'Exits cost no more right answers than thresholds should allow.',
    evidence: [
      evidence('accuracy without exits minus with them', 'difference', loss),
      evidence('left wrong where the last exit is right', 'share', premature!),
      evidence('left right where the last exit is wrong, at most', 'share', overthinking!),
      evidence(`left wrong, of class ${worst.name}`, 'share', worst.rate),
    ],
    rule: `the accuracy lost is more than ${inPoints(LOSS)}, its whole interval`,
    next: 'exitgpu tune FILE --max-loss 0.1, or with a guarantee --risk accuracy-loss=0.01; per class with --per-class',
  };
}

export function shallowOverConfidence({ scores, criterion, bootstrapping }: CaseHistory): Judgement {
  const { labels } = scores.dataset;
  const { at } = answers(scores, criterion);
  const gaps = scores.exits.slice(0, -1).flatMap((said, index) => {
    const samples = [...said.keys()].filter((sample) => said[sample]!.finite);
    if (samples.length === 0) return [];
    const gapOf = (sample: number): number =>
      said[sample]!.confidence - Number(isRight(said[sample]!, labels[sample]!));
    const here = samples.filter((sample) => at[sample] === index);
    return [{
      exit: index + 1,
      all: bootstrap(samples.map(gapOf), bootstrapping),
      leaving: here.length > 0 ? bootstrap(here.map(gapOf), bootstrapping) : null,
      error: calibrationError(said, labels),
    }];
  });
  if (gaps.length === 0) return { found: null, needs: 'early exits with finite scores' };
  const over = gaps.filter(({ all }) => all.low > OVER_CONFIDENCE);
  return {
    found: over.length > 0,
    says: over.length > 0
      ? `Exit ${over.map(({ exit }) => exit).join(', ')} is surer than it is right.`
      : 'Early exits are no surer than they are right.',
    evidence: gaps.flatMap(({ exit, all, leaving, error }) => [
      evidence(`exit ${exit}: confidence minus accuracy`, 'difference', all),
      ...(leaving ? [evidence(`exit ${exit}: the same of those that leave there`, 'difference', leaving)] : []),
      evidence(`exit ${exit}: expected calibration error`, 'share', { value: error, low: error, high: error }),
    ]),
    rule: `confidence minus accuracy at an early exit is more than ${inPoints(OVER_CONFIDENCE)}, its whole interval`,
    next: 'exitgpu calibrate FILE, which fits a temperature per exit and chooses thresholds anew',
  };
}

export function degradedLastExit({ scores, criterion, plain, bootstrapping }: CaseHistory): Judgement {
  const right = rightAtExits(scores);
  const last = right.at(-1)!;
  const { overthinking } = judgeThinking(scores, criterion, bootstrapping);
  const overthought = evidence('right at an early exit, wrong at the last', 'share', overthinking!);
  const next =
    'train anew with less weight on early exits (exitgpu train --weights 0.3,1), in two phases ' +
    '(--strategy two-phase), or by separate heads, which leave the trunk alone (--strategy separate)';
  if (plain) {
    const alone = answersAt(plain, Uint16Array.from(last, () => plain.exits.length - 1));
    const gap = bootstrapDifference(alone.right, last, bootstrapping);
    const found = gap.low > LOSS;
    return {
      found,
      says: found
        ? 'The exits have cost the trunk: trained alone, it is more accurate than the last exit.'
        : 'The last exit is as good as the same trunk trained alone.',
      evidence: [evidence('trunk trained alone minus last exit', 'difference', gap), overthought],
      rule: `the trunk alone is better by more than ${inPoints(LOSS)}, its whole interval`,
      next,
    };
  }
  const gains = right.slice(0, -1).map((hits, index) => ({
    exit: index + 1,
    gain: bootstrapDifference(hits, last, bootstrapping),
  }));
  const better = gains.filter(({ gain }) => gain.low > 0);
  return {
    found: better.length > 0,
    says: better.length > 0
      ? `Exit ${better.map(({ exit }) => exit).join(', ')} is more accurate than the last.`
      : 'No early exit is more accurate than the last; a network trained without exits (--plain FILE) would tell more.',
    evidence: [
      ...gains.map(({ exit, gain }) => evidence(`exit ${exit} minus last exit`, 'difference', gain)),
      overthought,
    ],
    rule: 'an early exit, asked of all samples, is more accurate than the last, its whole interval',
    next,
  };
}

export function unstableThresholds({ stability }: CaseHistory): Judgement {
  if (!stability) return { found: null, needs: 'thresholds and the validation data they are chosen on' };
  const unstable = stability.filter((one) => one.unstable);
  return {
    found: unstable.length > 0,
    says: unstable.length > 0
      ? `On other validation samples ${unstable.length} of ${stability.length} thresholds would do something else.`
      : 'On other validation samples the thresholds would do much the same.',
    evidence: (unstable.length > 0 ? unstable : stability).map(({ exit, label, threshold }) =>
      evidence(`threshold of exit ${exit}${label === undefined ? '' : `, class ${label}`}`, 'threshold', threshold)),
    rule:
      'within the interval of a threshold over resampled data accuracy moves by more than ' +
      `${inPoints(UNSTABLE.accuracy)} or the share that leaves there by more than ${inPoints(UNSTABLE.share)}`,
    next:
      'more validation samples, one threshold for all exits, or exitgpu tune FILE --risk accuracy-loss=0.01, ' +
      'which allows for it',
  };
}

export function costlyExits({ scores, criterion, heads, bootstrapping }: CaseHistory): Judgement {
  const depths = exitDepths(scores, criterion, { heads, ...bootstrapping });
  const costly = depths.filter(({ value }) => value && value.macs > 0);
  const kept = depths.filter((depth) => !costly.includes(depth)).map(({ exit }) => exit);
  return {
    found: costly.length > 0,
    says: costly.length > 0
      ? `Without exit ${costly.map(({ exit }) => exit).join(', ')} the network would cost less.`
      : 'Every exit saves more multiply-accumulates than its head costs.',
    evidence: depths.flatMap(({ exit, share, value }) => {
      if (!value) return [];
      const { macs, accuracy } = value;
      return [
        evidence(`exit ${exit}: leave there`, 'share', share),
        evidence(`exit ${exit}: cost with minus without`, 'macs', { value: macs, low: macs, high: macs }),
        evidence(`exit ${exit}: accuracy with minus without`, 'difference', accuracy),
      ];
    }),
    rule: 'with the exit the mean cost of a sample of this data is greater than without',
    next:
      `leave them out: model.compile({ exits: [${kept.join(', ')}] }), ` +
      'or --policy auto, which leaves out what does not pay',
  };
}
