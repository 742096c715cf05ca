import { ArgumentError } from './errors.ts';

const GOLDEN = 0x9e3779b9;
/** Outside the range of UTF-16 code units, so that `split('a').split('b')` is not `split('ab')`. */
const END_OF_LABEL = 0x10000;

/**
 * Seeded random numbers, the same stream on every machine: integer arithmetic, and for `normal` comparisons and
 * + - * / only, so that no engine's `Math.log` or `Math.sin` can make a difference.
 *
 * The generator is xoshiro128** (Blackman and Vigna, https://prng.di.unimi.it/xoshiro128starstar.c). Not for secrets.
 */
export class Random {
  readonly #key: Uint32Array;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /**
   * @param seed a safe integer >= 0, or the four words of a generator state, not all zero
   * @throws ArgumentError for any other seed
   */
  constructor(seed: number | Uint32Array) {
    this.#key = typeof seed === 'number' ? wordsOfSeed(seed) : Uint32Array.from(seed);
    if (this.#key.length !== 4 || this.#key.every((word) => word === 0)) {
      throw new ArgumentError(`Random: expected a state of 4 words, not all zero, got [${this.#key.join(', ')}]`);
    }
    [this.#a, this.#b, this.#c, this.#d] = this.#key as unknown as [number, number, number, number];
  }

  /** Four words: a generator made of them draws what this one would draw next. (It splits into other streams.) */
  get state(): Uint32Array {
    return Uint32Array.of(this.#a, this.#b, this.#c, this.#d);
  }

  /** The next integer in [0, 2^32). */
  nextUint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 11);
    return result >>> 0;
  }

  /** The next number in [0, 1): a multiple of 2^-24, so that float32 holds it exactly. */
  uniform(): number {
    return (this.nextUint32() >>> 8) / 0x1000000;
  }

  /** The next number in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /**
   * The next integer in [0, bound), each equally likely: draws of an incomplete last cycle are thrown away.
   *
   * @throws ArgumentError unless bound is an integer in 1..2^32
   */
  below(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 0x100000000) {
      throw new ArgumentError(`Random.below: expected an integer bound in 1..2^32, got ${bound}`);
    }
    const limit = 0x100000000 - (0x100000000 % bound);
    for (;;) {
      const draw = this.nextUint32();
      if (draw < limit) return draw % bound;
    }
  }

  /** Shuffles in place (Fisher-Yates), every order equally likely, and returns its argument. */
  shuffle<T extends number[] | Uint8Array | Uint16Array | Uint32Array>(items: T): T {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      const held = items[last]!;
      items[last] = items[other]!;
      items[other] = held;
    }
    return items;
  }

  /**
   * The next number of the standard normal distribution: exact, with tails, by von Neumann's comparisons of uniforms
   * (C. Karney, Sampling exactly from the normal distribution, 2016, algorithm N).
   */
  normal(): number {
    for (;;) {
      let whole = 0;
      while (this.#withProbabilityExp(0.5)) whole++;
      if (!this.#allWithProbabilityExp(0.5, whole * (whole - 1))) continue;
      const fraction = this.uniform();
      const exponent = (fraction * (2 * whole + fraction)) / (2 * whole + 2);
      if (!this.#allWithProbabilityExp(exponent, whole + 1)) continue;
      return this.below(2) === 0 ? whole + fraction : -(whole + fraction);
    }
  }

  /**
   * A generator of its own for a named purpose. It depends on this generator's seed and the label, not on how many
   * numbers were drawn: adding a draw in one place never changes another. A number is its decimal digits as a label.
   */
  split(label: string | number): Random {
    const words = Uint32Array.from(this.#key);
    const absorb = (unit: number) => {
      for (let lane = 0; lane < 4; lane++) words[lane] = mix(words[lane]! ^ mix(unit + GOLDEN * (lane + 1)));
    };
    const text = String(label);
    for (let at = 0; at < text.length; at++) absorb(text.charCodeAt(at));
    absorb(END_OF_LABEL);
    return new Random(words);
  }

  /** True with probability e^-x, x in [0, 1]: a falling run of uniforms below x has even length that often. */
  #withProbabilityExp(x: number): boolean {
    let bound = x;
    for (let even = true; ; even = !even) {
      const draw = this.uniform();
      if (draw >= bound) return even;
      bound = draw;
    }
  }

  #allWithProbabilityExp(x: number, times: number): boolean {
    for (let done = 0; done < times; done++) if (!this.#withProbabilityExp(x)) return false;
    return true;
  }
}

function wordsOfSeed(seed: number): Uint32Array {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ArgumentError(`Random: expected a seed that is a safe integer >= 0, got ${seed}`);
  }
  const high = Math.floor(seed / 0x100000000);
  return Uint32Array.from({ length: 4 }, (_, lane) => mix(mix((seed >>> 0) + GOLDEN * (lane + 1)) ^ high));
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** A bijection of 32-bit words with little bias (C. Wellons, https://nullprogram.com/blog/2018/07/31/, lowbias32). */
function mix(word: number): number {
  let mixed = word | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
