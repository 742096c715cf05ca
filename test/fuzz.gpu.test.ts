import { describe, expect, inject, it } from 'vitest';
import * as registry from '../src/kernels/registry.ts';
import { Random } from '../src/random.ts';
import { table } from './op-rows.ts';
import { checkGradient, checkValue } from './op-table.ts';
import type { OpCase, OpRow } from './op-table.ts';
import { draws } from './fuzz/table.ts';
import { openTestDevice } from './open-test-device.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** How many cases are drawn, and with which seed: see `npm run fuzz`. */
    fuzz: { readonly cases: number; readonly seed: number };
  }
}

const device = await openTestDevice();
const operations: Readonly<Record<keyof typeof table, unknown>> = { ...registry };
const { cases, seed } = inject('fuzz');
const names = Object.keys(draws) as (keyof typeof draws)[];
const each = Math.ceil(cases / names.length);

const described = ({ inputs, attributes, samples }: OpCase): string => {
  const shapes = Object.entries(inputs).map(([name, { dtype, shape }]) => `${name} ${dtype}[${shape.join(', ')}]`);
  return `${shapes.join(', ')} ${JSON.stringify(attributes ?? {})}${samples === undefined ? '' : `, ${samples} samples`}`;
};

describe(`cases drawn with seed ${seed}`, () => {
  it.each(names)(`%s: ${each}`, async (name) => {
    const row = table[name] as OpRow;
    for (let index = 0; index < each; index++) {
      const opCase = draws[name]!(new Random(seed).split(name).split(index));
      try {
        await checkValue(device, operations[name] as never, row, opCase);
        await checkGradient(device, operations[name] as never, row, opCase);
      } catch (error) {
        expect.fail(`case ${index}, ${described(opCase)}: ${(error as Error).message}`);
      }
    }
  });
});
