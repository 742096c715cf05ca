/** Values that came one after the other, summed. */
export interface Bucket {
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
}

/** Buckets of one size before two of them are joined to one of the next (the paper's M). */
const PER_SIZE = 5;

const join = (one: Bucket, other: Bucket): Bucket => ({
  count: one.count + other.count,
  sum: one.sum + other.sum,
  squares: one.squares + other.squares,
});

const NOTHING: Bucket = { count: 0, sum: 0, squares: 0 };

/**
 * A window over a stream of values in [0, 1] that grows as long as their mean stays, and forgets what was before a
 * change (ADWIN2, Bifet and Gavalda 2007, "Learning from time-changing data with adaptive windowing"). Wherever the
 * window is cut in two, of `n0` and `n1` values, their means may differ by
 * `sqrt(2 / m s^2 ln(2 / d)) + 2 / (3 m) ln(2 / d)`, with `1 / m = 1 / n0 + 1 / n1` and `s^2` the variance of the
 * window (section 3.2); `d` is what may be risked, shared among the cuts looked at. It needs no reference.
 *
 * Per value taken in, `falseAlarms / horizon` is risked: it forgets for no reason with probability `falseAlarms` at
 * most in `horizon` values, as far as the normal approximation of the paper holds.
 */
export class Adwin {
  readonly #risk: number;
  /** By size, those of the smallest first; within one the oldest first. Each takes in twice as many as those before. */
  #sizes: Bucket[][];
  #all: Bucket;

  constructor({ falseAlarms, horizon }: { falseAlarms: number; horizon: number }, sizes: readonly Bucket[][] = []) {
    this.#risk = falseAlarms / horizon;
    this.#sizes = sizes.map((list) => [...list]);
    this.#all = sizes.flat().reduce(join, NOTHING);
  }

  /** For `new Adwin(..., sizes)`. */
  get sizes(): readonly (readonly Bucket[])[] {
    return this.#sizes;
  }

  /** Values in the window. */
  get count(): number {
    return this.#all.count;
  }

  /** Takes in values, and says whether their mean has changed since the oldest; these are then forgotten. */
  add(values: Bucket): boolean {
    if (values.count === 0) return false;
    this.#insert(values);
    let changed = false;
    while (this.#differs(values.count * this.#risk)) {
      const { count, sum, squares } = this.#sizes.findLast((list) => list.length > 0)!.shift()!;
      this.#all = join(this.#all, { count: -count, sum: -sum, squares: -squares });
      changed = true;
    }
    return changed;
  }

  #insert(values: Bucket): void {
    this.#all = join(this.#all, values);
    let taken: Bucket | undefined = values;
    for (let size = 0; taken; size++) {
      const list: Bucket[] = (this.#sizes[size] ??= []);
      list.push(taken);
      taken = list.length > PER_SIZE ? join(list.shift()!, list.shift()!) : undefined;
    }
  }

  #differs(risk: number): boolean {
    const all = this.#all;
    const variance = Math.max(0, all.squares / all.count - (all.sum / all.count) ** 2);
    const cuts = this.#sizes.reduce((sum, { length }) => sum + length, -1);
    const doubt = Math.log((2 * cuts) / risk);
    let [count, sum] = [0, 0];
    // The oldest first, which are the largest.
    for (let size = this.#sizes.length - 1; size >= 0; size--) {
      for (const bucket of this.#sizes[size]!) {
        count += bucket.count;
        sum += bucket.sum;
        if (count === all.count) return false;
        const inverse = 1 / count + 1 / (all.count - count);
        const may = Math.sqrt(2 * inverse * variance * doubt) + (2 / 3) * inverse * doubt;
        if (Math.abs(sum / count - (all.sum - sum) / (all.count - count)) > may) return true;
      }
    }
    return false;
  }
}
