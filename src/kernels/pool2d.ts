import { ArgumentError } from '../errors.ts';
import { isFloat, perSample } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { absorbActivation, activationCode } from './activation.ts';
import type { Activation } from './activation.ts';
import { activationGrad } from './binary.ts';
import { defineOp, dispatch, expected, linearGrid } from './define.ts';
import type { Operand } from './define.ts';
import { pool2dIndicesKernel, pool2dKernel } from './generated/pool2d.ts';
import { isDilated, maxPool2dGrad, poolParams, sumPool2dGrad } from './pool2d-grad.ts';
import { extentOf, pair, window2d } from './window2d.ts';
import type { Pair, Window2d, WindowAttributes } from './window2d.ts';

/** How all poolings move. */
export interface Pool2dAttributes extends WindowAttributes {
  readonly kernel: number | Pair;
  /** As the kernel where left out: windows side by side. */
  readonly stride?: number | Pair;
}

export interface MaxPool2dAttributes extends Pool2dAttributes {
  /** Applied to the result in the same kernel. */
  readonly activation?: Activation;
}

export interface AveragePool2dAttributes extends MaxPool2dAttributes {
  /** Counts padding as zeros; what a last window has beyond it never counts. Else an average is of what is there. */
  readonly countPadding?: boolean;
}

export interface LpPool2dAttributes extends Pool2dAttributes {
  /** From 1 up, 2 where left out. */
  readonly p?: number;
}

/** The code of each in `wgsl/pool2d.wgsl`. */
const [MAXIMUM, AVERAGE, NORM] = [0, 1, 2];

function windowOf(op: string, x: Spec, attributes: Pool2dAttributes): Window2d {
  const { kernel, stride = kernel, padding, dilation, ceil } = attributes;
  if (!isFloat(x) || x.shape.length !== 4) throw expected(op, 'f32[samples, channels, height, width]', x);
  const window = window2d(op, x, pair(kernel), { stride, padding, dilation, ceil });
  const extent = extentOf(window);
  for (const pad of [window.padBefore, window.padAfter]) {
    if (pad[0] < extent[0] && pad[1] < extent[1]) continue;
    const most = extent.join(' x ');
    throw new ArgumentError(`${op}: expected padding less than the kernel's ${most}, got ${pad.join(' x ')}`);
  }
  return window;
}

const inferPool = (op: string, x: Spec, attributes: Pool2dAttributes): { y: Spec } => {
  const { output } = windowOf(op, x, attributes);
  return { y: { dtype: 'f32', shape: [x.shape[0]!, x.shape[1]!, ...output], rows: x.rows } };
};

const overridesOf = (OP: number, window: Window2d, activation: Activation = 'none') => ({
  OP,
  DILATED: isDilated(window),
  ACTIVATION: activationCode[activation],
});

/**
 * The greatest element of each window of each plane. x: `f32[samples, channels, height, width]`; the result's height
 * and width as `window2d` says. Padding never wins; NaN does. A window whose taps all lie on padding, which takes a
 * dilation, gives -Infinity. The gradient goes to the first of equals in row-major order.
 */
export const maxPool2d = defineOp<{ x: Operand }, 'y', MaxPool2dAttributes>({
  name: 'max-pool2d',
  half: ['x'],
  infer: ({ x }, attributes) => inferPool('max-pool2d', x, attributes),
  lower({ x }, { y }, attributes) {
    const window = windowOf('max-pool2d', x, attributes);
    const overrides = overridesOf(MAXIMUM, window, attributes.activation);
    const grid = linearGrid(perSample(y), 64);
    return [dispatch(pool2dKernel, { bind: { x, y }, params: poolParams(x, window), overrides, grid })];
  },
  absorb: absorbActivation,
  gradient: ({ x, y, dy }, attributes) => ({
    x: () => {
      const grad = activationGrad(attributes.activation ?? 'none', y, dy);
      return maxPool2dGrad({ x, dy: grad }, { window: windowOf('max-pool2d', x, attributes) });
    },
  }),
});

/**
 * `maxPool2d`, and where the greatest elements stand: `indices` is `u32` of the shape of `y`, counted in each plane
 * row-major, `inY width + inX`; the first of equals, the last NaN, 4294967295 of a window on padding alone.
 */
export const maxPool2dIndices = defineOp<{ x: Operand }, 'y' | 'indices', Pool2dAttributes>({
  name: 'max-pool2d-indices',
  half: ['x'],
  infer({ x }, attributes) {
    const { y } = inferPool('max-pool2d-indices', x, attributes);
    return { y, indices: { ...y, dtype: 'u32' } };
  },
  lower({ x }, { y, indices }, attributes) {
    const window = windowOf('max-pool2d-indices', x, attributes);
    const launch = {
      bind: { x, y, indices },
      params: poolParams(x, window),
      overrides: overridesOf(MAXIMUM, window),
      grid: linearGrid(perSample(y), 64),
    };
    return [dispatch(pool2dIndicesKernel, launch)];
  },
  gradient: ({ x, dy }, attributes) => ({
    x: () => maxPool2dGrad({ x, dy }, { window: windowOf('max-pool2d-indices', x, attributes) }),
  }),
});

/** The average of each window of each plane, 0 of one on padding alone; shapes as for `maxPool2d`. */
export const averagePool2d = defineOp<{ x: Operand }, 'y', AveragePool2dAttributes>({
  name: 'average-pool2d',
  half: ['x'],
  infer: ({ x }, attributes) => inferPool('average-pool2d', x, attributes),
  lower({ x }, { y }, attributes) {
    const window = windowOf('average-pool2d', x, attributes);
    const params = poolParams(x, window, attributes);
    const overrides = overridesOf(AVERAGE, window, attributes.activation);
    return [dispatch(pool2dKernel, { bind: { x, y }, params, overrides, grid: linearGrid(perSample(y), 64) })];
  },
  absorb: absorbActivation,
  gradient: ({ x, y, dy }, attributes) => ({
    x: () => {
      const grad = activationGrad(attributes.activation ?? 'none', y, dy);
      const window = windowOf('average-pool2d', x, attributes);
      return sumPool2dGrad({ dy: grad }, { like: x, window, countPadding: attributes.countPadding });
    },
  }),
});

function normOf(x: Spec, { p = 2, ...attributes }: LpPool2dAttributes) {
  if (!(p >= 1 && p < Infinity)) throw new ArgumentError(`lp-pool2d: expected a p from 1 up, got ${p}`);
  return { p, window: windowOf('lp-pool2d', x, attributes) };
}

/**
 * `(sum |x|^p)^(1/p)` over each window of each plane; shapes as for `maxPool2d`. The powers must fit in f32: of p = 2,
 * elements from 1e-19 to 1e19 do. Where the result is 0, the gradient is.
 */
export const lpPool2d = defineOp<{ x: Operand }, 'y', LpPool2dAttributes>({
  name: 'lp-pool2d',
  half: ['x'],
  infer({ x }, attributes) {
    normOf(x, attributes);
    return inferPool('lp-pool2d', x, attributes);
  },
  lower({ x }, { y }, attributes) {
    const { p, window } = normOf(x, attributes);
    const params = poolParams(x, window, { p });
    const overrides = overridesOf(NORM, window);
    return [dispatch(pool2dKernel, { bind: { x, y }, params, overrides, grid: linearGrid(perSample(y), 64) })];
  },
  gradient: ({ x, y, dy }, attributes) => ({
    x: () => sumPool2dGrad({ dy, norm: y, of: x }, { like: x, ...normOf(x, attributes) }),
  }),
});
