import type { Operand, Value } from '../../kernels/define.ts';
import * as ops from '../../kernels/registry.ts';
import { deviceDtype, scalar, truth } from '../node.ts';
import type { Mapping, Mappings, NodeReader, OnnxDtype, OnnxValue } from '../node.ts';

/** By the numbers that files give them (`TensorProto.DataType`). */
const ELEMENT_TYPES: Readonly<Record<number, OnnxDtype>> = { 1: 'float32', 6: 'int32', 7: 'int64', 9: 'bool', 12: 'uint32' };

const unary =
  (op: (inputs: { x: Operand }) => Value): Mapping =>
  (n) =>
    n.like(0, op({ x: n.at(0) }));

const binary =
  (op: (inputs: { a: Operand; b: Operand }) => Value): Mapping =>
  (n) =>
    n.like(0, op({ a: n.at(0), b: n.at(1) }));

const comparison =
  (op: (inputs: { a: Operand; b: Operand }) => Value): Mapping =>
  (n) =>
    truth(op({ a: n.at(0), b: n.at(1) }));

/** Of one input or more. */
const folded =
  (op: (inputs: { a: Operand; b: Operand }) => Value): Mapping =>
  (n) =>
    n.like(0, n.all.reduce((a, b) => op({ a, b })));

function sumOf(n: NodeReader): Operand {
  return n.all.reduce((a, b) => ops.add({ a, b }));
}

/** A number that was an attribute until operator set 10 and is a known input since. */
const bound = (n: NodeReader, name: string, index: number, fallback: number): number =>
  n.has(index) ? n.numbers(index)[0]! : n.number(name, fallback);

function power(n: NodeReader): OnnxValue {
  const [a, b] = [n.at(0), n.at(1)];
  if (a.dtype === b.dtype) return n.like(0, ops.pow({ a, b }));
  // The result has the type of the base, and is rounded towards zero where that is an integer.
  const inFloat = ops.pow({ a: ops.cast({ x: a }, { to: 'f32' }), b: ops.cast({ x: b }, { to: 'f32' }) });
  return n.like(0, ops.cast({ x: inFloat }, { to: a.dtype }));
}

/** Towards 0 by `bias` beyond `lambd`, 0 between. */
function shrink(n: NodeReader): OnnxValue {
  const x = n.at(0);
  const [limit, bias] = [n.number('lambd', 0.5), n.number('bias', 0)];
  const below = ops.where({
    condition: ops.less({ a: x, b: scalar(-limit) }),
    a: ops.scale({ x }, { by: 1, plus: bias }),
    b: scalar(0),
  });
  const condition = ops.greater({ a: x, b: scalar(limit) });
  return n.like(0, ops.where({ condition, a: ops.scale({ x }, { by: 1, plus: -bias }), b: below }));
}

/** `x sigmoid(alpha x)` */
const swish = (n: NodeReader): Value => {
  const x = n.at(0);
  return ops.mul({ a: x, b: ops.sigmoid({ x: ops.scale({ x }, { by: n.number('alpha', 1) }) }) });
};

