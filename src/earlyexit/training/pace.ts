/** Naps shorter than this are not worth a timer. */
const SHORTEST_NAP_MS = 4;

/**
 * Sleeps about as long as a step takes before asking for a loss: while a map is pending, Dawn in Node spins on the main
 * thread, and a software GPU needs that core. A loss that has to be waited for lengthens the nap, by a quarter at most,
 * since a machine may stall for once; one that is there shortens it; the steps in flight keep the GPU busy meanwhile.
 */
export class Pace {
  #nap = 0;
  #last = performance.now();

  async collect<T>(read: () => Promise<T>): Promise<T> {
    const rest = this.#nap - (performance.now() - this.#last);
    if (rest > SHORTEST_NAP_MS) await new Promise((resolve) => setTimeout(resolve, rest));
    const asked = performance.now();
    const value = await read();
    this.#last = performance.now();
    const waited = this.#last - asked;
    const more = Math.min(waited, Math.max(this.#nap, SHORTEST_NAP_MS)) / 4;
    this.#nap = waited > 1 ? this.#nap + more : this.#nap * 0.95;
    return value;
  }
}
