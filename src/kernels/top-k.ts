import { ArgumentError } from '../errors.ts';
import { perSample } from '../tensor/spec.ts';
import { axisOfPositions, orderCode, select } from './arg-reduce.ts';
import type { Selection } from './arg-reduce.ts';
import { alongAxis, dtypeCode, withLength } from './axes.ts';
import { defineOp, dispatch, linearGrid } from './define.ts';
import type { Dispatch, Operand, Value } from './define.ts';
import { gatherElements } from './gather.ts';
import { topKRankKernel } from './generated/top-k-rank.ts';
import { scatterGrad } from './scatter-grad.ts';

export interface TopKAttributes {
  /** Negative: counted from the last. The last where left out; not that of the samples. */
  readonly axis?: number;
  /** How many, at least one. */
  readonly k: number;
  /** The smallest in ascending order instead of the greatest in descending order. */
  readonly smallest?: boolean;
}

/** Up to here the work grows with k times the length of the axis, beyond with the square of the length. */
const MOST_PASSES = 16;

/** The same as `select` without passes, of any number that are kept. */
function rank(x: Value, y: Value, { axis, keep: k, order }: Selection): Dispatch[] {
  const { count: length, stride } = alongAxis(x, axis);
  const sizePerSample = perSample(x);
  return [
    dispatch(topKRankKernel, {
      bind: { x, y },
      params: { sizePerSample, length, stride, k, dtype: dtypeCode[x.dtype], order: orderCode[order] },
      grid: linearGrid(sizePerSample, 64),
    }),
  ];
}

/**
 * The k greatest elements along an axis, in descending order, and where they are: values like x and indices u32, with k
 * positions along the axis. x: any dtype and shape. Of equal elements the one at the lower index comes first; -0 equals
 * 0. NaN counts as greater than every number. The gradient of the values goes to where they came from.
 *
 * Up to k = 16 this is k passes over the elements; above, each is compared with all others: a million comparisons for
 * 1,000 elements, ten thousand times as many for 100,000.
 */
export const topK = defineOp<{ x: Operand }, 'values' | 'indices', TopKAttributes>({
  name: 'top-k',
  half: ['x'],
  infer({ x }, { axis = -1, k }) {
    const at = axisOfPositions('top-k', x, axis);
    const length = x.shape[at]!;
    if (!Number.isInteger(k) || k < 1 || k > length) {
      throw new ArgumentError(`top-k: expected k from 1 to ${length}, got ${k}`);
    }
    const values = withLength(x, at, k);
    return { values, indices: { ...values, dtype: 'u32' } };
  },
  lower({ x }, { values, indices }, { axis = -1, k, smallest = false }, context) {
    const order = smallest ? 'ascendingNanLast' : 'descending';
    const selection = { axis, keep: k, order } as const;
    const places = k > MOST_PASSES ? rank(x, indices, selection) : select(x, indices, selection, context);
    return [...places, ...gatherElements.lower({ x, indices }, { y: values }, { axis }, context)];
  },
  gradient: ({ x, indices, dvalues }, { axis = -1 }) => ({
    x() {
      const at = axisOfPositions('top-k', x, axis);
      return dvalues && scatterGrad({ indices, updates: dvalues }, { like: x, axis: at, each: true });
    },
  }),
});
