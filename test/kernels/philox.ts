const MASK = 0xffffffffn;

/** Philox-2x32-10 as its authors give it (Salmon et al. 2011), on BigInt: two words for a counter of two words. */
export function philox(counter: readonly [number, number], seed: number): readonly [number, number] {
  let [x, y, key] = [BigInt(counter[0]), BigInt(counter[1]), BigInt(seed)];
  for (let round = 0; round < 10; round++) {
    const product = 0xd256d193n * x;
    [x, y] = [(product >> 32n) ^ key ^ y, product & MASK];
    key = (key + 0x9e3779b9n) & MASK;
  }
  return [Number(x), Number(y)];
}
