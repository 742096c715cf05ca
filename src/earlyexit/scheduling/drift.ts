import { ArgumentError } from '../../errors.ts';
import { arriving, estimate, estimateChoice, joinParts, perCallMs } from './cost-model.ts';
import { choosePlan } from './planner.ts';
import { POLICIES } from './costs.ts';
import type { DeviceCosts, PartCost, PolicyKind } from './costs.ts';
import type { Plan } from './planner.ts';

/** A finished call: how it ran, the exit each of its rows left at, and the time from the call to its answer. */
export interface Observation {
  readonly policy: PolicyKind;
  readonly exits: ArrayLike<number>;
  readonly elapsedMs: number;
}

export interface DriftOptions {
  /** Policies a new plan may take; all, if absent. */
  readonly policies?: readonly PolicyKind[];
  /** Whether other checkpoints are looked at as well, every eighth time: to change them a network is compiled. */
  readonly checkpoints?: boolean;
  /** Calls between two looks at the plan, and those the round trip is judged on. */
  readonly every?: number;
  /** How many samples the shares of the plan are worth, and how far back observed ones are remembered. */
  readonly weight?: number;
  /** A new plan must be expected to save more than this share of the present one's time. */
  readonly gain?: number;
}

/** Choosing among sets of checkpoints takes long where there are many: 0.04 s for eight. */
const LOOKS_PER_REPLAN = 8;

/**
 * Watches finished calls for a round trip or exit shares that are no longer those of the plan.
 *
 * Shares are exponentially weighted means. The round trip is the median of the latest calls, so that a hiccup changes
 * nothing; of each call it is what remains of the elapsed time once the stages that ran are taken away. Those are taken
 * as measured: a GPU that slows down shows as a longer round trip.
 */
export class DriftWatch {
  #plan: Plan;
  #shares: number[];
  #observed = 0;
  readonly #roundTrips: Float64Array;
  /** Of the stages of the plan's exits, which stay the same. */
  #parts: readonly PartCost[];
  readonly #options: Required<DriftOptions>;

  /** @throws ArgumentError for options out of range */
  constructor(plan: Plan, options: DriftOptions = {}) {
    const { policies = POLICIES, checkpoints = true, every = 256, weight = 200, gain = 0.1 } = options;
    if (!Number.isSafeInteger(every) || every < 1) {
      throw new ArgumentError(`DriftWatch: expected every >= 1, an integer, got ${every}`);
    }
    if (!(weight >= 1)) throw new ArgumentError(`DriftWatch: expected a weight of 1 sample or more, got ${weight}`);
    if (!(gain >= 0 && gain < 1)) throw new ArgumentError(`DriftWatch: expected a gain in [0, 1), got ${gain}`);
    this.#plan = plan;
    this.#shares = [...plan.shares];
    this.#parts = joinParts(plan.costs, plan.exits);
    this.#roundTrips = new Float64Array(every).fill(plan.costs.roundTripMs);
    this.#options = { policies, checkpoints, every, weight, gain };
  }

  /** The plan of the constructor, or the last one adopted. */
  get plan(): Plan {
    return this.#plan;
  }

  /** The share of samples that now leaves at each exit. */
  get shares(): readonly number[] {
    return this.#shares;
  }

  /** Milliseconds: the median over the latest calls, at first over the plan's. */
  get roundTripMs(): number {
    return this.#roundTrips.toSorted()[this.#roundTrips.length >> 1]!;
  }

  /**
   * Takes a call into account. Now and then it answers with a better plan, to be adopted once it is in use: most often
   * one over the same checkpoints, which needs no compilation; every eighth time others are looked at as well.
   * @throws ArgumentError for exits that the plan does not check, more rows than its batch, or a time that is none
   */
  observe(call: Observation): Plan | undefined {
    const { every, weight, policies, checkpoints, gain } = this.#options;
    const leaving = this.#countLeaving(call);
    this.#roundTrips[this.#observed++ % every] = this.#roundTripOf(call, leaving);
    this.#blend(leaving, call.exits.length, 1 - (1 - 1 / weight) ** call.exits.length);
    if (this.#observed % every !== 0) return undefined;

    const now = this.#costs();
    const present = perCallMs(estimateChoice(now, this.#shares, this.#plan));
    const free = checkpoints && this.#observed % (every * LOOKS_PER_REPLAN) === 0;
    const next = choosePlan(now, this.#shares, free ? { policies } : { policies, exits: this.#plan.exits });
    return perCallMs(next) < (1 - gain) * present ? next : undefined;
  }

  /** From here on this plan is the one watched. */
  adopt(plan: Plan): void {
    this.#plan = plan;
    this.#parts = joinParts(plan.costs, plan.exits);
  }

  #costs(): DeviceCosts {
    return { ...this.#plan.costs, roundTripMs: this.roundTripMs };
  }

  /** Rows of the call that left at each kept exit. */
  #countLeaving({ exits: rows, elapsedMs }: Observation): number[] {
    const { exits, costs } = this.#plan;
    if (!(elapsedMs >= 0 && elapsedMs < Infinity)) {
      throw new ArgumentError(`DriftWatch: expected elapsedMs to be finite and >= 0, got ${elapsedMs}`);
    }
    if (rows.length < 1 || rows.length > costs.batch) {
      throw new ArgumentError(`DriftWatch: expected the exits of 1 to ${costs.batch} rows, got ${rows.length}`);
    }
    const leaving = exits.map(() => 0);
    for (let row = 0; row < rows.length; row++) {
      const index = exits.indexOf(rows[row]!);
      if (index < 0) {
        throw new ArgumentError(`DriftWatch: expected one of the plan's exits ${exits.join(', ')}, got ${rows[row]}`);
      }
      leaving[index]!++;
    }
    return leaving;
  }

  /** The round trip under which this call would have taken so long. Its time rises with it: by bisection. */
  #roundTripOf({ policy, exits: { length }, elapsedMs }: Observation, leaving: readonly number[]): number {
    const { costs, grids } = this.#plan;
    let alive = length;
    const arrivals = leaving.map((count) => {
      const arrival = { reach: alive > 0 ? 1 : 0, rows: alive / costs.batch };
      alive -= count;
      return arrival;
    });
    const stages = arriving(this.#parts, arrivals);
    let [low, high] = [0, elapsedMs];
    for (let step = 0; step < 20; step++) {
      const middle = (low + high) / 2;
      if (estimate(policy, middle, stages, grids).expectedMs > elapsedMs) high = middle;
      else low = middle;
    }
    return low;
  }

  /** Exits that are not checked keep their proportion to the kept one that stands in for them. */
  #blend(leaving: readonly number[], rows: number, rate: number): void {
    this.#plan.exits.forEach((kept, index) => {
      const before = this.#plan.exits[index - 1] ?? 0;
      const present = this.#shares.slice(before, kept).reduce((sum, share) => sum + share, 0);
      const arrived = rate * (leaving[index]! / rows);
      for (let exit = before; exit < kept; exit++) {
        const part = present > 0 ? this.#shares[exit]! / present : Number(exit === kept - 1);
        this.#shares[exit] = (1 - rate) * this.#shares[exit]! + arrived * part;
      }
    });
  }
}
