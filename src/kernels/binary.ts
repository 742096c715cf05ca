import { perSample } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { absorbActivation, absorbActivationGrad, activates, activationCode } from './activation.ts';
import type { Activation, GradAttributes } from './activation.ts';
import { axesParam, broadcast, broadcastStrides, mergeAxes } from './axes.ts';
import { constant, defineOp, dispatch, linearGrid, none } from './define.ts';
import type { NoGradient, Op, Operand, Value } from './define.ts';
import { binaryKernel } from './generated/binary.ts';
import { sum } from './reduce.ts';
import { reshape } from './reshape.ts';

type Operands = { a: Operand; b: Operand };
/** With what `absorb` adds. */
type Fused = Operands & { activated?: Operand };
type FusedAttributes = GradAttributes & { readonly activation?: Activation };
type Values = { readonly a: Value; readonly b: Value; readonly y: Value; readonly dy: Value };

/** The gradients of both operands, in the shape of the result: what was repeated is summed by the family. */
type Rule = Readonly<Record<'a' | 'b', (values: Values) => Value>>;

/** One member of the family. `code` is its number in `wgsl/binary.wgsl`. */
const binary = (name: string, code: number, rule: Rule | NoGradient): Op<Operands, 'y', {}> =>
  defineOp<Fused, 'y', FusedAttributes>({
    name,
    infer: ({ a, b }) => ({ y: broadcast(name, a, b) }),
    lower: ({ a, b, activated }, { y }, { activation = 'none', activationGrad = 'none' }) => {
      const [aStrides, bStrides] = [broadcastStrides(a, y.shape), broadcastStrides(b, y.shape)];
      const axes = mergeAxes(y.shape.map((length, axis) => ({ length, strides: [aStrides[axis]!, bStrides[axis]!] })));
      return [
        dispatch(binaryKernel, {
          // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
          bind: { a, b, activated: activated ?? a, y },
          params: { axes: axesParam(axes), rank: axes.length, sizePerSample: perSample(y) },
          overrides: {
            OP: code,
            EVEN: axes.length === 1,
            ACTIVATION: activationCode[activation],
            ACTIVATION_GRAD: activationCode[activationGrad],
          },
          grid: linearGrid(perSample(y), 256),
        }),
      ];
    },
    gradient:
      'none' in rule
        ? rule
        : (values) => ({ a: () => sumTo(rule.a(values), values.a), b: () => sumTo(rule.b(values), values.b) }),
    // An activation may follow its gradient, not the other way round.
    absorb: (next, attributes) =>
      absorbActivation(next, attributes) ?? (activates(attributes) ? undefined : absorbActivationGrad(next, attributes)),
  });

/** Sums a gradient over the axes along which `like` was repeated. */
function sumTo(grad: Value, like: Spec): Value {
  const missing = grad.shape.length - like.shape.length;
  const axes = [...grad.shape.keys()].filter((axis) => {
    const repeatedForSamples = axis === 0 && grad.rows && !like.rows;
    return repeatedForSamples || (like.shape[axis - missing] ?? 1) !== grad.shape[axis];
  });
  return axes.length ? reshape({ x: sum({ x: grad }, { axes }) }, { shape: like.shape }) : grad;
}

const negated = (x: Value): Value => mul({ a: x, b: constant({ dtype: 'f32', shape: [1] }, Float32Array.of(-1)) });

/** `a + b`. All operations of this family broadcast their f32 operands a and b, see `broadcast`. */
export const add = binary('add', 0, { a: ({ dy }) => dy, b: ({ dy }) => dy });

/** `a - b` */
export const sub = binary('sub', 1, { a: ({ dy }) => dy, b: ({ dy }) => negated(dy) });

/** `a * b` */
export const mul: Op<Operands, 'y', {}> = binary('mul', 2, {
  a: ({ b, dy }) => mul({ a: dy, b }),
  b: ({ a, dy }) => mul({ a: dy, b: a }),
});

/** `a / b` */
export const div: Op<Operands, 'y', {}> = binary('div', 3, {
  a: ({ b, dy }) => div({ a: dy, b }),
  b: ({ b, y, dy }) => negated(div({ a: mul({ a: dy, b: y }), b })),
});

/** The greater of a and b; of equals the gradient goes to a. NaN: either. */
export const maximum = binary('maximum', 4, {
  a: ({ a, b, dy }) => mul({ a: dy, b: notLess({ a, b }) }),
  b: ({ a, b, dy }) => mul({ a: dy, b: less({ a, b }) }),
});

/** The smaller of a and b; of equals the gradient goes to b. NaN: either. */
export const minimum = binary('minimum', 5, {
  a: ({ a, b, dy }) => mul({ a: dy, b: less({ a, b }) }),
  b: ({ a, b, dy }) => mul({ a: dy, b: notLess({ a, b }) }),
});

const isStep = none('it is a step: its derivative is 0 wherever it has one');

/** 1 where `a >= b`, else 0. */
export const notLess = binary('not-less', 6, isStep);

/** 1 where `a < b`, else 0. */
export const less = binary('less', 7, isStep);

const isGradient = none('it is itself a gradient, and derivatives of derivatives are not built');

/** Gradient through relu, from its result a and the gradient b of that: `b` where `a > 0`, else 0. */
export const reluGrad = binary('relu-grad', 8, isGradient);

/** Gradient through the sigmoid, from its result a and the gradient b of that: `b a (1 - a)`. */
export const sigmoidGrad = binary('sigmoid-grad', 9, isGradient);

/** Gradient through tanh, from its result a and the gradient b of that: `b (1 - a^2)`. */
export const tanhGrad = binary('tanh-grad', 10, isGradient);

/** The gradient before the activation, from its result `y` and the gradient `dy` of that. */
export function activationGrad(activation: Activation, y: Value, dy: Value): Value {
  switch (activation) {
    case 'none':
      return dy;
    case 'relu':
      return reluGrad({ a: y, b: dy });
    case 'sigmoid':
      return sigmoidGrad({ a: y, b: dy });
    case 'tanh':
      return tanhGrad({ a: y, b: dy });
  }
}
