/**
 * JSON that someone else wrote: parsed without silent losses, then checked field by field. A check returns a value of
 * the type it names, or throws a `ModelFileError` such as `exitgpu.exits[1].threshold: expected a number, got "x"`.
 */
import { ModelFileError } from './errors.ts';

/** Returns `value` as a `T`, or throws a `ModelFileError` that begins with `path`. */
export type Check<T> = (value: unknown, path: string) => T;

/** The type a check returns: `type Exit = Checked<typeof exit>`. */
export type Checked<C> = C extends Check<infer T> ? T : never;

// Deep enough for any real file; brackets nested by the million would exhaust the memory of `JSON.parse`.
const maxDepth = 64;

/**
 * Parses `text`, refusing what `JSON.parse` lets pass: a key given twice in one object (it keeps the last), the key
 * `__proto__`, and nesting deeper than 64. `path` names the text in the message.
 */
export function parseJson(text: string, path: string): unknown {
  try {
    refuseTreacherousJson(text, path);
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof ModelFileError) throw error;
    throw new ModelFileError(`${path}: expected JSON, got ${describe(text)}`, { cause: error });
  }
}

// Looks at strings, colons and brackets only; `JSON.parse` judges the grammar afterwards.
function refuseTreacherousJson(text: string, path: string): void {
  const keysOf: (Set<string> | undefined)[] = []; // for each open bracket the keys so far
  let literal = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const start = at;
      while (++at < text.length && text[at] !== '"') if (text[at] === '\\') at++;
      literal = text.slice(start, at + 1);
    } else if (character === ':') {
      const key = String(JSON.parse(literal));
      const keys = keysOf.pop() ?? new Set();
      if (key === '__proto__') throw new ModelFileError(`${path}: expected no key called "__proto__", got one`);
      if (keys.has(key)) throw new ModelFileError(`${path}: expected each key once, got ${describe(key)} twice`);
      keysOf.push(keys.add(key));
    } else if (character === '{' || character === '[') {
      if (keysOf.push(undefined) > maxDepth) {
        throw new ModelFileError(`${path}: expected at most ${maxDepth} levels, got more`);
      }
    } else if (character === '}' || character === ']') {
      keysOf.pop();
    }
  }
}

/** A string. */
export const string: Check<string> = (value, path) =>
  typeof value === 'string' ? value : refuse(path, 'a string', value);

/** `true` or `false`. */
export const boolean: Check<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : refuse(path, 'true or false', value);

/** A finite number from `min` to `max`, both included; with `integer`, one that a double holds exactly. */
export function number(range: { min?: number; max?: number; integer?: boolean } = {}): Check<number> {
  const { min = -Infinity, max = Infinity, integer = false } = range;
  const bounds = [min > -Infinity ? ` >= ${min}` : '', max < Infinity ? ` <= ${max}` : ''].filter(Boolean).join(' and');
  const expected = `${integer ? 'an integer' : 'a number'}${bounds}`;
  const fits = integer ? Number.isSafeInteger : Number.isFinite;
  return (value, path) => {
    if (typeof value !== 'number' || !fits(value) || value < min || value > max) return refuse(path, expected, value);
    return value + 0; // -0 becomes 0
  };
}

/** One of the given strings. */
export function oneOf<const T extends string>(choices: readonly T[]): Check<T> {
  const expected = `one of ${choices.join(', ')}`;
  return (value, path) => choices.find((choice) => choice === value) ?? refuse(path, expected, value);
}

/** What `check` takes, or nothing. `null` is something. */
export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value, path) => (value === undefined ? undefined : check(value, path));
}

/** An array of `item`s, of exactly `length` of them where that is given. */
export function array<T>(item: Check<T>, length?: number): Check<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) return refuse(path, 'an array', value);
    if (value.length !== (length ?? value.length)) return refuse(path, `an array of ${length}`, value);
    return value.map((element, index) => item(element, `${path}[${index}]`));
  };
}

/** An object with these fields. Others are left out of the result, so that a later version may add some. */
export function object<T>(fields: { [K in keyof T]: Check<T[K]> }): Check<T> {
  return (value, path) => {
    const given = plainObject(value, path);
    const own = (key: string) => (Object.hasOwn(given, key) ? given[key] : undefined);
    const keys = Object.keys(fields) as (keyof T & string)[];
    return Object.fromEntries(keys.map((key) => [key, fields[key](own(key), `${path}.${key}`)])) as T;
  };
}

/** An object with any keys. The result has no prototype, so `constructor` is a key like any other. */
export function record<T>(check: Check<T>): Check<Record<string, T>> {
  return (value, path) => {
    const result: Record<string, T> = Object.create(null);
    for (const [key, member] of Object.entries(plainObject(value, path))) {
      result[key] = check(member, `${path}[${describe(key)}]`);
    }
    return result;
  };
}

/** How a message shows a value: on one line, short, and never recursive, since foreign nesting may be deep. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return value !== null && typeof value === 'object' ? 'an object' : String(value);
}

function plainObject(value: unknown, path: string): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return refuse(path, 'an object', value);
  return value as Record<string, unknown>;
}

function refuse(path: string, expected: string, value: unknown): never {
  throw new ModelFileError(`${path}: expected ${expected}, got ${describe(value)}`);
}
