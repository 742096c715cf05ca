import { ArgumentError } from '../errors.ts';
import { perSample } from '../tensor/spec.ts';
import type { Dtype } from '../tensor/spec.ts';
import { activationCode } from './activation.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { NoGradient, Op, Operand, Value } from './define.ts';
import { unaryGradKernel } from './generated/unary-grad.ts';
import { unaryI32Kernel, unaryKernel, unarySpecialKernel } from './generated/unary.ts';

/** The gradient of x. */
type Rule<A> = (values: { readonly x: Value; readonly y: Value; readonly dy: Value }, attributes: A) => Value;

/** What a function is given besides x: numbers by name, or the name of one of several ways to compute it. */
type Attributes = Readonly<Record<string, number | string | undefined>> | object;

interface Member<A> {
  /** Its number in `wgsl/unary.wgsl`, and in `wgsl/unary-grad.wgsl` where that has its derivative. */
  readonly code: number | ((attributes: A) => number);
  /** By the derivative in `wgsl/unary-grad.wgsl` where left out. */
  readonly gradient?: Rule<A> | NoGradient;
  /** The parameters of the kernels. */
  readonly numbers?: (attributes: A) => readonly [alpha: number, beta?: number];
  /** f32 alone where left out. */
  readonly dtypes?: readonly Dtype[];
}

/** The codes from here on are those of the variant `special`. */
const SPECIAL = 29;

/** What only moves bits does so as integers, so that numbers below 2^-126 and all kinds of NaN stay what they are. */
function kernelOf(dtype: Dtype, code: number): typeof unaryKernel {
  if (dtype !== 'f32' || code === activationCode.none) return unaryI32Kernel;
  return code < SPECIAL ? unaryKernel : unarySpecialKernel;
}

/** For steps. */
export const isStep = none('it is a step: its derivative is 0 wherever it has one');

/** One member of the family of element-wise functions of one operand. Adapters may take what is below 2^-126 for 0. */
/* @__NO_SIDE_EFFECTS__ */
export function unary<A extends Attributes = {}>(name: string, member: Member<A>): Op<{ x: Operand }, 'y', A> {
  const { code, gradient, numbers, dtypes = ['f32'] } = member;
  const settings = (attributes: A): Settings => {
    const [alpha = 0, beta = 0] = numbers?.(attributes) ?? [];
    return { code: typeof code === 'number' ? code : code(attributes), alpha, beta };
  };
  const rule: Rule<A> | NoGradient =
    gradient ?? (({ x, dy }, attributes) => unaryGrad({ x, dy }, settings(attributes)));
  return defineOp<{ x: Operand }, 'y', A>({
    name,
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
        dispatch(kernelOf(x.dtype, OP), {
          bind: { x, y },
          params: { sizePerSample: perSample(x), alpha, beta },
          overrides: { OP },
          grid: linearGrid(perSample(x), 256),
        }),
      ];
    },
    gradient: 'none' in rule ? rule : (values, attributes) => ({ x: () => rule(values, attributes) }),
  });
}

interface Settings {
  readonly code: number;
  readonly alpha: number;
  readonly beta: number;
}

/** `dy f'(x)` */
const unaryGrad = defineOp<{ x: Operand; dy: Operand }, 'y', Settings>({
  name: 'unary-grad',
  infer: ({ x }) => ({ y: x }),
  lower: ({ x, dy }, { y }, { code, alpha, beta }) => [
    dispatch(unaryGradKernel, {
      bind: { x, dy, dx: y },
      params: { sizePerSample: perSample(x), alpha, beta },
      overrides: { OP: code },
      grid: linearGrid(perSample(x), 256),
    }),
  ],
  gradient: none('it is itself a gradient, and derivatives of derivatives are not built'),
});
