import { ArgumentError } from '../errors.ts';
import { sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { absorbActivation } from './activation.ts';
import { activationGrad } from './binary.ts';
import { inputGradLaunches } from './conv2d-input-grad.ts';
import { conv2dWeightGrad } from './conv2d-weight-grad.ts';
import { checkConvolution, conv2d } from './conv2d.ts';
import type { Conv2dAttributes, ConvolutionInputs } from './conv2d.ts';
import { defineOp } from './define.ts';
import type { Operand, Value } from './define.ts';
import { sum } from './reduce.ts';
import { check, extentOf, isSame, movesOf, pair, sidesOf, split } from './window2d.ts';
import type { Pair, Sides, Window2d } from './window2d.ts';

/**
 * Of the convolution whose gradient by its input this computes: `padding` is taken off the result, and 'same' takes as
 * much off as makes that `input stride` long, or as `outputSize` says.
 */
export interface ConvTranspose2dAttributes extends Conv2dAttributes {
  /** Elements more at the end of the result, less than the stride; 0 where left out. */
  readonly outputPadding?: number | Pair;
  /** Height and width of the result, instead of what follows from the other attributes. */
  readonly outputSize?: number | Pair;
}

const NAME = 'conv-transpose2d';

/** The window of that convolution: its input is the result, its output has the size of x. */
function windowOf(inputs: ConvolutionInputs<Spec>, attributes: ConvTranspose2dAttributes): Window2d {
  const { x, weight } = inputs;
  const { groups = 1, padding = 0, outputPadding = 0, outputSize } = attributes;
  checkConvolution(NAME, inputs, groups, ['in', 'out']);
  const moves = movesOf(NAME, weight.shape.slice(2) as unknown as Pair, attributes);
  const extra = pair(outputPadding);
  check(NAME, 'outputPadding', extra, 0);
  const { stride } = moves;
  const extent = extentOf(moves);
  const output: Pair = [x.shape[2]!, x.shape[3]!];
  const reached = (axis: 0 | 1): number => (output[axis] - 1) * stride[axis] + extent[axis];

  let sides: Sides;
  let input: Pair;
  if (isSame(padding)) {
    input = pair(outputSize ?? [output[0] * stride[0], output[1] * stride[1]]);
    sides = split(padding, (axis) => reached(axis) + extra[axis] - input[axis]);
  } else {
    sides = sidesOf(NAME, padding);
    const length = (axis: 0 | 1): number => reached(axis) + extra[axis] - sides[axis] - sides[axis + 2]!;
    input = pair(outputSize ?? [length(0), length(1)]);
  }
  const padBefore: Pair = [sides[0], sides[1]];
  const rest = (axis: 0 | 1): number => reached(axis) - padBefore[axis] - input[axis];
  // Were it longer by a stride, the convolution would have one more window.
  const most = ([0, 1] as const).map((axis) => input[axis] + rest(axis) + stride[axis] - 1);
  if (!input.every((length, axis) => Number.isInteger(length) && length >= 1 && length <= most[axis]!)) {
    throw new ArgumentError(`${NAME}: expected a result of 1 x 1 to ${most.join(' x ')}, got ${input.join(' x ')}`);
  }
  return { input, output, ...moves, padBefore, padAfter: [Math.max(0, rest(0)), Math.max(0, rest(1))] };
}

/**
 * Transposed convolution, the gradient of a convolution by its input as an operation: each element of x adds the
 * weight, times itself, to a window of the result; `activation(sum + bias)`. x: `f32[samples, in, height, width]`;
 * weight: `f32[in, out / groups, height, width]`; bias: `f32[out]` or none; result: `f32[samples, out, ...]`, its
 * height and width `(input - 1) stride - padding + dilation (kernel - 1) + 1 + outputPadding`. What no window reaches
 * is the bias alone.
 */
export const convTranspose2d = defineOp<ConvolutionInputs<Operand>, 'y', ConvTranspose2dAttributes>({
  name: NAME,
  infer(inputs, attributes) {
    const { x, weight } = inputs;
    const { input } = windowOf(inputs, attributes);
    const channels = weight.shape[1]! * (attributes.groups ?? 1);
    return { y: { dtype: 'f32', shape: [x.shape[0]!, channels, ...input], rows: x.rows } };
  },
  lower(inputs, { y }, attributes, context) {
    const { x, weight, bias } = inputs;
    const { groups = 1, activation } = attributes;
    const convolution = { window: windowOf(inputs, attributes), groups };
    return inputGradLaunches({ dy: x, weight, dx: y }, convolution, { bias, activation }, context);
  },
  gradient({ x, weight, y, dy: grad }, attributes): Record<'x' | 'weight' | 'bias', () => Value> {
    const dy = activationGrad(attributes.activation ?? 'none', y, grad);
    const window = windowOf({ x, weight }, attributes);
    const { stride, dilation, padBefore, padAfter } = window;
    const { groups = 1 } = attributes;
    const padding = [...padBefore, ...padAfter] as const;
    return {
      x: () => conv2d({ x: dy, weight }, { stride, dilation, padding, groups }),
      weight: () => conv2dWeightGrad({ x: dy, dy: x }, { window, groups }).weight,
      bias: () => sum({ x: dy }, { axes: [0, 2, 3] }),
    };
  },
  absorb: absorbActivation,
  macs: ({ x, weight }) => sizeOf(x.shape) * sizeOf(weight.shape.slice(1)),
});
