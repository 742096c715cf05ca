import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { linkKernel, linkVariants } from '../../scripts/kernels.mjs';
import type { LinkedKernel } from '../../scripts/kernels.mjs';
import { lintRaces } from './race-lint.ts';
import type { RaceInput } from './race-lint.ts';

/** Enough for a tree in whose second round an invocation reads what another wrote in the first, of pairs too. */
const TREE = { features: 3, classes: 18, parts: 2 };

/** A product deeper than what is in workgroup memory at a time. */
const DEEP = {
  batchAxes: Array(24).fill(0),
  batchRank: 1,
  batch: 1,
  aStrides: [18, 1],
  bStrides: [1, 18],
  m: 3,
  n: 3,
  k: 18,
  sampleAxis: 1,
  lanes: 8,
};

/** Two parts that leave room for others. */
const BESIDE = { outerPerSample: 3, aLength: 1, bLength: 2, yLength: 7, offset: 3 };

/** Of three positions the first adds up for the last as well. */
const ADDING: RaceInput = {
  params: { sizePerSample: 9, count: 3, behind: 3, length: 3, isSigned: 0 },
  liveRows: 1,
  storage: { links: Uint32Array.of(2, 0x7fffffff, 0xffffffff) },
};

/** Rows that move, more than one block of them. */
const MOVING: RaceInput = { liveRows: 6, storage: { order: Uint32Array.of(0, 2, 3, 5, 6, 9) } };

/** A share of 0 would leave everything as it is. */
const STEPPING: RaceInput = { storage: { share: Float32Array.of(1) } };

/** Inputs of kernels that need others than two workgroups, two live rows and every parameter 3. */
const INPUTS: Readonly<Record<string, RaceInput>> = {
  adam: STEPPING,
  compact: { grid: [1] },
  concat: { params: BESIDE },
  'exit-check-join': { params: TREE },
  'exit-check-wide': { params: TREE },
  'exit-check-wide-half': { params: TREE },
  'exit-head': { params: { features: 3, classes: 5, plane: 2 } },
  'compact-rows': MOVING,
  'compact-rows-four': MOVING,
  'exit-check-group': { grid: [1] },
  matmul: { overrides: { SUMS: 1 } },
  'matmul-subgroup': { overrides: { SUMS: 1 } },
  'matmul-tiled': { params: DEEP, grid: [1], overrides: { SUMS: 1 } },
  'scatter-add': ADDING,
  'scatter-add-u32': ADDING,
  sgd: STEPPING,
};

const folder = new URL('../../src/kernels/wgsl/', import.meta.url);
const pathOf = (name: string) => fileURLToPath(new URL(name, folder));
const kernels = readdirSync(folder)
  .filter((name) => name.endsWith('.wgsl'))
  .flatMap((name) => linkVariants(pathOf(name)));

describe('no two accesses of a kernel race, and the lint sees everything written', () => {
  test.for(kernels)('$name', (kernel) => {
    expect(lintRaces(kernel, INPUTS[kernel.name])).toEqual({ complaints: [], unwritten: [] });
  });
});

describe('every barrier is missed when it is gone', () => {
  const barriers = kernels.flatMap((kernel) =>
    [...kernel.wgsl.matchAll(/\b(workgroup|storage)Barrier\(\);/g)].map(({ index }, number) => ({
      kernel,
      index,
      label: `${kernel.name} ${number + 1}`,
    })),
  );
  test.for(barriers)('$label', ({ kernel, index }) => {
    const wgsl = kernel.wgsl.slice(0, index) + kernel.wgsl.slice(index).replace(/\w+Barrier\(\);/, '');
    expect(lintRaces({ ...kernel, wgsl }, INPUTS[kernel.name]).complaints).not.toEqual([]);
  });
});

