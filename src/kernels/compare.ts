import type { Dtype } from '../tensor/spec.ts';
import { broadcast, broadcastWalk, dtypeCode } from './axes.ts';
import { numeric } from './binary-family.ts';
import type { Operands } from './binary-family.ts';
import { defineOp, dispatch } from './define.ts';
import type { Op } from './define.ts';
import { compareKernel } from './generated/compare.ts';
import { isStep } from './unary-family.ts';

/** One member of the family. `code` is its number in `wgsl/compare.wgsl`. */
/* @__NO_SIDE_EFFECTS__ */
const comparison = (name: string, code: number, dtypes: readonly Dtype[]): Op<Operands, 'y', {}> =>
  defineOp<Operands>({
    name,
    half: dtypes === truth ? undefined : ['a', 'b'],
    infer: ({ a, b }) => ({ y: { ...broadcast(name, [a, b], dtypes), dtype: 'u32' } }),
    lower({ a, b }, { y }) {
      const { params, EVEN, grid } = broadcastWalk([a, b], y);
      const overrides = { OP: code, KIND: dtypeCode[a.dtype], EVEN };
      return [dispatch(compareKernel, { bind: { a, b, y }, params, overrides, grid })];
    },
    gradient: isStep,
  });

const truth = ['u32'] as const;

/**
 * `a = b`: u32, 1 or 0, as all of this family. Operands broadcast, see `broadcast`, both of one dtype. NaN differs from
 * everything and is neither less nor greater; both zeros are equal.
 */
export const equal = comparison('equal', 0, numeric);

/** `a != b`; true of NaN. */
export const notEqual = comparison('not-equal', 1, numeric);

/** `a < b` */
export const less = comparison('less', 2, numeric);

/** `a <= b` */
export const lessOrEqual = comparison('less-or-equal', 3, numeric);

/** `a > b` */
export const greater = comparison('greater', 4, numeric);

/** `a >= b` */
export const greaterOrEqual = comparison('greater-or-equal', 5, numeric);

/** Both: of u32, where any number but 0 is true. */
export const and = comparison('and', 6, truth);

/** Either or both: of u32, where any number but 0 is true. */
export const or = comparison('or', 7, truth);

/** Either, not both: of u32, where any number but 0 is true. */
export const xor = comparison('xor', 8, truth);
