import { sizeOf } from '../tensor/spec.ts';
import { defineOp, dispatch, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { copyProbeKernel, copyProbeWideKernel } from './generated/copy-probe.ts';
import { multiplyAddProbeF16Kernel, multiplyAddProbeKernel } from './generated/multiply-add-probe.ts';

/** What a device is measured with; networks have no use for them. */

export interface CopyProbeAttributes {
  /** Four words at once, in place of one. */
  readonly wide?: boolean;
}

/** y = x, of any dtype; of whole vectors of four where `wide`. */
export const copyProbe = defineOp<{ x: Operand }, 'y', CopyProbeAttributes>({
  name: 'copy-probe',
  infer: ({ x: { dtype, shape } }) => ({ y: { dtype, shape } }),
  lower({ x }, { y }, { wide = false }) {
    const count = sizeOf(y.shape) / (wide ? 4 : 1);
    const kernel = wide ? copyProbeWideKernel : copyProbeKernel;
    return [dispatch(kernel, { bind: { x, y }, params: { count }, grid: linearGrid(count, 1024) })];
  },
  gradient: none('it measures a device'),
});

export interface MultiplyAddProbeAttributes {
  /** Invocations: elements of y. */
  readonly count: number;
  /** Each is 64 multiply-adds. */
  readonly rounds: number;
  /** In f16: of devices with `shader-f16`. */
  readonly half?: boolean;
}

/** Multiply-adds of one invocation in a round: eight chains of eight steps. */
const PER_ROUND = 64;

/** Chains of multiply-adds by the factor and the summand of x, `f32[2]`; y: `f32[count]`, the sum of eight chains. */
export const multiplyAddProbe = defineOp<{ x: Operand }, 'y', MultiplyAddProbeAttributes>({
  name: 'multiply-add-probe',
  infer: (_, { count }) => ({ y: { dtype: 'f32', shape: [count] } }),
  lower({ x }, { y }, { count, rounds, half = false }) {
    const kernel = half ? multiplyAddProbeF16Kernel : multiplyAddProbeKernel;
    const grid = linearGrid(count, kernel.workgroupSize[0]);
    return [dispatch(kernel, { bind: { x, y }, params: { count, rounds }, grid })];
  },
  gradient: none('it measures a device'),
  macs: (_, __, { count, rounds }) => count * rounds * PER_ROUND,
});
