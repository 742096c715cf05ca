import { ArgumentError } from '../errors.ts';
import { perSample } from '../tensor/spec.ts';
import type { Dtype } from '../tensor/spec.ts';
import { activationCode } from './activation.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { NoGradient, Op, Operand, Value } from './define.ts';
import { unaryI32Kernel, unaryKernel, unarySpecialKernel } from './generated/unary.ts';

/** What attributes come to: a number of a function, and the parameters of its kernel. */
export interface Settings {
  readonly code: number;
  readonly alpha: number;
  readonly beta: number;
}

type Values = { readonly x: Value; readonly y: Value; readonly dy: Value };

/** The gradient of x. */
type Rule<A> = (values: Values, attributes: A, settings: Settings) => Value;

/** What a function is given besides x: numbers by name, or the name of one of several ways to compute it. */
export type Attributes = Readonly<Record<string, number | string | undefined>> | object;

export interface Member<A> {
  /** Its number in `wgsl/unary.wgsl`, and in `wgsl/unary-grad.wgsl` where that has its derivative. */
  readonly code: number | ((attributes: A) => number);
  readonly gradient: Rule<A> | NoGradient;
  /** Computes functions whose code is that of its variant `special`. */
  readonly special?: typeof unaryKernel;
  /** The parameters of the kernels. */
  readonly numbers?: (attributes: A) => readonly [alpha: number, beta?: number];
  /** f32 alone where left out. */
  readonly dtypes?: readonly Dtype[];
}

/** For `special`: apart, so that a page without such a function does not have it. */
export const specialKernel = unarySpecialKernel;

/** For steps. */
export const isStep = none('it is a step: its derivative is 0 wherever it has one');

/** One member of the family of element-wise functions of one operand. Adapters may take what is below 2^-126 for 0. */
/* @__NO_SIDE_EFFECTS__ */
export function unary<A extends Attributes = {}>(name: string, member: Member<A>): Op<{ x: Operand }, 'y', A> {
  const { code, gradient, numbers, special, dtypes = ['f32'] } = member;
  const settings = (attributes: A): Settings => {
    const [alpha = 0, beta = 0] = numbers?.(attributes) ?? [];
    return { code: typeof code === 'number' ? code : code(attributes), alpha, beta };
  };
  // What only moves bits does so as integers, so that numbers below 2^-126 and all kinds of NaN stay what they are.
  const kernelOf = (dtype: Dtype): typeof unaryKernel =>
    dtype === 'f16' || (dtype === 'f32' && code !== activationCode.none) ? (special ?? unaryKernel) : unaryI32Kernel;
  return defineOp<{ x: Operand }, 'y', A>({
    name,
    half: ['x'],
    infer({ x }, attributes) {
      if (!dtypes.includes(x.dtype)) throw expected(name, dtypes.map((dtype) => `${dtype}[...]`).join(' or '), x);
      for (const [key, value] of Object.entries(attributes)) {
        if (Number.isNaN(value)) throw new ArgumentError(`${name}: expected a number as ${key}, got NaN`);
      }
      // They may refuse some.
      settings(attributes);
      return { y: x };
    },
    lower({ x }, { y }, attributes) {
      const { code: OP, alpha, beta } = settings(attributes);
      return [
        dispatch(kernelOf(x.dtype), {
          bind: { x, y },
          params: { sizePerSample: perSample(x), alpha, beta },
          overrides: { OP },
          grid: linearGrid(perSample(x), 256),
        }),
      ];
    },
    gradient:
      'none' in gradient
        ? gradient
        : (values, attributes) => ({ x: () => gradient(values, attributes, settings(attributes)) }),
  });
}
