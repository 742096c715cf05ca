import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generate, linkKernel, linkVariants } from '../../scripts/kernels.mjs';
import { minify } from '../../src/custom/toolchain/minify.mjs';
import { inHalf } from '../../src/kernels/kernel.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'exitgpu-kernels-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, source: string): string {
  const file = join(folder, `${name}.wgsl`);
  writeFileSync(file, source);
  return file;
}

/** Doubles x into y; the tests below break one thing each. */
const GOOD = `// y = 2 x. x, y: [count]. Grid: one invocation per element.
struct Params {
  count: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
override THREADS: u32 = 64;
@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x < params.count) {
    y[at.x] = 2 * x[at.x];
  }
}
`;

test('a kernel is described as it is written', () => {
  const { wgsl, code, ...kernel } = linkKernel(write('double', GOOD));
  expect(code.length).toBeLessThan(wgsl.length);
  expect(kernel).toEqual({
    name: 'double',
    opening: 'y = 2 x. x, y: [count]. Grid: one invocation per element.',
    storage: [
      { name: 'x', binding: 0, access: 'read', element: 'f32', size: 4 },
      { name: 'y', binding: 1, access: 'read_write', element: 'f32', size: 4 },
    ],
    params: { binding: 2, struct: { name: 'Params', size: 4, fields: [{ name: 'count', offset: 0, type: 'u32' }] } },
    live: undefined,
    workgroupSize: [64, 1, 1],
    overrides: [{ name: 'THREADS', type: 'u32' }],
    features: [],
    structs: [],
  });
});

