import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ModelFileError } from '../src/errors.ts';
import { array, boolean, number, object, oneOf, optional, parseJson, record, string } from '../src/json.ts';
import type { Checked } from '../src/json.ts';

const exit = object({ threshold: number(), after: number({ min: 1, integer: true }), note: optional(string) });
const model = object({ name: oneOf(['b-lenet', 'b-alexnet']), gated: boolean, exits: array(exit) });
const exits = [{ threshold: 0.5, after: 1, note: 'x' }, { threshold: 1, after: 2 }];
const honest = { name: 'b-lenet', gated: true, exits };

describe('checks', () => {
  test('return what they name and drop what they do not', () => {
    const checked: Checked<typeof model> = model({ ...honest, later: 1 }, 'exitgpu');
    expect(checked).toEqual(honest);
  });

  test.each([
    ['x', 'exitgpu: expected an object, got "x"'],
    [null, 'exitgpu: expected an object, got null'],
    [[], 'exitgpu: expected an object, got an array of 0'],
    [{}, 'exitgpu.name: expected one of b-lenet, b-alexnet, got nothing'],
    [{ ...honest, name: 'toString' }, 'exitgpu.name: expected one of b-lenet, b-alexnet, got "toString"'],
    [{ ...honest, gated: 1 }, 'exitgpu.gated: expected true or false, got 1'],
    [{ ...honest, exits: {} }, 'exitgpu.exits: expected an array, got an object'],
    [
      { ...honest, exits: [exits[0], { threshold: 'x', after: 2 }] },
      'exitgpu.exits[1].threshold: expected a number, got "x"',
    ],
    [{ ...honest, exits: [{ threshold: NaN, after: 1 }] }, 'exitgpu.exits[0].threshold: expected a number, got NaN'],
    [{ ...honest, exits: [{ threshold: 0, after: 0 }] }, 'exitgpu.exits[0].after: expected an integer >= 1, got 0'],
    [{ ...honest, exits: [{ threshold: 0, after: 1.5 }] }, 'exitgpu.exits[0].after: expected an integer >= 1, got 1.5'],
    [
      { ...honest, exits: [{ threshold: 0, after: 1, note: null }] },
      'exitgpu.exits[0].note: expected a string, got null',
    ],
  ])('refuse %j', (value, message) => {
    expect(() => model(value, 'exitgpu')).toThrow(new ModelFileError(message));
  });

  test('a number keeps its bounds, an integer its precision, an array its length', () => {
    expect(number({ min: 0, max: 1 })(1, 'p')).toBe(1);
    expect(number({ min: 0, integer: true })(-0, 'p')).toBe(0);
    expect(() => number({ min: 0, max: 1 })(1.1, 'p')).toThrow('p: expected a number >= 0 and <= 1, got 1.1');
    expect(() => number({ integer: true })(2 ** 53, 'n')).toThrow('n: expected an integer, got 9007199254740992');
    expect(() => number()(Infinity, 'n')).toThrow('n: expected a number, got Infinity');
    expect(() => array(string, 2)(['a'], 'a')).toThrow('a: expected an array of 2, got an array of 1');
  });

  test('fields that an object inherits are not given', () => {
    expect(() => object({ constructor: string })({}, 'o')).toThrow('o.constructor: expected a string, got nothing');
  });

  test('a record takes any key and inherits none', () => {
    const read = record(string)(JSON.parse('{"constructor":"a","__proto__":"b"}'), 'r');
    expect(Object.entries(read)).toEqual([['constructor', 'a'], ['__proto__', 'b']]);
    expect('toString' in read).toBe(false);
    expect(() => record(string)({ 'a b': 1 }, 'r')).toThrow('r["a b"]: expected a string, got 1');
  });

  test('a message stays short and on one line', () => {
    expect(() => number()(`\n${'x'.repeat(1e6)}`, 'n')).toThrow(/^n: expected a number, got "\\nx{59}\.\.\."$/);
  });
});

describe('parseJson', () => {
  test('agrees with JSON.parse on honest text', () => {
    fc.assert(fc.property(fc.json(), (text) => {
      fc.pre(!text.includes('__proto__'));
      expect(parseJson(text, 'j')).toEqual(JSON.parse(text));
    }), { seed: 1 });
  });

  test.each([
    ['{"a":1,"a":2}', 'j: expected each key once, got "a" twice'],
    ['{"a":1,"\\u0061":2}', 'j: expected each key once, got "a" twice'],
    ['[{"b":{"a":[{"a":1}], "c":":","a" : 2}}]', 'j: expected each key once, got "a" twice'],
    ['{"a":{"__proto__":{}}}', 'j: expected no key called "__proto__", got one'],
    ['{"\\u005f_proto__":{}}', 'j: expected no key called "__proto__", got one'],
    ['', 'j: expected JSON, got ""'],
    ['{"a', 'j: expected JSON, got "{\\"a"'],
    ['{:}', 'j: expected JSON, got "{:}"'],
    ['{"a\\', 'j: expected JSON, got "{\\"a\\\\"'],
    [`[\n${'{"a":'.repeat(64)}`, 'j: expected at most 64 levels, got more'],
    ['['.repeat(1e6), 'j: expected at most 64 levels, got more'],
  ])('refuses %.40s', (text, message) => {
    expect(() => parseJson(text, 'j')).toThrow(new ModelFileError(message));
  });

  test('keys repeat freely in different objects and as values', () => {
    const text = '{"a":{"a":"a"},"b":["a",{"a":1},{"a":2}],"constructor":"a"}';
    expect(parseJson(text, 'j')).toEqual(JSON.parse(text));
  });
});
