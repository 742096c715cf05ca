import { ArgumentError } from '../errors.ts';
import { perSample } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { absorbActivation, activationCode } from './activation.ts';
import type { Activation } from './activation.ts';
import { activationGrad } from './binary.ts';
import { defineOp, dispatch, expected, linearGrid } from './define.ts';
import type { Dispatch, Operand, Value } from './define.ts';
import { pool2dKernel } from './generated/pool2d.ts';
import { averagePool2dGrad, countParams, maxPool2dGrad, planesPerRow } from './pool2d-grad.ts';
import { pair, window2d, windowParams } from './window2d.ts';
import type { Pair, Window2d, WindowAttributes } from './window2d.ts';

export interface MaxPool2dAttributes extends Omit<WindowAttributes, 'dilation'> {
  readonly kernel: number | Pair;
  /** As the kernel where left out: windows side by side. */
  readonly stride?: number | Pair;
  /** Applied to the result in the same kernel. */
  readonly activation?: Activation;
}

export interface AveragePool2dAttributes extends MaxPool2dAttributes {
  /** Counts padding as zeros; what a last window has beyond it never counts. Else an average is of what is there. */
  readonly countPadding?: boolean;
}

function windowOf(op: string, x: Spec, { kernel, stride = kernel, padding, ceil }: MaxPool2dAttributes): Window2d {
  if (x.dtype !== 'f32' || x.shape.length !== 4) throw expected(op, 'f32[samples, channels, height, width]', x);
  const window = window2d(op, x, pair(kernel), { stride, padding, ceil });
  for (const pad of [window.padBefore, window.padAfter]) {
    if (pad[0] < window.kernel[0] && pad[1] < window.kernel[1]) continue;
    const most = window.kernel.join(' x ');
    throw new ArgumentError(`${op}: expected padding less than the kernel's ${most}, got ${pad.join(' x ')}`);
  }
  return window;
}

const inferPool = (op: string, x: Spec, attributes: MaxPool2dAttributes): { y: Spec } => {
  const { output } = windowOf(op, x, attributes);
  return { y: { dtype: 'f32', shape: [x.shape[0]!, x.shape[1]!, ...output], rows: x.rows } };
};

function launch(
  bind: { x: Value; y: Value },
  window: Window2d,
  isAverage: boolean,
  { activation = 'none', countPadding }: AveragePool2dAttributes,
): Dispatch {
  return dispatch(pool2dKernel, {
    bind,
    params: { ...windowParams(window), ...countParams(window, countPadding), planes: planesPerRow(bind.x) },
    overrides: { AVERAGE: isAverage, ACTIVATION: activationCode[activation] },
    grid: linearGrid(perSample(bind.y), 64),
  });
}

/**
 * The greatest element of each window of each plane. x: `f32[samples, channels, height, width]`; the result's height
 * and width as `window2d` says. Padding never wins; NaN does. The gradient goes to the first of equals in row-major
 * order.
 */
export const maxPool2d = defineOp<{ x: Operand }, 'y', MaxPool2dAttributes>({
  name: 'max-pool2d',
  infer: ({ x }, attributes) => inferPool('max-pool2d', x, attributes),
  lower: ({ x }, { y }, attributes) => [launch({ x, y }, windowOf('max-pool2d', x, attributes), false, attributes)],
  absorb: absorbActivation,
  gradient: ({ x, y, dy }, attributes) => ({
    x: () => {
      const grad = activationGrad(attributes.activation ?? 'none', y, dy);
      return maxPool2dGrad({ x, dy: grad }, { window: windowOf('max-pool2d', x, attributes) });
    },
  }),
});

/** The average of each window of each plane; shapes as for `maxPool2d`. */
export const averagePool2d = defineOp<{ x: Operand }, 'y', AveragePool2dAttributes>({
  name: 'average-pool2d',
  infer: ({ x }, attributes) => inferPool('average-pool2d', x, attributes),
  lower: ({ x }, { y }, attributes) => [launch({ x, y }, windowOf('average-pool2d', x, attributes), true, attributes)],
  absorb: absorbActivation,
  gradient: ({ x, y, dy }, attributes) => ({
    x: () => {
      const grad = activationGrad(attributes.activation ?? 'none', y, dy);
      const window = windowOf('average-pool2d', x, attributes);
      return averagePool2dGrad({ dy: grad }, { like: x, window, countPadding: attributes.countPadding });
    },
  }),
});
