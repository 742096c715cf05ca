import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { operatorsFile, operatorsText } from '../scripts/operators.mjs';
import * as registry from '../src/kernels/registry.ts';

it('docs/operators.md is what `npm run operators` makes', () => {
  expect(readFileSync(operatorsFile, 'utf8')).toBe(operatorsText(registry));
});

it('says what each operation is', () => {
  for (const line of operatorsText(registry).split('\n').filter((text) => text.startsWith('| `'))) {
    expect(line).toMatch(/^\| `\w+` \| .*[^ ].* \| (?:yes|none: .+|of what it is made of) \| .*\|$/);
  }
});
