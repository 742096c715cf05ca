import { ArgumentError } from '../errors.ts';
import { perSample } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, linearGrid } from './define.ts';
import type { Op, Operand } from './define.ts';
import { triangleKernel } from './generated/triangle.ts';

export interface TriangleAttributes {
  /** Keeps what is on and above the diagonal instead of what is on and below it. */
  readonly upper?: boolean;
  /** The diagonal meant: 0, the main one, where left out; above it if positive. */
  readonly diagonal?: number;
}

/**
 * One triangle of each matrix, zeros in the other: `y[..., row, column] = x` where `column <= row + diagonal`, or `>=`
 * of the upper one. x: `[..., rows, columns]` of any dtype, the samples in front of these. What is left out is 0 even
 * where x is NaN.
 */
export const triangle: Op<{ x: Operand }, 'y', TriangleAttributes> = defineOp({
  name: 'triangle',
  half: ['x'],
  infer({ x }, { diagonal = 0 }) {
    if (x.shape.length < (x.rows ? 3 : 2)) {
      throw expected('triangle', `x [${x.rows ? 'samples, ' : ''}..., rows, columns]`, x);
    }
    if (!Number.isInteger(diagonal)) throw new ArgumentError(`triangle: expected a whole diagonal, got ${diagonal}`);
    return { y: { dtype: x.dtype, shape: x.shape, rows: x.rows } };
  },
  lower({ x }, { y }, { upper = false, diagonal = 0 }) {
    const [rows, columns] = x.shape.slice(-2) as [number, number];
    // Beyond the corners a diagonal is as good as at them.
    const within = Math.max(-rows, Math.min(diagonal, columns));
    return [
      dispatch(triangleKernel, {
        bind: { x, y },
        params: { sizePerSample: perSample(x), rows, columns, diagonal: within, upper: Number(upper) },
        grid: linearGrid(perSample(x), 256),
      }),
    ];
  },
  gradient: ({ dy }, attributes) => ({ x: () => triangle({ x: dy }, attributes) }),
});