describe('a kernel that breaks a rule is refused in one line', () => {
  const change = (from: string, to: string) => {
    expect(GOOD).toContain(from);
    return GOOD.replace(from, to);
  };
  const bindings = (count: number) =>
    Array.from(
      { length: count },
      (_, index) => `@group(0) @binding(${index + 3}) var<storage, read> more${index}: array<f32>;\n`,
    ).join('');
  const uses = (count: number) => Array.from({ length: count }, (_, index) => ` + more${index}[0]`).join('');

  test.each<[string, string, number, string]>([
    [
      'no comment',
      GOOD.slice(GOOD.indexOf('struct')),
      1,
      'expected the file to open with a comment: its formula, its layout, its grid',
    ],
    [
      'no grid in the comment',
      change(' Grid: one invocation per element.', ''),
      1,
      'expected the file to open with a comment',
    ],
    [
      'no entry point',
      change('@compute @workgroup_size(THREADS)\n', ''),
      1,
      'expected one entry point, @compute and named main, got none',
    ],
    ['another name', change('fn main', 'fn run'), 9, 'expected one entry point, @compute and named main, got run'],
    [
      'two entry points',
      `${GOOD}@compute @workgroup_size(1)\nfn second() {}\n`,
      15,
      'expected one entry point, @compute and named main, got main and second',
    ],
    ['another group', change('@group(0) @binding(1)', '@group(1) @binding(1)'), 6, 'y: expected group 0, got 1'],
    [
      'a gap',
      change('@binding(2)', '@binding(3)'),
      7,
      'params: expected bindings numbered 0, 1, 2, ... and so 2 here, got 3',
    ],
    [
      'a number twice',
      change('@binding(1)', '@binding(0)'),
      6,
      'y: expected bindings numbered 0, 1, 2, ... and so 1 here, got 0',
    ],
    [
      'a texture',
      change('struct', '@group(0) @binding(3) var picture: texture_2d<f32>;\nstruct'),
      2,
      'picture: expected storage and uniform buffers only',
    ],
    [
      'another uniform',
      change('> params: Params', '> options: Params').replace('params.', 'options.'),
      7,
      'expected no uniforms but `params: Params` and `live: Live`, got `options: Params`',
    ],
    [
      'another type of params',
      GOOD.replaceAll('Params', 'Sizes'),
      7,
      'expected no uniforms but `params: Params` and `live: Live`, got `params: Sizes`',
    ],
    [
      'a Live of its own',
      change(
        'override',
        'struct Live {\n  rows: u32,\n}\n@group(0) @binding(3) var<uniform> live: Live;\noverride',
      ).replace('params.count', 'params.count * live.rows'),
      8,
      'Live: expected that of lib/live.wgsl; write import package::lib::live::Live;',
    ],
    [
      'a field with gaps',
      change('count: u32', 'count: u32,\n  scales: array<vec3f, 2>'),
      2,
      'an array of fixed size without gaps, got array<vec3f, 2>',
    ],
    [
      'a vector of half floats in a struct',
      change('struct', 'enable f16;\nstruct').replace('count: u32', 'count: u32,\n  scales: vec2h'),
      3,
      'Params.scales: expected f32, i32, u32, a vector of them,',
    ],
    ['an unused binding', change('2 * x[at.x]', '2'), 5, 'x: declared but not used; remove it'],
    ['an unused uniform', change('at.x < params.count', 'at.x < 10'), 7, 'params: declared but not used; remove it'],
    [
      'read_write that is only read',
      change('read> x', 'read_write> x'),
      5,
      'x: expected access read, since the kernel never writes it; got read_write',
    ],
    [
      'read that is written',
      change('read_write> y', 'read> y'),
      6,
      'y: expected access read_write, since the kernel writes it; got read',
    ],
    [
      'an atomic that is only loaded',
      change('read> x: array<f32>', 'read_write> x: array<atomic<u32>>').replace(
        '2 * x[at.x]',
        'f32(atomicLoad(&x[at.x]))',
      ),
      5,
      'x: expected access read, since the kernel never writes it; got read_write',
    ],
    [
      'a pointer into a buffer',
      change('2 * x[at.x];', '2 * x[at.x];\n    let p = &y[at.x];\n    *p = 1;'),
      13,
      '&y: expected no pointer into storage memory but for atomics, arrayLength and workgroupUniformLoad',
    ],
    [
      'nine storage bindings',
      change('override', `${bindings(7)}override`).replace('2 * x[at.x]', `2 * x[at.x]${uses(7)}`),
      14,
      'expected at most 8 storage bindings (the default limit), got 9',
    ],
    ['an override without a type', change('THREADS: u32', 'THREADS'), 8, 'override THREADS: expected a written type'],
    ['an override without a default', change('u32 = 64', 'u32'), 8, 'override THREADS: expected a default'],
    [
      'an override with a number',
      change('override', '@id(3) override'),
      8,
      'override THREADS: expected no attribute; it is set by its name',
    ],
    [
      'an unknown feature',
      change('struct', 'enable clip_distances;\nstruct'),
      2,
      'enable clip_distances: expected f16 or subgroups',
    ],
    [
      'a test for NaN by !=',
      change('at.x < params.count', 'x[at.x] != x[at.x] && at.x < params.count'),
      11,
      'a value compared with itself never finds NaN on real adapters; use isFiniteBits of lib/float-bits.wgsl',
    ],
    [
      'a while loop',
      change('    y[', '    while y[at.x] < 1 {\n      y[at.x] += 1;\n    }\n    y['),
      12,
      'expected `for` with a condition, or `loop`; the race lint runs `while` and `for (;;)` wrongly',
    ],
    [
      'a for loop without a condition',
      change('    y[', '    for (;;) {\n      break;\n    }\n    y['),
      12,
      'expected `for` with a condition, or `loop`; the race lint runs `while` and `for (;;)` wrongly',
    ],
    ['a syntax error', change('fn main(', 'fn main'), 10, "Expected '(' after function name"],
    [
      'a name that only wgsl_reflect reserves',
      GOOD.replace(/\bat\b/g, 'block'),
      11,
      'or it is WGSL that wgsl_reflect cannot parse',
    ],
    [
      'a file that is not in lib',
      change('struct', 'import package::lib::absent::thing;\nstruct').replace('2 * x', 'thing() * x'),
      13,
      "module not found for 'package::lib::absent::thing'",
    ],
    [
      'a name that lib does not have',
      change('struct', 'import package::lib::grid::thing;\nstruct').replace('2 * x', 'thing() * x'),
      13,
      "no exported 'thing' in module 'package::lib::grid'",
    ],
  ])('%s', (name, source, line, message) => {
    const file = write(name.replaceAll(/\W+/g, '-'), source);
    let error: Error | undefined;
    try {
      linkKernel(file);
    } catch (caught) {
      error = caught as Error;
    }
    expect(error?.message).toContain(`${file}:${line}: `);
    expect(error?.message).toContain(message);
    expect(error?.message.split('\n')).toHaveLength(1);
  });
});

