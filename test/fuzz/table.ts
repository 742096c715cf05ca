import type { Random } from '../../src/random.ts';
import type * as registry from '../../src/kernels/registry.ts';
import { sizeOf } from '../../src/tensor/spec.ts';
import type { Dtype } from '../../src/tensor/spec.ts';
import { distinct, host, random, randomIndices } from '../op-table.ts';
import type { Host, OpCase } from '../op-table.ts';
import { drawAxis, drawBroadcast, drawSamples, drawShape, from, one, seedOf } from './draws.ts';

type Draw = (source: Random) => OpCase;

const numbers = (source: Random, shape: readonly number[], low = -2, high = 2): Host =>
  random(shape, seedOf(source), low, high);
const apart = (source: Random, shape: readonly number[]): Host => distinct(shape, seedOf(source), 0.001);
const positions = (source: Random, shape: readonly number[], bound: number): Host =>
  randomIndices(shape, seedOf(source), bound);

const unary =
  (low = -2, high = 2): Draw =>
  (source) =>
    drawSamples(source, { inputs: { x: numbers(source, drawShape(source), low, high) } });

const binary =
  (low = -2, high = 2): Draw =>
  (source) => {
    const [a, b] = drawBroadcast(source, 4000);
    return { inputs: { a: numbers(source, a, low, high), b: numbers(source, b, low, high) } };
  };

const truth = (source: Random, shape: readonly number[]): Host => {
  const { data } = positions(source, shape, 2);
  return host(shape, data, 'u32');
};
const logic: Draw = (source) => {
  const [a, b] = drawBroadcast(source, 4000);
  return { inputs: { a: truth(source, a), b: truth(source, b) } };
};

/** Some axes; of samples, any but theirs. */
const reduction =
  (make: (source: Random, shape: readonly number[]) => Host): Draw =>
  (source) => {
    const x = make(source, drawShape(source, 1, 6));
    const opCase = drawSamples(source, { inputs: { x } });
    const axes = [...x.shape.keys()].filter((axis) => source.below(2) === 0 && !(axis === 0 && opCase.samples));
    return { ...opCase, attributes: { axes, keepDims: source.below(2) === 0 } };
  };

/** One axis, not that of the samples. */
function along(source: Random, make: (shape: readonly number[]) => Host): OpCase & { attributes: { axis: number } } {
  const x = make(drawShape(source, 1, 5));
  const opCase = x.shape.length > 1 ? drawSamples(source, { inputs: { x } }) : { inputs: { x } };
  return { ...opCase, attributes: { axis: drawAxis(source, x, opCase.samples === undefined ? 0 : 1) } };
}

const withBias = (source: Random, out: number): Record<string, Host> => ({ bias: numbers(source, [out]) });

const activation = (source: Random): object =>
  source.below(3) === 0 ? { activation: one(source, ['relu', 'sigmoid', 'tanh']) } : {};

const small = (source: Random): number => one(source, [1, 2, 3, 4, 5, 8, 9, 16, 17, 31, 33]);

/** A window that fits, over planes. */
function window(source: Random, most: number) {
  const kernel = [from(source, 1, most), from(source, 1, most)] as const;
  const stride = [from(source, 1, 3), from(source, 1, 3)] as const;
  const dilation = source.below(3) === 0 ? from(source, 1, 2) : 1;
  // Padding is less than the kernel.
  const padding = source.below(4) === 0 ? 'same' : kernel.map((length) => source.below(length));
  const planes = kernel.map((length) => dilation * (length - 1) + from(source, 1, 12));
  return { kernel, planes, how: { stride, dilation, padding } };
}

const convolution: Draw = (source) => {
  const groups = one(source, [1, 1, 1, 2, 3]);
  const [input, output] = [groups * from(source, 1, 9), groups * from(source, 1, 9)];
  const { kernel, planes, how } = window(source, 5);
  const x = numbers(source, [from(source, 1, 3), input, ...planes]);
  const weight = numbers(source, [output, input / groups, ...kernel], -0.5, 0.5);
  const opCase = { inputs: { x, weight, ...withBias(source, output) }, attributes: { ...how, groups } };
  return drawSamples(source, opCase, ['x']);
};

