import { ArgumentError } from '../../errors.ts';
import type { GridKind } from '../../graph/program.ts';

/**
 * How the host learns where rows leave; answers are the same to the bit, and `estimate` says what each costs.
 * `readback` submits a stage, waits for one scalar, and goes on or stops: nothing behind the exit is ever launched.
 * `overlap` submits the next stage before that scalar arrives: the wait is hidden, at most one stage is launched in
 * vain.
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

export interface StageCost {
  readonly body: PartCost;
  readonly exit: PartCost;
  /** Of a batch, to move all rows that go on behind this exit by one place; 0 where left out. */
  readonly moveMs?: number;
}

/** What was measured on one device for one network at one batch size. */
export interface DeviceCosts {
  readonly adapter: string;
  readonly network: string;
  readonly batch: number;
  /** From the end of the GPU's work to the host knowing the result, and its next work reaching the GPU. */
  readonly roundTripMs: number;
  /** Per exit: its piece of the trunk, then its head and exit check. */
  readonly stages: readonly StageCost[];
}

export interface Choice {
  readonly policy: PolicyKind;
  /** Exits that are checked, ascending from 1. The last exit of the network is always among them. */
  readonly exits: readonly number[];
  /** One per kept exit: how its stage is launched. `readback` knows the rows and needs full grids only. */
  readonly grids: readonly GridKind[];
}

/** @throws ArgumentError naming what is wrong with a choice for this network */
export function checkChoice(operation: string, costs: DeviceCosts, { policy, exits, grids }: Choice): void {
  if (!Array.isArray(exits) || !Array.isArray(grids)) {
    throw refusal(operation, 'a plan with lists of exits and grids', `${exits} and ${grids}`);
  }
  checkExits(operation, costs, exits);
  if (!POLICIES.includes(policy)) throw refusal(operation, `a policy of ${POLICIES.join(', ')}`, policy);
  if (grids.length !== exits.length || !grids.every((grid) => GRIDS.includes(grid))) {
    throw refusal(operation, `${exits.length} grids, full or indirect, one per kept exit`, `[${grids.join(', ')}]`);
  }
}

export function checkExits(operation: string, { stages: { length } }: DeviceCosts, exits: readonly number[]): void {
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
    checkTime(`stages[${index}].moveMs`, stage.moveMs ?? 0);
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
