import { describe, expect, inject, it } from 'vitest';
import * as registry from '../src/kernels/registry.ts';
import { table } from './op-rows.ts';
import { checkGradient, checkValue } from './op-table.ts';
import type { OpCase, OpRow } from './op-table.ts';
import { openTestDevice } from './open-test-device.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether these tests also run in a page. */
    pages: boolean;
  }
}

const device = await openTestDevice();
/** Of SwiftShader, which is also that of pages, a page takes a third of the cases and Node the others. */
function casesOf({ cases }: OpRow): readonly OpCase[] {
  const inPage = 'document' in globalThis;
  if (!inPage && !(inject('pages') && device.name.includes('SwiftShader'))) return cases;
  return cases.filter((_, index) => cases.length === 1 || (index % 3 === 0) === inPage);
}
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
