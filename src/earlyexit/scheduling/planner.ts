import { ArgumentError } from '../../errors.ts';
import type { GridKind } from '../../graph/program.ts';

/**
 * How the host learns where rows leave; answers are the same to the bit, and `estimate` says what each costs.
 * `readback` submits a stage, waits for one scalar, and goes on or stops: nothing behind the exit is ever launched.
 * `overlap` submits the next stage before that scalar arrives: the wait is hidden, at most one stage is launched in vain.
 * `gated` submits the whole network and waits once; stages that no row reaches return at their first line.
 */
export type PolicyKind = 'readback' | 'gated' | 'overlap';

/** All policies; of two that cost the same the earlier one is taken, which asks less of the device. */
export const POLICIES: readonly PolicyKind[] = ['readback', 'gated', 'overlap'];
export const GRIDS: readonly GridKind[] = ['full', 'indirect'];

/** Milliseconds with every row alive, and with none. */
export interface GridCost {
  readonly alive: number;
  readonly skipped: number;
}

/** What one part of the network costs under either kind of grid. */
export type PartCost = { readonly [grid in GridKind]: GridCost };

/** What was measured on one device for one network at one batch size. */
export interface DeviceCosts {
  readonly adapter: string;
  readonly network: string;
  readonly batch: number;
  /** From the end of the GPU's work to the host knowing the result, and its next work reaching the GPU. */
  readonly roundTripMs: number;
  /** Per exit: its piece of the trunk, then its head and exit check. */
  readonly stages: readonly { readonly body: PartCost; readonly exit: PartCost }[];
}

export interface Choice {
  readonly policy: PolicyKind;
  /** Exits that are checked, ascending from 1. The last exit of the network is always among them. */
  readonly exits: readonly number[];
  /** One per kept exit: how its stage is launched. `readback` knows the rows and needs full grids only. */
  readonly grids: readonly GridKind[];
}

export interface Estimate {
  /** From the call to its answer. */
  readonly expectedMs: number;
  /** What a call made right after the answer waits for a stage that was submitted in vain; `overlap` only. */
  readonly wasteMs: number;
}

export interface Alternative extends Choice, Estimate {}

export interface Plan extends Alternative {
  readonly costs: DeviceCosts;
  /** Of the validation samples, the share that leaves at each exit where all are checked. */
  readonly shares: readonly number[];
  /** The best of each policy, and at the end the network without exits. */
  readonly alternatives: readonly Alternative[];
}

export interface PlanOptions {
  readonly policies?: readonly PolicyKind[];
  /** The exits to keep, where the network is compiled already; chosen if absent. */
  readonly exits?: readonly number[];
}

/** How a batch comes to a stage: the probability that a row does, and the share of rows alive if so. */
export interface Arrival {
  readonly reach: number;
  readonly rows: number;
}

/** Trunk pieces from one kept exit to the next, then the latter's head and check; `alive`: as the batch arrives. */
export interface Stage extends PartCost {
  readonly reach: number;
}

/** Up to this many exits, every subset is tried: 2,048 of them. */
const MOST_FOR_ALL_SUBSETS = 12;

/**
 * Milliseconds from a call to its answer, the mean over the samples that `shares` describes: `estimate` of `choice`.
 * @throws ArgumentError for costs, shares or a choice that do not fit together
 */
export function expectedMs(costs: DeviceCosts, shares: readonly number[], choice: Choice): number {
  checkCosts('expectedMs', costs);
  checkShares('expectedMs', costs, shares);
  checkChoice('expectedMs', costs, choice);
  return estimateChoice(costs, shares, choice).expectedMs;
}

/**
 * The policy, checkpoints and grids under which calls one after another take least time (`expectedMs + wasteMs`).
 *
 * All sets of checkpoints are tried up to 12 exits; beyond, from all of them, one after another is dropped while that
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
  return { ...cheapest(best), costs, shares, alternatives: [...best, withoutExits] };
}

/** What counts for calls one after another. */
export function perCallMs({ expectedMs, wasteMs }: Estimate): number {
  return expectedMs + wasteMs;
}

/**
 * What a choice costs where samples leave as `shares` says. Rows are taken to be independent: a batch of B with a
 * fraction f of its rows alive on average comes to a stage with probability 1 - (1 - f)^B. At batch 1 all of this is
 * exact; in batches `overlap` takes the mean number of live rows for the number, which its waits do not quite allow.
 */
export function estimateChoice(costs: DeviceCosts, shares: readonly number[], choice: Choice): Estimate {
  const stages = arriving(joinParts(costs, choice.exits), arrivals(shares, choice.exits, costs.batch));
  return estimate(choice.policy, costs.roundTripMs, stages, choice.grids);
}