export const elementWise: Mappings = {
  Abs: unary(ops.abs),
  Acos: unary(ops.acos),
  Acosh: unary(ops.acosh),
  Add: binary(ops.add),
  And: comparison(ops.and),
  Asin: unary(ops.asin),
  Asinh: unary(ops.asinh),
  Atan: unary(ops.atan),
  Atanh: unary(ops.atanh),
  Cast: (n) => {
    const dtype = ELEMENT_TYPES[n.number('to', 1)];
    if (!dtype) return n.reject(`element type ${n.number('to', 1)} of ONNX does not lie on the device`);
    return { dtype, value: ops.cast({ x: n.at(0) }, { to: dtype === 'bool' ? 'bool' : deviceDtype(dtype) }) };
  },
  Ceil: unary(ops.ceil),
  Celu: (n) => n.like(0, ops.celu({ x: n.at(0) }, { alpha: n.number('alpha', 1) })),
  Clip: (n) => {
    const [min, max] = [bound(n, 'min', 1, -Infinity), bound(n, 'max', 2, Infinity)];
    return n.like(0, ops.clip({ x: n.at(0) }, { min, max }));
  },
  Cos: unary(ops.cos),
  Cosh: unary(ops.cosh),
  Div: binary(ops.div),
  Elu: (n) => n.like(0, ops.elu({ x: n.at(0) }, { alpha: n.number('alpha', 1) })),
  Equal: comparison(ops.equal),
  Erf: unary(ops.erf),
  Exp: unary(ops.exp),
  Floor: unary(ops.floor),
  Gelu: (n) => n.like(0, ops.gelu({ x: n.at(0) }, { approximate: n.text('approximate', 'none', 'tanh') })),
  Greater: comparison(ops.greater),
  GreaterOrEqual: comparison(ops.greaterOrEqual),
  HardSigmoid: (n) =>
    n.like(0, ops.hardSigmoid({ x: n.at(0) }, { alpha: n.number('alpha', 0.2), beta: n.number('beta', 0.5) })),
  HardSwish: unary(ops.hardSwish),
  Identity: unary(ops.copy),
  IsInf: (n) => {
    const [negative, positive] = [n.flag('detect_negative', true), n.flag('detect_positive', true)];
    if (!negative && !positive) return n.reject('neither infinity is asked for');
    return truth(ops.isInfinite({ x: n.at(0) }, negative && positive ? {} : { sign: positive ? 1 : -1 }));
  },
  IsNaN: (n) => truth(ops.isNaN({ x: n.at(0) })),
  LeakyRelu: (n) => n.like(0, ops.leakyRelu({ x: n.at(0) }, { alpha: n.number('alpha', 0.01) })),
  Less: comparison(ops.less),
  LessOrEqual: comparison(ops.lessOrEqual),
  Log: unary(ops.log),
  Max: folded(ops.maximum),
  Mean: (n) => n.like(0, ops.scale({ x: sumOf(n) }, { by: 1 / n.all.length })),
  Min: folded(ops.minimum),
  Mish: unary(ops.mish),
  Mod: (n) => n.like(0, ops.mod({ a: n.at(0), b: n.at(1) }, { fmod: n.flag('fmod') })),
  Mul: binary(ops.mul),
  Neg: unary(ops.negate),
  Not: (n) => truth(ops.not({ x: n.at(0) })),
  Or: comparison(ops.or),
  PRelu: (n) => {
    const [x, slope] = [n.at(0), n.at(1)];
    // Before operator set 7 a slope for each channel.
    const ofChannels = n.opset < 7 && slope.shape.length === 1 && slope.shape[0] !== 1;
    const shape = [slope.shape[0]!, ...x.shape.slice(2).map(() => 1)];
    return n.like(0, ops.prelu({ a: x, b: ofChannels ? ops.reshape({ x: slope }, { shape }) : slope }));
  },
  Pow: power,
  Reciprocal: unary(ops.reciprocal),
  Relu: unary(ops.relu),
  Round: unary(ops.round),
  Selu: (n) =>
    n.like(0, ops.selu({ x: n.at(0) }, {
      alpha: n.number('alpha', 1.6732632423543772),
      gamma: n.number('gamma', 1.0507009873554805),
    })),
  Shrink: shrink,
  Sigmoid: unary(ops.sigmoid),
  Sign: unary(ops.sign),
  Sin: unary(ops.sin),
  Sinh: unary(ops.sinh),
  Softplus: unary(ops.softplus),
  Softsign: unary(ops.softsign),
  Sqrt: unary(ops.sqrt),
  Sub: binary(ops.sub),
  Sum: (n) => n.like(0, sumOf(n)),
  SwiGLU: (n) => n.like(0, ops.mul({ a: swish(n), b: n.at(1) })),
  Swish: (n) => n.like(0, swish(n)),
  Tan: unary(ops.tan),
  Tanh: unary(ops.tanh),
  ThresholdedRelu: (n) => n.like(0, ops.thresholdedRelu({ x: n.at(0) }, { alpha: n.number('alpha', 1) })),
  Where: (n) => n.like(1, ops.where({ condition: n.at(0), a: n.at(1), b: n.at(2) })),
  Xor: comparison(ops.xor),
};
