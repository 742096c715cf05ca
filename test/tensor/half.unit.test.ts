import { expect, it } from 'vitest';
import { halfOf, numberOf } from '../../src/tensor/half.ts';

it('every f16 comes back from its number', () => {
  for (let half = 0; half < 2 ** 16; half++) {
    const number = numberOf(half);
    if (Number.isNaN(number)) expect(numberOf(halfOf(number))).toBeNaN();
    else expect(halfOf(number), String(number)).toBe(half);
  }
});

it.each([
  ['a half step up from an even one stays', 1 + 2 ** -11, 0x3c00],
  ['from an odd one it goes up', 1 + 3 * 2 ** -11, 0x3c02],
  ['just beyond half a step goes up', 1 + 2 ** -11 + 2 ** -23, 0x3c01],
  ['below what would come after 65,504', 65519.99, 0x7bff],
  ['at half the way there', 65520, 0x7c00],
  ['negative', -65520, 0xfc00],
  ['half of the least one', 2 ** -25, 0],
  ['a little more', 2 ** -25 * 1.001, 1],
  ['three halves of it', 3 * 2 ** -25, 2],
  ['almost normal', 2 ** -14 - 2 ** -26, 0x400],
  ['less than any', 1e-30, 0],
  ['-0', -0, 0x8000],
  ['infinity', Infinity, 0x7c00],
])('%s', (_, number, half) => expect(halfOf(number)).toBe(half));
