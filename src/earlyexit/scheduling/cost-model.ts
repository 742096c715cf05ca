import type { GridKind } from '../../graph/program.ts';
import { checkChoice, checkCosts, checkShares } from './costs.ts';
import type { Choice, DeviceCosts, GridCost, PartCost, PolicyKind } from './costs.ts';

export interface Estimate {
  /** From the call to its answer. */
  readonly expectedMs: number;
  /** What a call made right after the answer waits for a stage that was submitted in vain; `overlap` only. */
  readonly wasteMs: number;
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
export function arrivals(shares: readonly number[], exits: readonly number[], batch: number): Arrival[] {
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