const pooling =
  (make: (source: Random, shape: readonly number[]) => Host, more: (source: Random) => object = () => ({})): Draw =>
  (source) => {
    const { kernel, planes, how } = window(source, 4);
    const x = make(source, [from(source, 1, 3), from(source, 1, 5), ...planes]);
    const ceil = how.padding === 'same' ? {} : { ceil: source.below(2) === 0 };
    return drawSamples(source, { inputs: { x }, attributes: { ...how, ...ceil, ...more(source), kernel } });
  };

const product: Draw = (source) => {
  const [m, k, n] = [small(source) * from(source, 1, 3), small(source) * from(source, 1, 5), small(source) * 3];
  const attributes = { transposeA: source.below(2) === 0, transposeB: source.below(2) === 0 };
  const [left, right] = drawBroadcast(source, 4);
  return {
    inputs: {
      a: numbers(source, [...left.slice(0, 4), ...(attributes.transposeA ? [k, m] : [m, k])]),
      b: numbers(source, [...right.slice(0, 4), ...(attributes.transposeB ? [n, k] : [k, n])]),
    },
    attributes,
  };
};

const affine: Draw = (source) => {
  const [input, output] = [small(source) * from(source, 1, 9), small(source) * 3];
  const x = numbers(source, [...drawShape(source, 1, 3, 100), input]);
  const inputs = { x, weight: numbers(source, [output, input], -0.5, 0.5), ...withBias(source, output) };
  return drawSamples(source, { inputs, attributes: activation(source) }, ['x']);
};

const dtypes: readonly Dtype[] = ['f32', 'i32', 'u32'];
const whole = (source: Random, shape: readonly number[], dtype: Dtype): Host =>
  host(shape, positions(source, shape, 1000).data, dtype);
const moved = (source: Random, shape: readonly number[]): Host => whole(source, shape, one(source, dtypes));

