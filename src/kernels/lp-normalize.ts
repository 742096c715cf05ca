import { ArgumentError } from '../errors.ts';
import { axisBehindSamples } from './axes.ts';
import { div, maximum } from './binary.ts';
import { scalar } from './define.ts';
import type { Operand, Value } from './define.ts';
import { l1, l2 } from './reduce.ts';

export interface LpNormalizeAttributes {
  /** -1 where left out. Not the axis of the samples. */
  readonly axis?: number;
  /** 1: the sum of magnitudes, or 2: the root of the sum of squares; 2 where left out. */
  readonly p?: number;
  /**
   * The norm is taken for no less; the least normal number, 2^-126, where left out, so that 0 stays 0; of f16 the least
   * of all, 2^-24.
   */
  readonly epsilon?: number;
}

/** `x / max(norm, epsilon)`, the norm taken along one axis of x, of up to 6 axes; result: like x. */
export function lpNormalize({ x }: { x: Operand }, attributes: LpNormalizeAttributes = {}): Value {
  const half = x.dtype === 'f16';
  const { axis = -1, p = 2, epsilon = half ? 2 ** -24 : 2 ** -126 } = attributes;
  if ((p !== 1 && p !== 2) || !(epsilon > 0)) {
    throw new ArgumentError(`lp-normalize: expected a p of 1 or 2 and an epsilon above 0, got ${p} and ${epsilon}`);
  }
  const norm = (p === 1 ? l1 : l2)({ x }, { axes: [axisBehindSamples('lp-normalize', x, axis)], keepDims: true });
  return div({ a: x, b: maximum({ a: norm, b: scalar(epsilon, half ? 'f16' : 'f32') }) });
}