describe('what the lint sees and does not see', () => {
  const softmax = linkKernel(pathOf('softmax-wide.wgsl'));
  /** A kernel of 8 invocations, made by hand around `body`. */
  const kernel = (body: string, declarations = ''): LinkedKernel => ({
    ...softmax,
    params: undefined,
    live: undefined,
    storage: [{ name: 'y', binding: 0, access: 'read_write', element: 'u32', size: 4 }],
    wgsl: `@group(0) @binding(0) var<storage, read_write> y: array<u32>;
${declarations}
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u) {
${body}
}`,
  });
  const complaints = (body: string, declarations?: string) =>
    lintRaces(kernel(body, declarations), { grid: [1] }).complaints;
  const TILE = 'var<workgroup> tile: array<u32, 8>;';

  test.for<[what: string, body: string, declarations: string, complaint: string]>([
    [
      'a neighbour read without a barrier',
      'tile[local] = local;\ny[local] = tile[7 - local];',
      TILE,
      'tile byte 16: invocations 3 and 4 race, in `y[local] = tile[7 - local];` and `tile[local] = local;`',
    ],
    [
      'one place written by all',
      'y[0] = local;',
      '',
      'y byte 0: invocations 0 and 1 race, in `y[0] = local;` and `y[0] = local;`',
    ],
    [
      'a scalar in workgroup memory',
      'if (local == 0) {\ntotal = 5;\n}\ny[local] = total;',
      'var<workgroup> total: u32;',
      'total byte 0: invocations 0 and 1 race, in `total = 5;` and `y[local] = total;`',
    ],
    [
      'a barrier for another kind of memory',
      'y[local] = local;\nworkgroupBarrier();\ny[local] = y[7 - local];',
      '',
      'y byte 28: invocations 7 and 0 race, in `y[local] = local;` and `y[local] = y[7 - local];`',
    ],
    [
      'a barrier that only some reach',
      'if (local < 4) {\nworkgroupBarrier();\n}\ny[local] = local;',
      '',
      'not all invocations of a workgroup reach the same barrier',
    ],
    [
      'two barriers for one',
      'if (local < 4) {\nworkgroupBarrier();\n} else {\nworkgroupBarrier();\n}\ny[local] = local;',
      '',
      'not all invocations of a workgroup reach the same barrier',
    ],
  ])('seen: %s', ([, body, declarations, complaint]) => {
    expect(complaints(body, declarations)).toContain(complaint);
  });

  test.for<[what: string, body: string, declarations?: string]>([
    [
      'a neighbour read after a barrier',
      'tile[local] = local;\nworkgroupBarrier();\ny[local] = tile[7 - local];',
      TILE,
    ],
    [
      'a barrier for storage',
      'y[local] = local;\nstorageBarrier();\nlet far = y[7 - local];\nstorageBarrier();\ny[local] = far;',
    ],
    [
      'a barrier at the start of a block',
      'for (var i = 0u; i < 3; i++) {\nworkgroupBarrier();\ntile[(local + i) % 8] = i;\n}\ny[local] = 1;',
      TILE,
    ],
    ['an index from a function', 'y[same(local)] = local;', 'fn same(a: u32) -> u32 {\nvar b = a;\nreturn b;\n}'],
    [
      'atomics',
      'atomicAdd(&total, 1);\nworkgroupBarrier();\ny[local] = atomicLoad(&total);',
      'var<workgroup> total: atomic<u32>;',
    ],
    [
      'workgroupUniformLoad',
      'if (local == 0) {\ntotal = 5;\n}\nlet all = workgroupUniformLoad(&total);\ny[local] = all;',
      'var<workgroup> total: u32;',
    ],
    ['a return of the whole workgroup', 'if (group.x < 1) {\nreturn;\n}\nworkgroupBarrier();\ny[0] = local;'],
  ])('quiet: %s', ([, body, declarations]) => {
    expect(complaints(body, declarations)).toEqual([]);
  });

  test('two workgroups that write to one place', () => {
    const { complaints } = lintRaces(kernel('y[local] = group.x;'), { grid: [2] });
    expect(complaints).toEqual([
      'y byte 0: workgroups 0 and 1 race, in `y[local] = group.x;` and `y[local] = group.x;`',
    ]);
  });

  test('an input that leaves something unwritten', () => {
    const { unwritten } = lintRaces(kernel('if (local > 100) {\ntile[0] = 1;\n}\ny[local] = tile[1];', TILE), {
      grid: [1],
    });
    expect(unwritten).toEqual(['tile']);
  });

  test('what the interpreter does not know', () => {
    expect(complaints('y[local] = undeclared;')).toContainEqual(expect.stringMatching(/^the interpreter: /));
  });
});