test('structs in storage and vectors in params are laid out, the live rows are found', () => {
  const kernel = linkKernel(
    write(
      'records',
      `// Counts visits. Grid: one invocation.
import package::lib::live::Live;
struct Visit {
  place: vec3<f32>,
  times: u32,
  marks: array<i32, 2>,
}
struct Params {
  first: u32,
  sizes: vec2u,
}
@group(0) @binding(0) var<storage, read_write> visits: array<Visit>;
@group(0) @binding(1) var<storage, read_write> total: atomic<u32>;
@group(0) @binding(2) var<storage, read> pairs: array<vec2f>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;
@compute @workgroup_size(1)
fn main() {
  visits[params.first + params.sizes.y].times += live.rows + u32(pairs[0].x);
  atomicAdd(&total, 1);
}
`,
    ),
  );
  expect(kernel.storage.map(({ name, element, size }) => [name, element, size])).toEqual([
    ['visits', 'Visit', 32],
    ['total', 'u32', 4],
    ['pairs', 'f32', 8],
  ]);
  expect(kernel.params?.struct).toEqual({
    name: 'Params',
    size: 16,
    fields: [
      { name: 'first', offset: 0, type: 'u32' },
      { name: 'sizes', offset: 8, type: 'u32', length: 2 },
    ],
  });
  expect(kernel.structs).toEqual([
    {
      name: 'Visit',
      size: 32,
      fields: [
        { name: 'place', offset: 0, type: 'f32', length: 3 },
        { name: 'times', offset: 12, type: 'u32' },
        { name: 'marks', offset: 16, type: 'i32', length: 2 },
      ],
    },
  ]);
  expect(kernel.live).toEqual({ binding: 4 });
});

const WITH_VARIANT = GOOD.replace('element.\n', 'element.\n// variants: f16\n@if(f16) enable f16;\n')
  .replace('x: array<f32>;', 'x: array<Element>;')
  .replace('struct', '@if(f16) alias Element = f16;\n@else alias Element = f32;\nstruct')
  .replace('2 * x[at.x]', '2 * f32(x[at.x])');

test('a variant is linked with its condition true', () => {
  const [plain, half, ...more] = linkVariants(write('double', WITH_VARIANT));
  expect(more).toEqual([]);
  expect([plain!.name, plain!.features, plain!.storage[0]!.element]).toEqual(['double', [], 'f32']);
  expect([half!.name, half!.features, half!.storage[0]!.element]).toEqual(['double-f16', ['shader-f16'], 'f16']);
});

const STORED = GOOD.replace('element.\n', 'element.\n// storage: f32 or f16\n@if(f16) enable f16;\n')
  .replace('x: array<f32>;', 'x: array<Number>;')
  .replace('struct', '@if(f16) alias Number = f16;\n@else alias Number = f32;\nstruct')
  .replace('2 * x[at.x]', '2 * f32(x[at.x])');

test('a kernel that stores f16 too says how, and is put together from that', async () => {
  const file = write('stored', STORED);
  const [kernel, ...more] = linkVariants(file);
  expect(more).toEqual([]);
  expect(kernel!.f16!.bindings).toEqual(['x']);
  const { code, storage, features } = inHalf(kernel as never)!;
  const linked = linkKernel(file, 'f16');
  expect(await (code as () => Promise<string>)()).toBe(linked.code);
  expect({ storage, features }).toEqual({ storage: linked.storage, features: linked.features });
});

