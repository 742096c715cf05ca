import { describe, expect, it } from 'vitest';
import * as registry from '../src/kernels/registry.ts';
import { table } from './op-rows.ts';
import { checkGradient, checkValue } from './op-table.ts';
import type { OpCase, OpRow } from './op-table.ts';
import { openTestDevice } from './open-test-device.ts';

const device = await openTestDevice();
// A page has SwiftShader, which Node tries with all cases: its own is but the way there, for which a third will do.
const casesOf = ({ cases }: OpRow): readonly OpCase[] =>
  'document' in globalThis ? cases.filter((_, index) => index % 3 === 0 || index === cases.length - 1) : cases;
const operations: Readonly<Record<keyof typeof table, unknown>> = { ...registry };

describe('op table', () => {
  for (const name of Object.keys(table) as (keyof typeof table)[]) {
    const row = table[name];
    const op = operations[name] as never;
    if ('testedIn' in row) continue;
    if ('story' in row) {
      it(name, () => row.story(device));
      continue;
    }
    it(`${name}: value, replay, rows`, async () => {
      for (const opCase of casesOf(row)) await checkValue(device, op, row, opCase);
    });
    if (row.differentiable) {
      it(`${name}: gradient`, async () => {
        for (const opCase of casesOf(row)) await checkGradient(device, op, row, opCase);
      });
    } else {
      it(`${name}: says why it has no gradient`, () => expect((op as { gradient: unknown }).gradient).toHaveProperty('none'));
    }
  }
});
