import { UsageError } from './usage-error.ts';

/** One flag of a verb: the line that `--help` shows, and how its text becomes a value. */
export interface Flag<T = unknown> {
  /** Absent for a switch. */
  readonly placeholder?: string;
  readonly help: string;
  /** What is read where the flag is left out. */
  readonly fallback?: string;
  /** `undefined` where the flag is left out and has no fallback. @throws UsageError saying what was expected */
  read(text: string | undefined): T;
}

export type Flags = Readonly<Record<string, Flag>>;

/** The values of a verb's flags, by name. */
export type Values<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

type Reader<T> = (text: string) => T;

interface Description {
  readonly placeholder: string;
  readonly help: string;
}

/** A flag that always has a value. */
export const flag = <T>(read: Reader<T>, description: Description & { readonly fallback: string }): Flag<T> => ({
  ...description,
  read: (text) => read(text!),
});

/** A flag that may be left out. */
export const optionalFlag = <T>(read: Reader<T>, description: Description): Flag<T | undefined> => ({
  ...description,
  read: (text) => (text === undefined ? undefined : read(text)),
});

/** A flag without a value. */
export const toggle = (help: string): Flag<boolean> => ({ help, read: (text) => text === 'true' });

const refuse = (expected: string, text: string): never => {
  throw new UsageError(`expected ${expected}, got '${text}'`);
};

export const text: Reader<string> = (value) => value || refuse('some text', value);

/** Of the verbs whose result can be drawn. */
export const svgFlag = optionalFlag(text, { placeholder: 'file', help: 'Draw the result there, as SVG' });

export const integer =
  (min: number, max: number = Number.MAX_SAFE_INTEGER): Reader<number> =>
  (value) => {
    const number = value.trim() === '' ? NaN : Number(value);
    const range = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`;
    const fits = Number.isSafeInteger(number) && number >= min && number <= max;
    return fits ? number : refuse(`an integer ${range}`, value);
  };

/** A number from `min` to `max`; an `exclusive` one is greater than `min`. */
export const number =
  (min: number, max = Infinity, { exclusive = false } = {}): Reader<number> =>
  (value) => {
    const parsed = value.trim() === '' ? NaN : Number(value);
    const range = max < Infinity ? `from ${min} to ${max}` : exclusive ? `above ${min}` : `of ${min} or more`;
    const fits = Number.isFinite(parsed) && parsed <= max && (exclusive ? parsed > min : parsed >= min);
    return fits ? parsed : refuse(`a number ${range}`, value);
  };

/** Texts with commas between them. */
export const texts: Reader<readonly string[]> = (value) => value.split(',').map(text);

/** Numbers with commas between them, each as `number` takes it. */
export const numbers =
  (...range: Parameters<typeof number>): Reader<readonly number[]> =>
  (value) =>
    value.split(',').map(number(...range));

export const choice =
  <const T extends string>(...choices: readonly T[]): Reader<T> =>
  (value) =>
    choices.find((one) => one === value) ?? refuse(`one of ${choices.join(', ')}`, value);
