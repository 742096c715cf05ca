import { describe, expect, it } from 'vitest';
import { wgslCriterion, wgslExitKernel } from '../../src/custom/index.ts';
import type { ExitValues } from '../../src/custom/index.ts';
import { ArgumentError } from '../../src/errors.ts';
import { ENTROPY, OWN_KERNEL } from './texts.ts';

async function messageOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(ArgumentError);
  return (error as Error).message;
}

function change(text: string, from: string, to: string): string {
  expect(text).toContain(from);
  return text.replace(from, to);
}

const LEAVE = 'fn leave(s: ExitScores, p: Params) -> bool, or without p where it needs no parameters';
const NUMBERS = 'f32, i32, u32, a vector of them, or an array of fixed size without gaps';

describe('a criterion that cannot be linked is refused by the line of its text', () => {
  const given = { threshold: 0.5 };
  const edit = (from: string, to: string) => change(ENTROPY, from, to);
  it.each<[string, string, ExitValues | undefined, string]>([
    ['no text', '', undefined, `criterion:1: expected ${LEAVE}; got no function leave`],
    ['no WGSL', 'leave if sure', undefined, 'criterion:1: Expected a declaration or directive'],
    ['another name', edit('fn leave', 'fn exits'), given, `criterion:1: expected ${LEAVE}; got no function leave`],
    ['another result', edit('-> bool', '-> f32'), given, `criterion:5: expected ${LEAVE}; got fn leave(ExitScores, Params) -> f32`],
    ['no result', edit('-> bool', ''), given, `criterion:5: expected ${LEAVE}; got fn leave(ExitScores, Params)`],
    ['other parameters', edit('s: ExitScores', 's: f32'), given, `criterion:5: expected ${LEAVE}; got fn leave(f32, Params) -> bool`],
    ['no struct', edit('struct Params', 'struct Options'), given, 'criterion:5: leave takes Params, expected a struct of that name in the text'],
    ['a struct nobody takes', edit(', p: Params', ''), given, `criterion:1: Params is declared but leave does not take it; expected ${LEAVE}`],
    ['an unknown identifier', edit('p.threshold', 'treshold'), given, "criterion:6: unresolved identifier 'treshold'"],
    ['an unknown function', edit('s.entropy', 'renyi(s.entropy)'), given, "criterion:6: unresolved identifier 'renyi'"],
    ['a syntax error', edit('threshold;\n', 'threshold\n'), given, "criterion:6: Expected ';' after return statement"],
    ['an unclosed body', edit('return s.entropy < p.threshold;\n}', ''), given, "criterion:5: Expected statement or '}'"],
    ['an unknown import', `import package::lib::entropy::renyi;\n${edit('s.entropy', 'renyi(s)')}`, given, "criterion:7: module not found for 'package::lib::entropy::renyi'"],
    ['a buffer', `@group(0) @binding(9) var<storage, read> more: array<f32>;\n${ENTROPY}`, given, 'criterion:1: more: expected no buffers in a criterion; what the host sets belongs in Params'],
    ['a NaN test that never finds one', edit('return', 'if (s.entropy != s.entropy) {\n    return false;\n  }\n  return'), given, 'criterion:6: a value compared with itself never finds NaN on real adapters; use isFiniteBits of lib/float-bits.wgsl'],
    ['a parameter of another type', edit('threshold: f32', 'threshold: f32,\n  strict: bool'), given, `criterion:1: Params.strict: expected ${NUMBERS}, got bool`],
    ['no values', ENTROPY, undefined, 'criterion:1: Params: expected values of threshold, got none'],
    ['a value left out', edit('threshold: f32', 'threshold: f32,\n  weights: vec3f'), given, 'criterion:1: Params.weights: expected a list of 3 numbers, got nothing'],
    ['a value of another type', edit('f32', 'u32'), given, 'criterion:1: Params.threshold: expected an integer from 0 to 4294967295, got 0.5'],
    ['an unknown value', ENTROPY, { threshold: 0.5, floor: 1 }, 'criterion:1: Params.floor: no such field; expected threshold'],
    ['a wrong value for the second exit', ENTROPY, [given, { threshold: '1' } as never], 'criterion:1: Params.threshold: expected a number of 32-bit float range, got 1'],
    ['values for nothing', 'fn leave(s: ExitScores) -> bool { return s.exit > 1; }', given, 'criterion: expected no values, since the text reads no parameters; declare a struct Params and take it'],
  ])('%s', async (_, text, values, message) => {
    expect(await messageOf(wgslCriterion(text, values))).toBe(message);
  });

  it('and so are other values for it later', async () => {
    const criterion = await wgslCriterion(ENTROPY, given);
    expect(() => criterion.with({ threshold: NaN, floor: 1 } as never)).toThrow('criterion:1: Params.floor: no such field');
    expect(criterion.with({ threshold: 2 }).values).toEqual([{ threshold: 2 }]);
  });
});

describe('an exit kernel that cannot be linked is refused by the line of its text', () => {
  const edit = (from: string, to: string) => change(OWN_KERNEL, from, to);
  it.each<[string, string, string]>([
    ['no entry point', edit('@compute @workgroup_size(32)\n', ''), 'exitKernel:1: expected one entry point, @compute and named main, got none'],
    ['an unknown buffer', edit('var<uniform> live: Live;', 'var<uniform> live: Live;\n@group(0) @binding(8) var<storage, read> more: array<u32>;').replace('hasLeft(at)', 'hasLeft(at + more[0])'), 'exitKernel:19: more: expected one of settings, classThresholds, criterion, records, logits, origin, stays, got a buffer that nobody binds'],
    ['a buffer of another type', edit('logits: array<u32>', 'logits: array<vec2u>').replace('logits[row * params.classes + label]', 'logits[label].x').replace('hasLeft(at)', 'hasLeft(at + arrayLength(&logits))'), 'exitKernel:14: logits: expected f32 or u32 of 4 bytes, got u32 of 8 bytes'],
    ['access it does not need', edit('var<storage, read> logits', 'var<storage, read_write> logits'), 'exitKernel:14: logits: expected access read, since the kernel never writes it; got read_write'],
    ['another uniform', edit('struct Params', 'struct Options').replace('params: Params', 'params: Options'), 'exitKernel:17: expected no uniforms but `params: Params` and `live: Live`, got `params: Options`'],
    ['more in Params', edit('classes: u32,', 'classes: u32,\n  floor: f32,'), 'exitKernel:10: Params.floor: expected no field but classes: u32; parameters of one\'s own are a struct bound as criterion'],
    ['an unknown identifier', edit('hasLeft(at)', 'left(at)'), "exitKernel:30: unresolved identifier 'left'"],
  ])('%s', async (_, text, message) => {
    expect(await messageOf(wgslExitKernel(text))).toBe(message);
  });

  it('one that does not say who stays', async () => {
    const text = '@compute @workgroup_size(1) fn main() {}';
    expect(await messageOf(wgslExitKernel(text))).toBe('exitKernel:1: expected the kernel to bind and use records, origin, stays, live; without, it cannot tell rows apart');
  });

  it('options out of range', async () => {
    expect(await messageOf(wgslExitKernel(OWN_KERNEL, { rowsPerWorkgroup: 0 }))).toBe('wgslExitKernel: expected rowsPerWorkgroup of 1 or more, got 0');
    expect(await messageOf(wgslExitKernel(OWN_KERNEL, { criterion: { kind: 'entropy' } as never }))).toBe('wgslExitKernel: expected a criterion that wgslCriterion() made');
  });
});
