/** When a value is first written and last used, as positions in the list of dispatches. */
export interface Lifetime {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface Plan {
  /** Bytes of each buffer to make. */
  readonly buffers: readonly number[];
  /** For each lifetime given, which buffer holds it. */
  readonly assigned: readonly number[];
}

/**
 * Linear scan over lifetimes with best-fit reuse of whole buffers. Whole, since WebGPU refuses one buffer bound for
 * reading and for writing in one dispatch even where the ranges are disjoint: two values that meet in a dispatch never
 * share. A buffer may grow when a later, larger value takes it over: it is made after the plan is done.
 */
export function planMemory(lifetimes: readonly Lifetime[], reuse = true): Plan {
  const buffers: number[] = [];
  const busyUntil: number[] = [];
  const assigned = new Array<number>(lifetimes.length);
  const order = lifetimes.map((_, index) => index).sort((a, b) => lifetimes[a]!.first - lifetimes[b]!.first || a - b);
  for (const index of order) {
    const { bytes, first, last } = lifetimes[index]!;
    let best = -1;
    if (reuse) {
      for (let buffer = 0; buffer < buffers.length; buffer++) {
        if (busyUntil[buffer]! >= first) continue;
        if (best < 0 || waste(buffers[buffer]!, bytes) < waste(buffers[best]!, bytes)) best = buffer;
      }
    }
    if (best < 0) best = buffers.push(0) - 1;
    buffers[best] = Math.max(buffers[best]!, bytes);
    busyUntil[best] = last;
    assigned[index] = best;
  }
  return { buffers, assigned };
}

/** Bytes lost by the choice: unused room, or what the buffer has to grow by. */
const waste = (room: number, bytes: number): number => Math.abs(room - bytes);
