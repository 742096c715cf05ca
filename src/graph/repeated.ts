/** A measured launch takes at least so long in all, or it is repeated within one submit. */
const LONG_ENOUGH_MS = 2;
const MOST_REPEATS = 32;
/** Rounds: whatever else the machine does only adds to the fastest. Of what takes long by itself two are enough. */
const ROUNDS = 5;
const LONG_MS = 20;

/**
 * Milliseconds of one repeat, the round trip taken away: the fastest of rounds that are long enough to be measured.
 * `run` does its work `repeats` times in one submit, and says how long that took until the host knew.
 */
export async function repeated(run: (repeats: number) => Promise<number>, roundTripMs: number): Promise<number> {
  await run(1);
  const once = Math.max(1e-3, (await run(1)) - roundTripMs);
  const repeats = Math.min(MOST_REPEATS, Math.ceil(LONG_ENOUGH_MS / once));
  let total = Infinity;
  for (let round = 0; round < (once > LONG_MS ? 2 : ROUNDS); round++) total = Math.min(total, await run(repeats));
  return Math.max(0, total - roundTripMs) / repeats;
}
