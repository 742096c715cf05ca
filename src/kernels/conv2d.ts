import { ArgumentError } from '../errors.ts';
import { isFloat, leadPerSample, sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { absorbActivation, activates, activationCode } from './activation.ts';
import type { Activation } from './activation.ts';
import type { BatchNormAttributes } from './batch-norm.ts';
import { activationGrad } from './binary.ts';
import { EPSILON } from './channels.ts';
import { conv2dInputGrad } from './conv2d-input-grad.ts';
import { conv2dWeightGrad } from './conv2d-weight-grad.ts';
import { defineOp, dispatch, expected, once } from './define.ts';
import type { Absorbed, Dispatch, Following, Grid, Op, Operand, Value } from './define.ts';
import { conv2dSubgroupKernel } from './generated/conv2d-subgroup.ts';
import { conv2dTiledKernel } from './generated/conv2d-tiled.ts';
import { conv2dKernel } from './generated/conv2d.ts';
import type { MaxPool2dAttributes } from './pool2d.ts';
import { absorbResidual } from './residual.ts';
import { channelTile, convolutionParams, pair, threadsFor, unrolled, window2d, windowClass } from './window2d.ts';
import type { Pair, Window2d, WindowAttributes } from './window2d.ts';

export interface Conv2dAttributes extends Omit<WindowAttributes, 'ceil'> {
  /** Parts of the input channels, each convolved with its part of the output channels; 1 where left out. */
  readonly groups?: number;
  /** Applied to the result in the same kernel. */
  readonly activation?: Activation;
}

/** What `absorb` adds, all in the same kernel. */
interface FusedAttributes extends Conv2dAttributes {
  /** There are mean, variance, scale and shift, as of `batchNorm`. */
  readonly epsilon?: number;
  /** The maximum over windows of 2 x 2 side by side. */
  readonly maxPool?: true;
}
type FusedInputs = Inputs & { readonly [name in 'residual' | 'mean' | 'variance' | 'scale' | 'shift']?: Operand };

/** Channels and neighbouring pixels that one invocation of `wgsl/conv2d.wgsl`, and of `-subgroup`, computes. */
const [MOST_CHANNELS, PIXELS, SUBGROUP_CHANNELS, SUBGROUP_PIXELS] = [5, 8, 8, 4];

/** Channels, and pixels, of a workgroup of `wgsl/conv2d-tiled.wgsl`; fewer channels, or taps, than NARROW waste it. */
const [TILED_SIDE, NARROW] = [64, 32];

export type ConvolutionInputs<T> = { readonly x: T; readonly weight: T; readonly bias?: T };

/**
 * The first axes of a weight; the second of them is of one group. What comes in is as many as x has channels, what goes
 * out as many as the bias is long.
 */
type WeightAxes = readonly [first: 'in' | 'out', second: 'in' | 'out'];

/** @throws ArgumentError, ShapeError */
export function checkConvolution(
  op: string,
  { x, weight, bias }: ConvolutionInputs<Spec>,
  groups: number,
  axes: WeightAxes,
): void {
  if (!Number.isInteger(groups) || groups < 1) {
    throw new ArgumentError(`${op}: expected a whole number of groups from 1 up, got ${groups}`);
  }
  const [first, second] = axes;
  const lengths = { [first]: weight.shape[0]!, [second]: weight.shape[1]! * groups };
  const dtypes = [x, weight, bias].every((spec) => !spec || isFloat(spec));
  const shapes = x.shape.length === 4 && weight.shape.length === 4 && x.shape[1] === lengths['in'];
  const biasFits = !bias || (bias.shape.length === 1 && bias.shape[0] === lengths['out']);
  if (dtypes && shapes && biasFits && weight.shape[0]! % groups === 0 && !weight.rows && !bias?.rows) return;
  const [divided, multiple] = groups > 1 ? [` / ${groups}`, ` with ${first} a multiple of ${groups}`] : ['', ''];
  const shape = `weight f32[${first}, ${second}${divided}, height, width]${multiple}`;
  const what = `x f32[samples, in, height, width], ${shape} and bias f32[out]`;
  throw expected(op, what, x, weight, ...(bias ? [bias] : []));
}

function windowOf(inputs: ConvolutionInputs<Spec>, { groups = 1, ...attributes }: Conv2dAttributes): Window2d {
  checkConvolution('conv2d', inputs, groups, ['out', 'in']);
  return window2d('conv2d', inputs.x, inputs.weight.shape.slice(2) as unknown as Pair, attributes);
}

type Inputs = ConvolutionInputs<Operand>;

/**
 * Convolution (a cross-correlation, as usual): `activation(x * weight + bias)`. x: `f32[samples, in, height, width]`,
 * zero beyond its edges; weight: `f32[out, in / groups, height, width]`; bias: `f32[out]` or none; result:
 * `f32[samples, out, ...]`, its height and width as `window2d` says. Where there are groups, an output channel sums
 * over the input channels of its group alone.
 */
export const conv2d: Op<Inputs, 'y', Conv2dAttributes> = defineOp<FusedInputs, 'y', FusedAttributes>({
  name: 'conv2d',
  half: ['x', 'weight', 'bias', 'residual', 'scale', 'shift'],
  infer(inputs, attributes) {
    const { x, weight } = inputs;
    const { output } = windowOf(inputs, attributes);
    return { y: { dtype: 'f32', shape: [x.shape[0]!, weight.shape[0]!, ...output], rows: x.rows } };
  },
  lower(inputs, { y }, attributes, { choose }) {
    const { x, weight, bias, residual, mean, variance, scale, shift } = inputs;
    const window = windowOf(inputs, attributes);
    const [outHeight, outWidth] = window.output;
    const samples = leadPerSample(x);
    const { groups = 1, activation = 'none', maxPool = false, epsilon = 0 } = attributes;
    // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
    const norm = { mean: mean ?? weight, variance: variance ?? weight, scale: scale ?? weight, shift: shift ?? weight };
    const bind = { x, weight, added: bias ?? residual ?? weight, y, ...norm };
    const params = { ...convolutionParams(window, samples, [x.shape[1]!, weight.shape[0]!], groups), epsilon };
    const CHANNELS = channelTile(params.groupOutChannels, MOST_CHANNELS);
    const finish = {
      BIAS: bias !== undefined,
      RESIDUAL: residual !== undefined,
      NORM: mean !== undefined,
      ACTIVATION: activationCode[activation],
      POOL: maxPool,
    };
    const overrides = { ...finish, SLIDING: window.stride[1] === 1 && window.dilation[1] === 1 };
    const side = maxPool ? 2 : 1;
    const tiles = (pixels: number): number => samples * Math.floor(outHeight / side) * Math.ceil(outWidth / pixels);
    const THREADS = threadsFor(tiles(SUBGROUP_PIXELS));
    const grid = (channels: number, pixels: number, tile: number): Grid => [
      { perSample: tiles(pixels), tile },
      Math.ceil(params.groupOutChannels / channels),
      groups,
    ];
    const subgroup = (): Dispatch[] => [
      dispatch(conv2dSubgroupKernel, {
        bind,
        params,
        overrides: { ...overrides, KERNEL_WIDTH: unrolled(window), THREADS },
        grid: grid(SUBGROUP_CHANNELS, SUBGROUP_PIXELS, THREADS),
      }),
    ];
    const registers = (): Dispatch[] => [
      dispatch(conv2dKernel, {
        bind,
        params,
        overrides: { ...overrides, CHANNELS },
        grid: grid(CHANNELS, PIXELS, 64),
      }),
    ];
    const tiled = (): Dispatch[] => [
      dispatch(conv2dTiledKernel, {
        bind,
        params,
        overrides: finish,
        grid: grid(TILED_SIDE, side, TILED_SIDE / side ** 2),
      }),
    ];
    const inSubgroups = CHANNELS > 1 || groups === 1;
    const inTiles = params.groupOutChannels >= NARROW && sizeOf(weight.shape.slice(1)) >= NARROW;
    // All give the same bits.
    return choose(windowClass(weight, window, groups), {
      ...(inSubgroups && { subgroup }),
      registers,
      ...(inTiles && { tiled }),
    });
  },
  gradient({ x, weight, y, dy: grad }, attributes): Record<'x' | 'weight' | 'bias', () => Value> {
    const dy = activationGrad(attributes.activation ?? 'none', y, grad);
    const window = windowOf({ x, weight }, attributes);
    const parameters = once(() => conv2dWeightGrad({ x, dy }, { window, groups: attributes.groups ?? 1 }));
    return {
      x: () => conv2dInputGrad({ dy, weight }, { like: x, window }),
      weight: () => parameters().weight,
      bias: () => parameters().bias,
    };
  },
  absorb: (next, attributes, inputs) =>
    absorbActivation(next, attributes) ??
    absorbBatchNorm(next, attributes, inputs) ??
    absorbMaxPool(next, attributes, inputs) ??
    (inputs.bias || attributes.maxPool ? undefined : absorbResidual(next, attributes, inputs, ['activation'])),
  // The result may be pooled.
  macs: (inputs, _, attributes) =>
    sizeOf(conv2d.infer(inputs, attributes).y.shape) * sizeOf(inputs.weight.shape.slice(1)),
});

type Given<T> = { readonly [name in keyof FusedInputs]: T };

/** Normalisation by given statistics: the first thing that happens to a sum. */
function absorbBatchNorm(next: Following, attributes: FusedAttributes, inputs: Given<Value>): Absorbed | undefined {
  if (next.op !== 'batch-norm' || inputs.mean || inputs.residual) return undefined;
  if (activates(attributes) || attributes.maxPool || !isResultOf(next, attributes, inputs)) return undefined;
  const { epsilon = EPSILON, activation = 'none' } = next.attributes as BatchNormAttributes;
  const { x: _, ...norm } = next.inputs;
  return { attributes: { ...attributes, epsilon, activation }, inputs: norm };
}

/** Whether it comes in the shape that it has: under another, the same elements are other planes. */
const isResultOf = (next: Following, attributes: FusedAttributes, inputs: Given<Spec>): boolean =>
  String(next.inputs[next.through]!.shape) === String(conv2d.infer(inputs, attributes).y.shape);

/** The pooling of most networks, whose windows an invocation has whole. */
function absorbMaxPool(next: Following, attributes: FusedAttributes, inputs: Given<Value>): Absorbed | undefined {
  if (next.op !== 'max-pool2d' || attributes.maxPool || inputs.residual) return undefined;
  const { kernel, activation = 'none', ...how } = next.attributes as MaxPool2dAttributes;
  const x = next.inputs[next.through]!;
  if (!isResultOf(next, attributes, inputs)) return undefined;
  const window = window2d('conv2d', x, pair(kernel), { stride: kernel, ...how });
  const whole = window.output.every((length, axis) => length === Math.floor(window.input[axis]! / 2));
  const { stride, dilation, padBefore } = window;
  const beside = [window.kernel, stride].flat().every((length) => length === 2);
  if (!whole || !beside || Math.max(...dilation) > 1 || Math.max(...padBefore) > 0) return undefined;
  // The kernel applies one activation, behind the pooling. That is no other for relu, which keeps the order of numbers.
  const before = attributes.activation ?? 'none';
  if (before === 'none') return { attributes: { ...attributes, activation, maxPool: true } };
  return before === 'relu' && activation === 'none' ? { attributes: { ...attributes, maxPool: true } } : undefined;
}