test('a form in f16 of another length is refused', () => {
  const file = write('stored', STORED.replace('alias Number = f16;', 'alias Number = f16;\n@if(f16) const MORE = 1;'));
  expect(() => linkVariants(file)).toThrow(`${file}:1: expected as many lines with f16 as without, besides enable f16;`);
});

test('variants that disagree about a struct are refused', () => {
  const file = write('double', WITH_VARIANT.replace('count: u32,', 'count: u32,\n  @if(f16) scale: f32,'));
  expect(() => linkVariants(file)).toThrow(`${file}:1: Params: expected the same fields in every variant`);
});

test('modules are written when their text changes, and removed with their kernel', () => {
  const [from, to] = [mkdtempSync(join(folder, 'from-')), mkdtempSync(join(folder, 'to-'))];
  writeFileSync(join(from, 'double.wgsl'), WITH_VARIANT);
  writeFileSync(join(from, 'double-again.wgsl'), GOOD);
  expect(generate(from, to)).toEqual({ kernels: 2, written: 4, removed: 0 });
  const text = readFileSync(join(to, 'double.ts'), 'utf8');
  expect(text).toContain(
    "export const doubleKernel: Kernel<'x' | 'y', DoubleParams, { readonly THREADS?: number }> = {",
  );
  expect(text).toContain('export const doubleF16Kernel: ');
  expect(generate(from, to)).toEqual({ kernels: 2, written: 0, removed: 0 });

  writeFileSync(join(from, 'double.wgsl'), WITH_VARIANT.replace('2 * f32', '4 * f32'));
  rmSync(join(from, 'double-again.wgsl'));
  expect(generate(from, to)).toEqual({ kernels: 1, written: 1, removed: 2 });
  expect(readdirSync(to, { recursive: true }).toSorted()).toEqual(['code', 'code/double.ts', 'double.ts']);
});

test('complaints about all files come together, and nothing is written', () => {
  const [from, to] = [mkdtempSync(join(folder, 'from-')), mkdtempSync(join(folder, 'to-'))];
  for (const name of ['a', 'b']) writeFileSync(join(from, `${name}.wgsl`), GOOD.replace('fn main', 'fn run'));
  writeFileSync(join(from, 'c.wgsl'), GOOD);
  expect(() => generate(from, to)).toThrow(/a\.wgsl:9: .*\n.*b\.wgsl:9: [^\n]*$/);
  expect(readdirSync(to)).toEqual([]);
});

test.each([
  ['a - -b', 'a- -b'],
  ['if (a && b) {\n    c -= 1u;\n  }', 'if(a&&b){\nc-=1u;\n}'],
  ['var<storage, read> x : array<vec4<f32>>;', 'var<storage,read>x:array<vec4<f32>>;'],
  ['let half = x / 2.0 + .5;', 'let half=x/2.0+.5;'],
  ['return .5;', 'return .5;'],
  ['a & (b | !c)', 'a&(b| !c)'],
  ['fn f(a: u32) -> u32 {\n\n  return a << 2u;\n}', 'fn f(a:u32)->u32{\nreturn a<<2u;\n}'],
])('white space goes where no token needs it: %s', (text, minified) => {
  expect(minify(text)).toBe(minified);
});

test('no pipeline takes its layout from a shader: the generated modules have it', () => {
  const source = fileURLToPath(new URL('../../src/', import.meta.url));
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const lines = files.flatMap((name) => readFileSync(join(source, name), 'utf8').split('\n'));
  expect(lines.some((line) => line.includes('createComputePipelineAsync('))).toBe(true);
  expect(lines.filter((line) => /^[^/*]*layout: *['"]auto/.test(line))).toEqual([]);
});
