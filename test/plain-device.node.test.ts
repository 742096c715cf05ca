import { afterAll, describe, expect, it } from 'vitest';
import { create, globals } from 'webgpu';
import { open } from '#exitgpu';
import * as registry from '../src/kernels/registry.ts';
import { table } from './op-rows.ts';
import { checkGradient, checkValue } from './op-table.ts';
import type { OpRow } from './op-table.ts';

// What a page may have opened itself: no features (f16, subgroups, time stamps), and the limits that every adapter has.
Object.assign(globalThis, globals);
const gpu = create([`adapter=${process.env['EXITGPU_ADAPTER'] ?? ''}`]);
// Collected before what was made from it, it would crash the process.
Object.assign(globalThis, { heldForEver: gpu });
const given = await (await gpu.requestAdapter())!.requestDevice();
const device = await open({ device: given });
afterAll(() => {
  device.destroy();
  given.destroy();
});

const operations: Readonly<Record<string, unknown>> = { ...registry };
const rows = Object.entries(table).filter((entry): entry is [string, OpRow] => 'cases' in entry[1]);

describe('a device without features, with the least limits', () => {
  it('is one', () => expect([...device.features].filter((name) => name !== 'core-features-and-limits')).toEqual([]));

  it.each(rows)('%s', async (name, row) => {
    const op = operations[name] as never;
    const batched = row.cases.findLast(({ samples }) => samples !== undefined);
    const opCase = row.cases[Math.min(1, row.cases.length - 1)]!;
    for (const each of new Set([opCase, batched ?? row.cases[0]!])) await checkValue(device, op, row, each);
    if (row.differentiable) await checkGradient(device, op, row, opCase);
    await device.idle();
    expect(device.uncapturedErrors).toBe(0);
  });
});

it('says how large a tensor may be', async () => {
  const { Tensor } = await import('../src/tensor/tensor.ts');
  expect(() => Tensor.zeros(device, { dtype: 'f32', shape: [2 ** 26] }, 'too large')).toThrow(
    /too large.*268435456.*134217728/,
  );
});