/** How batches come to each kept stage. Samples of a dropped exit leave at the next that is kept. */
function arrivals(shares: readonly number[], exits: readonly number[], batch: number): Arrival[] {
  let left = 0;
  let exit = 0;
  return exits.map((kept) => {
    const alive = Math.max(0, 1 - left);
    while (exit < kept) left += shares[exit++]!;
    // 1 - (1 - alive)^batch, without losing the small ones
    const reach = -Math.expm1(batch * Math.log1p(-alive));
    return { reach, rows: reach > 0 ? alive / reach : 1 / batch };
  });
}

/** What the stages of a network with these exits cost: trunk pieces up to each, then its head and check. */
export function joinParts({ stages }: DeviceCosts, exits: readonly number[]): PartCost[] {
  return exits.map((kept, index) => {
    const bodies = stages.slice(exits[index - 1] ?? 0, kept).map(({ body }) => body);
    return [...bodies, stages[kept - 1]!.exit].reduce(addParts);
  });
}

function addParts(a: PartCost, b: PartCost): PartCost {
  const add = (x: GridCost, y: GridCost) => ({ alive: x.alive + y.alive, skipped: x.skipped + y.skipped });
  return { full: add(a.full, b.full), indirect: add(a.indirect, b.indirect) };
}

/** Stages as batches come to them: where a fraction f of the rows is alive, one costs skipped + f (alive - skipped). */
export function arriving(parts: readonly PartCost[], arrive: readonly Arrival[]): Stage[] {
  return parts.map(({ full, indirect }, index) => {
    const { reach, rows } = arrive[index]!;
    const cost = ({ alive, skipped }: GridCost) => ({ alive: skipped + rows * (alive - skipped), skipped });
    return { reach, full: cost(full), indirect: cost(indirect) };
  });
}

/**
 * The time of a call that comes to stage j with probability `reach_j`. With stage times s, skipped stages z, the round
 * trip r and the last stage reached e:
 *
 * - `readback`: sum_{j<=e} (s_j + r)
 * - `gated`: sum_{j<=e} s_j + sum_{j>e} z_j + r
 * - `overlap`: end_e + r, where stage j starts when stage j-1 is done and the scalar of j-2 has arrived:
 *   end_j = max(end_{j-1}, end_{j-2} + r) + s_j. This refines sum_{j<=e} max(s_j, r) + s_{e+1}: with two stages in
 *   flight a short r is waited for once and a long one at every second stage; the stage submitted in vain is skipped
 *   on the GPU and delays only the next call.
 */
export function estimate(
  policy: PolicyKind,
  roundTripMs: number,
  stages: readonly Stage[],
  grids: readonly GridKind[],
): Estimate {
  if (policy === 'overlap') return estimateOverlap(roundTripMs, stages, grids);
  const gated = policy === 'gated';
  let total = gated ? roundTripMs : 0;
  for (let index = 0; index < stages.length; index++) {
    const stage = stages[index]!;
    const { alive, skipped } = stage[gated ? grids[index]! : 'full'];
    total += stage.reach * alive + (gated ? (1 - stage.reach) * skipped : stage.reach * roundTripMs);
  }
  return { expectedMs: total, wasteMs: 0 };
}

function estimateOverlap(roundTripMs: number, stages: readonly Stage[], grids: readonly GridKind[]): Estimate {
  let expected = 0;
  let waste = 0;
  let start = 0;
  let arrives = 0; // the second stage waits for no scalar: there is none before that of the first
  for (let index = 0; index < stages.length; index++) {
    const stage = stages[index]!;
    const end = start + stage[grids[index]!].alive;
    const answer = end + roundTripMs;
    start = Math.max(end, arrives);
    arrives = answer;
    const next = stages[index + 1];
    const leaves = stage.reach - (next?.reach ?? 0);
    expected += leaves * answer;
    if (next) waste += leaves * Math.max(0, start + next[grids[index + 1]!].skipped - answer);
  }
  return { expectedMs: expected, wasteMs: waste };
}

