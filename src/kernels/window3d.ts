import type { Activation } from './activation.ts';
import { concatAll } from './concat.ts';
import { conv2d } from './conv2d.ts';
import { expected } from './define.ts';
import type { Operand, Value } from './define.ts';
import { pad } from './pad.ts';
import { averagePool2d, maxPool2d } from './pool2d.ts';
import type { AveragePool2dAttributes } from './pool2d.ts';
import { reshape } from './reshape.ts';
import { slice } from './slice.ts';
import { transpose } from './transpose.ts';
import { isSame, window2d } from './window2d.ts';
import type { SamePadding, Sides } from './window2d.ts';

/** Something along depth, height and width. */
export type Triple = readonly [z: number, y: number, x: number];

/** As `WindowAttributes`, along three axes; padding before the first and behind the last of each. */
export interface Window3dAttributes {
  readonly stride?: number | Triple;
  readonly padding?:
    | number
    | Triple
    | readonly [front: number, top: number, left: number, back: number, bottom: number, right: number]
    | SamePadding;
  readonly dilation?: number | Triple;
}

export interface Conv3dAttributes extends Window3dAttributes {
  readonly groups?: number;
  readonly activation?: Activation;
}

export interface MaxPool3dAttributes extends Window3dAttributes {
  readonly kernel: number | Triple;
  readonly ceil?: boolean;
  readonly activation?: Activation;
}

export interface AveragePool3dAttributes extends MaxPool3dAttributes {
  readonly countPadding?: boolean;
}

type Five = [number, number, number, number, number];

const triple = (value: number | Triple): Triple => (typeof value === 'number' ? [value, value, value] : value);

/** What a window does within planes, and along the depth, written as the height of planes of any width. */
function apart({ stride = 1, padding = 0, dilation = 1 }: Window3dAttributes) {
  const [[strideZ, ...strides], [dilationZ, ...dilations]] = [triple(stride), triple(dilation)];
  const within = { stride: strides, dilation: dilations };
  const along = { stride: [strideZ, 1], dilation: [dilationZ, 1] } as const;
  if (isSame(padding)) return [{ ...within, padding }, { ...along, padding }] as const;
  const [front, top, left, back = front, bottom = top, right = left]: readonly number[] =
    typeof padding === 'number' ? triple(padding) : padding;
  const sides: Sides = [top!, left!, bottom!, right!];
  return [{ ...within, padding: sides }, { ...along, padding: [front!, 0, back!, 0] satisfies Sides }] as const;
}

/** `[samples, a, b, size]` with a and b exchanged. */
const exchanged = (x: Operand, shape: readonly number[]): Value =>
  transpose({ x: reshape({ x }, { shape }) }, { permutation: [0, 2, 1, 3] });

/**
 * Convolution in three dimensions: `activation(x * weight + bias)`. x: `f32[samples, in, depth, height, width]`;
 * weight: `f32[out, in / groups, depth, height, width]`; bias: `f32[out]` or none. The planes that a window meets along
 * the depth become channels of one plane, convolved by `conv2d`; that takes a copy of x for each tap along the depth.
 */
export function conv3d(
  { x, weight, bias }: { readonly x: Operand; readonly weight: Operand; readonly bias?: Operand },
  { groups = 1, activation = 'none', ...attributes }: Conv3dAttributes = {},
): Value {
  if (x.shape.length !== 5 || weight.shape.length !== 5) {
    const what = 'x f32[samples, in, depth, height, width] and weight f32[out, in / groups, depth, height, width]';
    throw expected('conv3d', what, x, weight);
  }
  const [samples, channels, depth, height, width] = x.shape as Five;
  const [out, ofGroup, taps, ...kernel] = weight.shape as Five;
  const [within, along] = apart(attributes);
  const window = window2d('conv3d', { ...x, shape: [samples, channels, depth, 1] }, [taps, 1], along);
  const { padBefore, padAfter } = window;
  const [outDepth, step, dilation] = [window.output[0], window.stride[0], window.dilation[0]];
  const padded = pad({ x }, { axis: 2, before: padBefore[0], after: padAfter[0] });
  const met = Array.from({ length: taps }, (_, tap) => {
    const start = tap * dilation;
    return slice({ x: padded }, { axis: 2, start, end: start + (outDepth - 1) * step + 1, step });
  });
  const planes = exchanged(concatAll(met, { axis: 2 }), [samples, channels * taps, outDepth, height * width]);
  const y = conv2d(
    {
      x: reshape({ x: planes }, { shape: [samples * outDepth, channels * taps, height, width] }),
      weight: reshape({ x: weight }, { shape: [out, ofGroup * taps, ...kernel] }),
      ...(bias && { bias }),
    },
    { ...within, groups, activation },
  );
  const [outHeight, outWidth] = y.shape.slice(2) as [number, number];
  const volumes = exchanged(y, [samples, outDepth, out, outHeight * outWidth]);
  return reshape({ x: volumes }, { shape: [samples, out, outDepth, outHeight, outWidth] });
}

/** Pools within planes, and what comes of that along the depth: maxima of maxima, averages of averages. */
function pool3d(
  op: string,
  pool: (inputs: { readonly x: Operand }, attributes: AveragePool2dAttributes) => Value,
  x: Operand,
  { kernel, stride = kernel, padding, dilation, activation = 'none', ...how }: AveragePool3dAttributes,
): Value {
  if (x.shape.length !== 5) throw expected(op, 'f32[samples, channels, depth, height, width]', x);
  const [samples, channels, depth, height, width] = x.shape as Five;
  const [within, along] = apart({ stride, ...(padding && { padding }), ...(dilation && { dilation }) });
  const [taps, ...ofPlane] = triple(kernel);
  const flat = reshape({ x }, { shape: [samples, channels * depth, height, width] });
  const planes = pool({ x: flat }, { ...how, ...within, kernel: ofPlane });
  const [outHeight, outWidth] = planes.shape.slice(2) as [number, number];
  const columns = reshape({ x: planes }, { shape: [samples, channels, depth, outHeight * outWidth] });
  const y = pool({ x: columns }, { ...how, ...along, kernel: [taps, 1], activation });
  return reshape({ x: y }, { shape: [samples, channels, y.shape[2]!, outHeight, outWidth] });
}

/** As `maxPool2d`, in three dimensions. x: `f32[samples, channels, depth, height, width]`. */
export const maxPool3d = ({ x }: { readonly x: Operand }, attributes: MaxPool3dAttributes): Value =>
  pool3d('max-pool3d', maxPool2d, x, attributes);

/**
 * As `averagePool2d`, in three dimensions. x: `f32[samples, channels, depth, height, width]`. How many elements an
 * average is of is a product of counts along each axis, so that of averages is the average.
 */
export const averagePool3d = ({ x }: { readonly x: Operand }, attributes: AveragePool3dAttributes): Value =>
  pool3d('average-pool3d', averagePool2d, x, attributes);
