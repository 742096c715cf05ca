import type { Dtype, Spec } from '../tensor/spec.ts';
import { absorbActivation, absorbActivationGrad, activationCode } from './activation.ts';
import type { Activation, GradAttributes } from './activation.ts';
import { broadcast, broadcastWalk } from './axes.ts';
import { defineOp, dispatch } from './define.ts';
import type { NoGradient, Op, Operand, Value } from './define.ts';
import { binaryI32Kernel, binaryKernel, binarySpecialKernel, binaryU32Kernel } from './generated/binary.ts';
import { sum } from './reduce.ts';
import { reshape } from './reshape.ts';

export type Operands = { a: Operand; b: Operand };
/** With what `absorb` adds. */
type Fused = Operands & { activated?: Operand };
type FusedAttributes = GradAttributes & { readonly activation?: Activation };
type Values = { readonly a: Value; readonly b: Value; readonly y: Value; readonly dy: Value };

/** The gradients of both operands, in the shape of the result: what was repeated is summed by the family. */
type Rule<A> = Readonly<Record<'a' | 'b', (values: Values, attributes: A) => Value>>;

interface Member<A> {
  /** Its number in `wgsl/binary.wgsl`. */
  readonly code: number | ((attributes: A) => number);
  readonly gradient: Rule<A> | NoGradient;
  /** f32 alone where left out. */
  readonly dtypes?: readonly Dtype[];
}

/** The codes from here on are those of the variant `special`. */
const SPECIAL = 16;

export const numeric = ['f32', 'i32', 'u32'] as const;

const integerKernels = { i32: binaryI32Kernel, u32: binaryU32Kernel };

/** One member of the family of element-wise functions of two operands. */
/* @__NO_SIDE_EFFECTS__ */
export function binary<A extends object = {}>(name: string, member: Member<A>): Op<Operands, 'y', A> {
  const { code, gradient, dtypes = ['f32'] } = member;
  const op = defineOp<Fused, 'y', A & FusedAttributes>({
    name,
    half: ['a', 'b', 'activated'],
    infer: ({ a, b }) => ({ y: broadcast(name, [a, b], dtypes) }),
    lower({ a, b, activated }, { y }, attributes) {
      // The result may come in the shape of what `absorb` took in from behind a reshape.
      const { params, EVEN, grid } = broadcastWalk([a, b], broadcast(name, [a, b], [a.dtype]));
      const OP = typeof code === 'number' ? code : code(attributes);
      if (y.dtype === 'i32' || y.dtype === 'u32') {
        return [dispatch(integerKernels[y.dtype], { bind: { a, b, y }, params, overrides: { OP, EVEN }, grid })];
      }
      const { activation = 'none', activationGrad = 'none' } = attributes;
      return [
        dispatch(OP < SPECIAL ? binaryKernel : binarySpecialKernel, {
          // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
          bind: { a, b, activated: activated ?? a, y },
          params,
          overrides: {
            OP,
            EVEN,
            ACTIVATION: activationCode[activation],
            ACTIVATION_GRAD: activationCode[activationGrad],
          },
          grid,
        }),
      ];
    },
    gradient:
      'none' in gradient
        ? gradient
        : (values, attributes) => ({
            a: () => sumTo(gradient.a(values, attributes), values.a),
            b: () => sumTo(gradient.b(values, attributes), values.b),
          }),
    absorb: (next, given) => absorbActivation(next, given) ?? absorbActivationGrad(next, given),
  });
  // What `absorb` adds is not for callers.
  return op as unknown as Op<Operands, 'y', A>;
}

/**
 * Sums a gradient over the axes along which `like` was repeated. Neighbouring axes are taken together, since sums take
 * few of them.
 */
export function sumTo(grad: Value, like: Spec): Value {
  if (grad.shape.join() === like.shape.join() && grad.rows === like.rows) return grad;
  const missing = grad.shape.length - like.shape.length;
  const groups: { length: number; repeated: boolean }[] = [];
  for (const [axis, length] of grad.shape.entries()) {
    const ofSamples = axis === 0 && grad.rows;
    if (length === 1 && !ofSamples) continue;
    const repeated = ofSamples ? !like.rows : (like.shape[axis - missing] ?? 1) !== length;
    const last = groups.at(-1);
    if (last?.repeated === repeated) last.length *= length;
    else groups.push({ length, repeated });
  }
  const x = reshape({ x: grad }, { shape: groups.map(({ length }) => length) });
  const axes = [...groups.keys()].filter((group) => groups[group]!.repeated);
  return reshape({ x: axes.length ? sum({ x }, { axes }) : x }, { shape: like.shape });
}