/** A policy over these exits, each stage's grid switched for as long as that helps. */
function withBestGrids(
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

function range(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

/** What was picked and why, in plain lines: the alternatives, and for each checkpoint what it costs and saves. */
export function explainPlan(plan: Plan): string {
  const { costs, shares, exits, grids, policy, alternatives } = plan;
  const percent = shares.map((share) => `${(100 * share).toFixed(1)} %`).join(', ');
  const rows = alternatives.map((alternative, index) => {
    const name = index === alternatives.length - 1 ? 'without exits' : alternative.policy;
    const times = [alternative.expectedMs, alternative.wasteMs].map((time) => milliseconds(time).padStart(12));
    return `  ${name.padEnd(13)}${times.join('')}  ${alternative.exits.join(' ')}`;
  });
  return [
    `${costs.network} on ${costs.adapter}, batch ${costs.batch}: ${policy}, exits ${exits.join(' ')}, ` +
      `grids ${grids.join(' ')}`,
    `expected ${milliseconds(plan.expectedMs)} a call; round trip ${milliseconds(costs.roundTripMs)}`,
    `leaving at exits 1 to ${shares.length}: ${percent}`,
    `  ${'policy'.padEnd(13)}${'answer'.padStart(12)}${'waste'.padStart(12)}  exits`,
    ...rows,
    ...range(shares.length - 1).map((exit) => explainExit(plan, exit)),
  ].join('\n');
}

/** Its cost is that of a checkpoint at which nobody leaves; what it saves is what then changes when they do. */
function explainExit({ costs, shares, policy, exits }: Plan, exit: number): string {
  const kept = exits.includes(exit);
  const without = withBestGrids(costs, shares, policy, exits.filter((other) => other !== exit));
  const checked = withBestGrids(costs, shares, policy, [...new Set([...exits, exit])].sort((a, b) => a - b));
  const unused = estimateChoice(costs, postponed(shares, checked.exits, exit), checked);
  const cost = milliseconds(perCallMs(unused) - perCallMs(without));
  const saved = milliseconds(perCallMs(unused) - perCallMs(checked));
  return kept
    ? `exit ${exit} kept: its check costs ${cost} a call and saves ${saved}`
    : `exit ${exit} dropped: its check would cost ${cost} a call and save ${saved}`;
}

/** The shares as if all who leave at a kept exit, some of them bound for dropped ones before it, left one later. */
function postponed(shares: readonly number[], exits: readonly number[], exit: number): number[] {
  const before = exits[exits.indexOf(exit) - 1] ?? 0;
  const moved = shares.slice(before, exit).reduce((sum, share) => sum + share, 0);
  return shares.map((share, index) => (index === exit ? share + moved : index >= before && index < exit ? 0 : share));
}

function milliseconds(value: number): string {
  return `${value.toFixed(3)} ms`;
}

/** @throws ArgumentError naming what is wrong with a choice for this network */
export function checkChoice(operation: string, costs: DeviceCosts, { policy, exits, grids }: Choice): void {
  checkExits(operation, costs, exits);
  if (!POLICIES.includes(policy)) throw refusal(operation, `a policy of ${POLICIES.join(', ')}`, policy);
  if (grids.length !== exits.length || !grids.every((grid) => GRIDS.includes(grid))) {
    throw refusal(operation, `${exits.length} grids, full or indirect, one per kept exit`, `[${grids.join(', ')}]`);
  }
}

function checkExits(operation: string, { stages: { length } }: DeviceCosts, exits: readonly number[]): void {
  const ascending = exits.every((exit, index) => Number.isInteger(exit) && exit > (exits[index - 1] ?? 0));
  if (ascending && exits.at(-1) === length) return;
  const expected = `exits that ascend from 1 or more and end with the last, ${length}`;
  throw refusal(operation, expected, `[${exits.join(', ')}]`);
}

/** @throws ArgumentError naming the cost that is no time, or a network without stages */
export function checkCosts(operation: string, { batch, roundTripMs, stages }: DeviceCosts): void {
  if (!Number.isSafeInteger(batch) || batch < 1) throw refusal(operation, 'a batch of 1 or more', batch);
  if (stages.length === 0) throw refusal(operation, 'the costs of at least one stage', 'none');
  const checkTime = (name: string, value: number) => {
    if (value >= 0 && value < Infinity) return;
    throw refusal(operation, `${name} to be finite milliseconds >= 0`, `${value}; measure again`);
  };
  checkTime('roundTripMs', roundTripMs);
  stages.forEach((stage, index) => {
    for (const part of ['body', 'exit'] as const) {
      for (const grid of GRIDS) {
        checkTime(`stages[${index}].${part}.${grid}.alive`, stage[part][grid].alive);
        checkTime(`stages[${index}].${part}.${grid}.skipped`, stage[part][grid].skipped);
      }
    }
  });
}

/** @throws ArgumentError for shares that are no distribution over the exits */
export function checkShares(operation: string, { stages }: DeviceCosts, shares: readonly number[]): void {
  if (shares.length !== stages.length) {
    throw refusal(operation, `${stages.length} shares, one per exit`, shares.length);
  }
  const sum = shares.reduce((total, share) => total + share, 0);
  // Shares that were rounded to a few digits for a file still pass.
  if (shares.every((share) => share >= 0) && Math.abs(sum - 1) < 1e-3) return;
  throw refusal(operation, 'shares >= 0 that sum to 1', `[${shares.join(', ')}], sum ${sum}`);
}

function refusal(operation: string, expected: string, got: string | number): ArgumentError {
  return new ArgumentError(`${operation}: expected ${expected}, got ${got}`);
}
