import { ArgumentError } from '../errors.ts';
import { leadPerSample, sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { absorbActivation, activationCode } from './activation.ts';
import type { Activation } from './activation.ts';
import { activationGrad } from './binary.ts';
import { conv2dInputGrad } from './conv2d-input-grad.ts';
import { conv2dWeightGrad } from './conv2d-weight-grad.ts';
import { defineOp, dispatch, expected, once } from './define.ts';
import type { Absorbed, Following, Grid, Op, Operand, Value } from './define.ts';
import { conv2dSubgroupKernel } from './generated/conv2d-subgroup.ts';
import { conv2dKernel } from './generated/conv2d.ts';
import type { MaxPool2dAttributes } from './pool2d.ts';
import { pair, threadsFor, unrolled, window2d, windowClass, windowParams } from './window2d.ts';
import type { Window2d, WindowAttributes } from './window2d.ts';

export interface Conv2dAttributes extends Omit<WindowAttributes, 'ceil'> {
  /** Only 1 so far. */
  readonly groups?: number;
  /** Applied to the result in the same kernel. */
  readonly activation?: Activation;
}

/** What `absorb` adds: the maximum over windows of 2 x 2 side by side, in the same kernel. */
interface FusedAttributes extends Conv2dAttributes {
  readonly maxPool?: true;
}

/** Channels and neighbouring pixels that one invocation of `wgsl/conv2d.wgsl` and its variant computes. */
const [CHANNELS, PIXELS, SUBGROUP_CHANNELS, SUBGROUP_PIXELS] = [5, 8, 8, 4];

type Inputs<T> = { readonly x: T; readonly weight: T; readonly bias?: T };

function windowOf({ x, weight, bias }: Inputs<Spec>, { groups = 1, ...attributes }: Conv2dAttributes): Window2d {
  const [out, channels, ...kernel] = weight.shape;
  const dtypes = [x, weight, bias].every((spec) => !spec || spec.dtype === 'f32');
  const shapes = x.shape.length === 4 && weight.shape.length === 4 && x.shape[1] === channels;
  const biasFits = !bias || (bias.shape.length === 1 && bias.shape[0] === out);
  if (groups !== 1) {
    throw new ArgumentError(`conv2d: expected 1 group, got ${groups}: grouped convolutions are not built yet`);
  }
  if (!dtypes || !shapes || !biasFits || weight.rows || bias?.rows) {
    const what = 'x f32[samples, in, height, width], weight f32[out, in, height, width] and bias f32[out]';
    throw expected('conv2d', what, x, weight, ...(bias ? [bias] : []));
  }
  return window2d('conv2d', x, kernel as [number, number], attributes);
}

/**
 * Convolution (a cross-correlation, as usual): `activation(x * weight + bias)`. x: `f32[samples, in, height, width]`,
 * zero beyond its edges; weight: `f32[out, in, height, width]`; bias: `f32[out]` or none; result:
 * `f32[samples, out, ...]`, its height and width as `window2d` says.
 */
export const conv2d: Op<Inputs<Operand>, 'y', Conv2dAttributes> = defineOp<Inputs<Operand>, 'y', FusedAttributes>({
  name: 'conv2d',
  infer(inputs, attributes) {
    const { x, weight } = inputs;
    const { output } = windowOf(inputs, attributes);
    return { y: { dtype: 'f32', shape: [x.shape[0]!, weight.shape[0]!, ...output], rows: x.rows } };
  },
  lower(inputs, { y }, attributes, { choose }) {
    const { x, weight, bias } = inputs;
    const window = windowOf(inputs, attributes);
    const [outHeight, outWidth] = window.output;
    const samples = leadPerSample(x);
    const { activation = 'none', maxPool = false } = attributes;
    // A kernel's bindings are all bound: without a bias, it is given something that it does not look at.
    const bind = { x, weight, bias: bias ?? weight, y };
    const params = {
      ...windowParams(window),
      samples,
      inChannels: x.shape[1]!,
      outChannels: y.shape[1]!,
      dilationY: window.dilation[0],
      dilationX: window.dilation[1],
    };
    const overrides = {
      SLIDING: window.stride[1] === 1 && window.dilation[1] === 1,
      BIAS: bias !== undefined,
      ACTIVATION: activationCode[activation],
      POOL: maxPool,
    };
    const tiles = (pixels: number): number =>
      samples * Math.floor(outHeight / (maxPool ? 2 : 1)) * Math.ceil(outWidth / pixels);
    const THREADS = threadsFor(tiles(SUBGROUP_PIXELS));
    const grid = (channels: number, pixels: number, tile: number): Grid => [
      { perSample: tiles(pixels), tile },
      Math.ceil(y.shape[1]! / channels),
    ];
    // All variants give the same bits.
    return choose(windowClass(weight, window), {
      subgroup: () => [
        dispatch(conv2dSubgroupKernel, {
          bind,
          params,
          overrides: { ...overrides, KERNEL_WIDTH: unrolled(window), THREADS },
          grid: grid(SUBGROUP_CHANNELS, SUBGROUP_PIXELS, THREADS),
        }),
      ],
      registers: () => [dispatch(conv2dKernel, { bind, params, overrides, grid: grid(CHANNELS, PIXELS, 64) })],
    });
  },
  gradient({ x, weight, y, dy: grad }, attributes): Record<'x' | 'weight' | 'bias', () => Value> {
    const dy = activationGrad(attributes.activation ?? 'none', y, grad);
    const window = windowOf({ x, weight }, attributes);
    const parameters = once(() => conv2dWeightGrad({ x, dy }, { window }));
    return {
      x: () => conv2dInputGrad({ dy, weight }, { like: x, window }),
      weight: () => parameters().weight,
      bias: () => parameters().bias,
    };
  },
  absorb: (next, attributes) => absorbActivation(next, attributes) ?? absorbMaxPool(next, attributes),
  macs: ({ weight }, { y }) => sizeOf(y.shape) * sizeOf(weight.shape.slice(1)),
});

/** The pooling of most networks, whose windows an invocation has whole. */
function absorbMaxPool(next: Following, attributes: FusedAttributes): Absorbed | undefined {
  if (next.op !== 'max-pool2d' || attributes.maxPool) return undefined;
  const { kernel, activation = 'none', ...how } = next.attributes as MaxPool2dAttributes;
  const window = window2d('conv2d', next.inputs[next.through]!, pair(kernel), { stride: kernel, ...how });
  const whole = window.output.every((length, axis) => length === Math.floor(window.input[axis]! / 2));
  const pairs = [window.kernel, window.stride, window.padBefore.map((pad) => pad + 2)];
  if (!whole || !pairs.flat().every((length) => length === 2)) return undefined;
  // The kernel applies one activation, behind the pooling. That is no other for relu, which keeps the order of numbers.
  const before = attributes.activation ?? 'none';
  if (before === 'none') return { attributes: { ...attributes, activation, maxPool: true } };
  return before === 'relu' && activation === 'none' ? { attributes: { ...attributes, maxPool: true } } : undefined;
}
