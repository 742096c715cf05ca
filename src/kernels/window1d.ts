import type { Activation } from './activation.ts';
import { conv2d } from './conv2d.ts';
import { convTranspose2d } from './conv-transpose2d.ts';
import { expected } from './define.ts';
import type { Operand, Value } from './define.ts';
import { averagePool2d, maxPool2d } from './pool2d.ts';
import { reshape } from './reshape.ts';
import { isSame } from './window2d.ts';
import type { Pair, SamePadding, WindowAttributes } from './window2d.ts';

/** As `WindowAttributes`, along one axis. */
export interface Window1dAttributes {
  readonly stride?: number;
  readonly padding?: number | readonly [before: number, after: number] | SamePadding;
  readonly dilation?: number;
}

export interface Conv1dAttributes extends Window1dAttributes {
  readonly groups?: number;
  readonly activation?: Activation;
}

export interface ConvTranspose1dAttributes extends Conv1dAttributes {
  readonly outputPadding?: number;
  readonly outputSize?: number;
}

export interface MaxPool1dAttributes extends Window1dAttributes {
  readonly kernel: number;
  readonly ceil?: boolean;
  readonly activation?: Activation;
}

export interface AveragePool1dAttributes extends MaxPool1dAttributes {
  readonly countPadding?: boolean;
}

type Inputs = { readonly x: Operand; readonly weight: Operand; readonly bias?: Operand };

/** `[samples, channels, width]` as planes of height 1, in the same memory. */
function plane(op: string, x: Operand): Value {
  if (x.shape.length !== 3) throw expected(op, '[samples, channels, width]', x);
  return reshape({ x }, { shape: x.shape.toSpliced(2, 0, 1) });
}

const line = (y: Value): Value => reshape({ x: y }, { shape: y.shape.toSpliced(2, 1) });

/** How a window of height 1 moves. */
function across({ stride = 1, padding = 0, dilation = 1 }: Window1dAttributes): WindowAttributes {
  const moves = { stride: [1, stride], dilation: [1, dilation] } satisfies WindowAttributes;
  if (isSame(padding)) return { ...moves, padding };
  const [before, after] = typeof padding === 'number' ? [padding, padding] : padding;
  return { ...moves, padding: [0, before, 0, after] };
}

const planes = (op: string, { x, weight, ...rest }: Inputs): Inputs => ({
  x: plane(op, x),
  weight: plane(op, weight),
  ...rest,
});

/** `conv2d` of planes of height 1. x: `f32[samples, in, width]`, weight: `f32[out, in / groups, width]`. */
export function conv1d(inputs: Inputs, attributes: Conv1dAttributes = {}): Value {
  return line(conv2d(planes('conv1d', inputs), { ...attributes, ...across(attributes) }));
}

/** `convTranspose2d` of planes of height 1. x: `f32[samples, in, width]`, weight: `f32[in, out / groups, width]`. */
export function convTranspose1d(inputs: Inputs, attributes: ConvTranspose1dAttributes = {}): Value {
  const { outputPadding = 0, outputSize, ...rest } = attributes;
  const size = outputSize !== undefined && { outputSize: [1, outputSize] satisfies Pair };
  const how = { ...rest, ...across(attributes), outputPadding: [0, outputPadding] satisfies Pair, ...size };
  return line(convTranspose2d(planes('conv-transpose1d', inputs), how));
}

const poolOf = <A extends MaxPool1dAttributes>({ kernel, stride = kernel, ...rest }: A) => ({
  ...rest,
  ...across({ ...rest, stride }),
  kernel: [1, kernel] as const,
});

/** `maxPool2d` of planes of height 1. x: `f32[samples, channels, width]`. */
export const maxPool1d = ({ x }: { readonly x: Operand }, attributes: MaxPool1dAttributes): Value =>
  line(maxPool2d({ x: plane('max-pool1d', x) }, poolOf(attributes)));

/** `averagePool2d` of planes of height 1. x: `f32[samples, channels, width]`. */
export const averagePool1d = ({ x }: { readonly x: Operand }, attributes: AveragePool1dAttributes): Value =>
  line(averagePool2d({ x: plane('average-pool1d', x) }, poolOf(attributes)));
