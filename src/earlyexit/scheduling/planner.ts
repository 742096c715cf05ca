import { ArgumentError } from '../../errors.ts';
import type { GridKind } from '../../graph/program.ts';
import { arrivals, arriving, estimate, joinParts, perCallMs } from './cost-model.ts';
import type { Estimate } from './cost-model.ts';
import { checkCosts, checkExits, checkShares, POLICIES } from './costs.ts';
import type { Choice, DeviceCosts, PolicyKind } from './costs.ts';

export interface Alternative extends Choice, Estimate {}

export interface Plan extends Alternative {
  readonly costs: DeviceCosts;
  /** Of the validation samples, the share that leaves at each exit where all are checked. */
  readonly shares: readonly number[];
  /** The best of each policy, and at the end the network without exits. */
  readonly alternatives: readonly Alternative[];
  /** Per kept exit: rows are regrouped where at least so many leave; to move for fewer costs more than it saves. */
  readonly regroupFrom: readonly number[];
}

export interface PlanOptions {
  readonly policies?: readonly PolicyKind[];
  /** The exits to keep, where the network is compiled already; chosen if absent. */
  readonly exits?: readonly number[];
}

/** Up to this many exits, every subset is tried: 128 of them, in 0.04 s. */
const MOST_FOR_ALL_SUBSETS = 8;

/**
 * The policy, checkpoints and grids under which calls one after another take least time (`expectedMs + wasteMs`).
 *
 * All sets of checkpoints are tried up to 8 exits; beyond, from all of them, one after another is dropped while that
 * helps. Grids are switched stage by stage while that helps, which is exact for `gated`.
 * @param shares of the validation samples, the share that leaves at each exit
 * @throws ArgumentError for costs or shares that are negative, not finite or do not fit together
 */
export function choosePlan(costs: DeviceCosts, shares: readonly number[], options: PlanOptions = {}): Plan {
  checkCosts('choosePlan', costs);
  checkShares('choosePlan', costs, shares);
  if (options.exits) checkExits('choosePlan', costs, options.exits);
  const policies = options.policies ?? POLICIES;
  if (policies.length === 0 || !policies.every((policy) => POLICIES.includes(policy))) {
    throw new ArgumentError(`choosePlan: expected policies among ${POLICIES.join(', ')}, got [${policies.join(', ')}]`);
  }
  const bestOf = (policy: PolicyKind): Alternative => {
    const judge = (exits: readonly number[]) => withBestGrids(costs, shares, policy, exits);
    if (options.exits) return judge(options.exits);
    const search = shares.length <= MOST_FOR_ALL_SUBSETS ? bestSubset : dropGreedily;
    return search(shares.length, judge);
  };
  const best = POLICIES.filter((policy) => policies.includes(policy)).map(bestOf);
  const withoutExits = withBestGrids(costs, shares, best[0]!.policy, [shares.length]);
  const chosen = cheapest(best);
  const regroupFrom = worthRegrouping(costs, chosen);
  return { ...chosen, costs, shares, alternatives: [...best, withoutExits], regroupFrom };
}

/** A policy over these exits, each stage's grid switched for as long as that helps. */
export function withBestGrids(
  costs: DeviceCosts,
  shares: readonly number[],
  policy: PolicyKind,
  exits: readonly number[],
): Alternative {
  const stages = arriving(joinParts(costs, exits), arrivals(shares, exits, costs.batch));
  const judge = (grids: readonly GridKind[]): Alternative => ({
    policy, exits, grids, ...estimate(policy, costs.roundTripMs, stages, grids),
  });
  let best = judge(exits.map(() => 'full'));
  if (policy === 'readback') return best;
  for (let improved = true; improved; ) {
    const before = best;
    for (let index = 0; index < exits.length; index++) {
      best = cheapest([best, judge(best.grids.with(index, best.grids[index] === 'full' ? 'indirect' : 'full'))]);
    }
    improved = best !== before;
  }
  return best;
}

/**
 * A row that left and was not regrouped costs its share of the next stage, up to whose end the rows stay as they are.
 */
function worthRegrouping(costs: DeviceCosts, { exits, grids }: Choice): number[] {
  const stages = joinParts(costs, exits);
  return exits.map((exit, index) => {
    const next = stages[index + 1]?.[grids[index + 1]!];
    if (!next) return 1;
    const rowMs = Math.max(0, next.alive - next.skipped) / costs.batch;
    return Math.min(costs.batch, Math.max(1, Math.ceil((costs.stages[exit - 1]!.moveMs ?? 0) / rowMs) || 1));
  });
}

type Judge = (exits: readonly number[]) => Alternative;

/** Begins without early exits, so that checking for nothing is never taken. */
function bestSubset(last: number, judge: Judge): Alternative {
  let best = judge([last]);
  for (let subset = 1; subset < 2 ** (last - 1); subset++) {
    best = cheapest([best, judge(range(last).filter((exit) => exit === last || (subset >> (exit - 1)) & 1))]);
  }
  return best;
}

/** One that pays, pays more without those before it (`overlap` aside): where no single one should go, all beat none. */
function dropGreedily(last: number, judge: Judge): Alternative {
  let best = judge(range(last));
  for (;;) {
    const { exits } = best;
    const fewer = exits.slice(0, -1).map((dropped) => judge(exits.filter((exit) => exit !== dropped)));
    const next = cheapest([best, ...fewer]);
    if (next === best) return best;
    best = next;
  }
}

/** The first of the cheapest. */
function cheapest(alternatives: readonly Alternative[]): Alternative {
  return alternatives.reduce((best, other) => (perCallMs(other) < perCallMs(best) ? other : best));
}

export function range(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