/** How cases of an operation are drawn; its row in the op table says what is right. */
export const draws: { readonly [K in keyof typeof registry]?: Draw } = {
  abs: unary(),
  acos: unary(-0.95, 0.95),
  acosh: unary(1.05, 8),
  add: binary(),
  and: logic,
  argMax: (source) => along(source, (shape) => apart(source, shape)),
  argMin: (source) => along(source, (shape) => apart(source, shape)),
  asin: unary(-0.95, 0.95),
  asinh: unary(-8, 8),
  atan: unary(-8, 8),
  atanh: unary(-0.95, 0.95),
  averagePool2d: pooling(numbers, (source) => ({ countPadding: source.below(2) === 0 })),
  ceil: unary(-9, 9),
  conv2d: convolution,
  copy: unary(),
  cos: unary(-9, 9),
  cosh: unary(-4, 4),
  cumulativeSum(source) {
    const { attributes, ...rest } = along(source, (shape) => numbers(source, shape));
    return { ...rest, attributes: { ...attributes, exclusive: source.below(2) === 0, reverse: source.below(2) === 0 } };
  },
  div: binary(0.5, 2),
  equal: logic,
  erf: unary(-3, 3),
  exp: unary(-4, 4),
  floor: unary(-9, 9),
  gather(source) {
    const { inputs, attributes } = along(source, (shape) => moved(source, shape));
    const length = inputs['x']!.shape.at(attributes.axis)!;
    const room = Math.max(1, 20_000 / sizeOf(inputs['x']!.shape));
    const indices = positions(source, drawShape(source, 0, 6 - inputs['x']!.shape.length, room), length);
    return { inputs: { ...inputs, indices }, attributes };
  },
  gelu: unary(-4, 4),
  greater: binary(),
  greaterOrEqual: binary(),
  hardSwish: unary(-5, 5),
  l1: reduction((source, shape) => numbers(source, shape, 0.5, 2)),
  l2: reduction((source, shape) => numbers(source, shape, 0.5, 2)),
  less: binary(),
  lessOrEqual: binary(),
  linear: affine,
  log: unary(0.25, 4),
  logSoftmax: (source) => along(source, (shape) => numbers(source, shape, -8, 8)),
  logSumExp: reduction((source, shape) => numbers(source, shape, 4, 8)),
  lpPool2d: pooling((source, shape) => numbers(source, shape, 0.5, 2), (source) => ({ p: from(source, 1, 3) })),
  matmul: product,
  max: reduction(apart),
  maxPool2d: pooling(apart),
  maximum: binary(),
  mean: reduction((source, shape) => numbers(source, shape, 0.5, 2)),
  min: reduction(apart),
  minimum: binary(),
  mish: unary(-6, 6),
  mul: binary(),
  negate: unary(),
  not: (source) => ({ inputs: { x: truth(source, drawShape(source)) } }),
  notEqual: logic,
  or: logic,
  pad(source) {
    const { inputs, attributes, ...rest } = along(source, (shape) => numbers(source, shape));
    const length = inputs['x']!.shape.at(attributes.axis)!;
    const mode = one(source, ['constant', 'reflect', 'edge', 'wrap']);
    const most = mode === 'reflect' ? length - 1 : mode === 'wrap' ? length : 5;
    const [before, after] = [from(source, 0, Math.min(5, most)), from(source, 0, Math.min(5, most))];
    return { ...rest, inputs, attributes: { ...attributes, mode, before, after } };
  },
  reciprocal: unary(0.5, 2),
  relu: unary(),
  round: unary(-9, 9),
  sigmoid: unary(-8, 8),
  sign: unary(),
  silu: unary(-6, 6),
  sin: unary(-9, 9),
  sinh: unary(-4, 4),
  slice(source) {
    const { inputs, attributes, ...rest } = along(source, (shape) => numbers(source, shape));
    const length = inputs['x']!.shape.at(attributes.axis)!;
    const start = source.below(length);
    const step = from(source, 1, 3);
    const forward = { start, end: from(source, start + 1, length), step };
    const backward = { start, end: from(source, -1, start - 1), step: -step };
    return { ...rest, inputs, attributes: { ...attributes, ...(source.below(2) === 0 ? forward : backward) } };
  },
  softmax: (source) => along(source, (shape) => numbers(source, shape, -8, 8)),
  softplus: unary(-9, 9),
  softsign: unary(-8, 8),
  sqrt: unary(0.25, 4),
  square: unary(),
  sub: binary(),
  sum: reduction((source, shape) => numbers(source, shape, 0.5, 2)),
  sumSquare: reduction((source, shape) => numbers(source, shape, 0.5, 2)),
  tan: unary(-1.3, 1.3),
  tanh: unary(-4, 4),
  tile(source) {
    const x = numbers(source, drawShape(source, 1, 3, 500));
    return { inputs: { x }, attributes: { repeats: x.shape.map(() => from(source, 1, 3)) } };
  },
  transpose(source) {
    const x = numbers(source, drawShape(source, 1, 6, 4000));
    const opCase = drawSamples(source, { inputs: { x } });
    const axes = source.shuffle([...x.shape.keys()]);
    const permutation = opCase.samples === undefined ? axes : [0, ...axes.filter((axis) => axis !== 0)];
    return { ...opCase, attributes: { permutation } };
  },
  triangle(source) {
    const x = numbers(source, drawShape(source, 2, 5, 4000));
    return { inputs: { x }, attributes: { upper: source.below(2) === 0, diagonal: from(source, -5, 5) } };
  },
  trunc: unary(-9, 9),
  where(source) {
    const [a, b] = drawBroadcast(source, 4000);
    return { inputs: { condition: truth(source, one(source, [a, b])), a: numbers(source, a), b: numbers(source, b) } };
  },
  xor: logic,
};
