import { earlyExitLoss, exitWeights, jointGates, ponder, STRATEGIES } from '../node.ts';
import type { ExitWeights, Network, TrainOptions } from '../node.ts';
import { choice, flag, integer, number, numbers, optionalFlag } from './flags.ts';
import type { Values } from './flags.ts';
import { named } from './named.ts';
import { UsageError } from './usage-error.ts';

/** One line each: what `--help` says of them. */
const STRATEGY_HELP: Record<keyof typeof STRATEGIES, string> = {
  joint: 'all exits at once',
  separate: 'the trunk, then the heads on the frozen trunk',
  'two-phase': 'the trunk, then all exits at once',
  alternating: 'trunk and heads by turns, epoch by epoch',
  progressive: 'one exit after another',
  distilled: 'all at once, the earlier exits also from the last',
  'heads-only': 'the heads on the trunk as it is',
};

const WEIGHTS: Readonly<Record<string, { readonly make: () => ExitWeights; readonly help: string }>> = {
  'by-depth': { make: exitWeights.byDepth, help: 'the deeper the more' },
  'by-macs': { make: exitWeights.byMacs, help: 'by the share of the work' },
  sdn: { make: exitWeights.sdn, help: 'early exits rise to their share of the work' },
  'warm-up': {
    make: () => exitWeights.warmUpWithoutExits({ share: 0.2 }),
    help: 'the last exit alone for the first fifth',
  },
  'layer-skip': {
    make: () => exitWeights.layerSkip({ scale: 0.2, curriculum: 'rotational' }),
    help: 'every second exit by turns, the deeper the more',
  },
};

const WEIGHT_HELP = named(Object.fromEntries(Object.entries(WEIGHTS).map(([name, { help }]) => [name, help])));

function readWeights(text: string): readonly number[] | string {
  if (Object.hasOwn(WEIGHTS, text)) return text;
  if (/\d/.test(text)) return numbers(0)(text);
  throw new UsageError(`expected numbers such as 1,1 or one of ${Object.keys(WEIGHTS).join(', ')}, got '${text}'`);
}

/** How exits are trained: strategy, weights and losses. */
export const trainingFlags = {
  strategy: flag(choice(...(Object.keys(STRATEGIES) as (keyof typeof STRATEGIES)[])), {
    placeholder: 'name',
    help: `What is trained when: ${named(STRATEGY_HELP)}`,
    fallback: 'joint',
  }),
  weights: optionalFlag(readWeights, {
    placeholder: 'w,w..|name',
    help: `Weight of each exit's loss, the last included (default 1 each), or a schedule: ${WEIGHT_HELP}`,
  }),
  smoothing: flag(number(0, 1), { placeholder: 'x', help: 'Label smoothing of the cross-entropies', fallback: '0' }),
  lambda: flag(number(-Infinity), {
    placeholder: 'x',
    help: 'Weight of the entropy of the outputs: above 0 towards decisive exits, below 0 away from over-confident ones',
    fallback: '0',
  }),
  mu: flag(number(0), {
    placeholder: 'x',
    help: 'Weight of the expected cost, in shares of the network without exits',
    fallback: '0',
  }),
  costThreshold: flag(number(0, 1), {
    placeholder: 'x',
    help: 'The confidence that the expected cost takes samples to leave at',
    fallback: '0.9',
  }),
  gates: optionalFlag(number(0), {
    placeholder: 'mu',
    help:
      'Exits have gates, trained together with the heads in two phases, that decide in place of thresholds: what the ' +
      'cost of a sample, in shares of the network without exits, weighs against its loss in nats',
  }),
  ponder: flag(number(0), {
    placeholder: 'beta',
    help: "Of networks that learn when to halt (looped): weight of the prior on where they do, in PonderNet's loss",
    fallback: '0.03',
  }),
  shift: flag(integer(0), { placeholder: 'px', help: 'Images move by up to so many pixels', fallback: '0' }),
  flip: flag(number(0, 1), { placeholder: 'p', help: 'Images are flipped with this probability', fallback: '0' }),
  cutout: flag(integer(0), { placeholder: 'px', help: 'A square of this side hides part of an image', fallback: '0' }),
  noise: flag(number(0), { placeholder: 'x', help: 'Deviation of noise on normalised pixels', fallback: '0' }),
};

/** @throws UsageError for weights that are not one per exit, or two strategies */
export function trainingOptions(
  flags: Values<typeof trainingFlags>,
  network: Network,
): Pick<TrainOptions, 'strategy' | 'weights' | 'loss' | 'augmentation'> {
  const { strategy, weights, smoothing, lambda, mu, costThreshold, gates, ponder: beta } = flags;
  const { shift, flip, cutout, noise } = flags;
  const exits = network.stages.length;
  if (typeof weights === 'object' && (weights.length !== exits || !weights.some(Boolean))) {
    const expected = `${exits} numbers for ${network.name}, one per exit and not all 0`;
    throw new UsageError(`--weights: expected ${expected}, got '${weights.join(',')}'`);
  }
  if (gates !== undefined && strategy !== 'joint') {
    throw new UsageError(`--gates: expected no --strategy beside it, since it has its own, got '${strategy}'`);
  }
  return {
    strategy: gates === undefined ? STRATEGIES[strategy]() : jointGates({ mu: gates }),
    augmentation: { shift, flip, cutout, noise },
    ...(weights && { weights: typeof weights === 'string' ? WEIGHTS[weights]!.make() : weights }),
    loss: network.halting
      ? [ponder({ beta })]
      : earlyExitLoss({
          ...(smoothing > 0 && { smoothing }),
          ...(lambda !== 0 && { lambda }),
          ...(mu > 0 && { cost: { mu, threshold: costThreshold } }),
        }),
  };
}
