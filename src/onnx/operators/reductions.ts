import type { Operand, Value } from '../../kernels/define.ts';
import type { ReduceAttributes } from '../../kernels/reduce.ts';
import * as ops from '../../kernels/registry.ts';
import { indices } from '../node.ts';
import type { Mapping, Mappings, NodeReader } from '../node.ts';

/** Axes were an attribute until operator set 17, and are a known input since. */
function attributesOf(n: NodeReader): ReduceAttributes {
  const axes = n.numbersOf('axes', 1) ?? [];
  // Over no axes, what is not adding up is still done.
  const all = axes.length === 0 && !n.flag('noop_with_empty_axes');
  return { keepDims: n.flag('keepdims', true), ...(!all && { axes }) };
}

const reduction =
  (op: (inputs: { x: Operand }, attributes?: ReduceAttributes) => Value): Mapping =>
  (n) =>
    n.like(0, op({ x: n.at(0) }, attributesOf(n)));

const extreme =
  (op: typeof ops.argMax): Mapping =>
  (n) => {
    const attributes = {
      axis: n.number('axis', 0),
      keepDims: n.flag('keepdims', true),
      last: n.flag('select_last_index'),
    };
    return indices(op({ x: n.at(0) }, attributes));
  };

const cumulative =
  (op: typeof ops.cumulativeSum): Mapping =>
  (n) => {
    const [axis] = n.numbers(1);
    const attributes = { axis: axis!, exclusive: n.flag('exclusive'), reverse: n.flag('reverse') };
    return n.like(0, op({ x: n.at(0) }, attributes));
  };

const planes = (n: NodeReader): number[] => [...n.at(0).shape.keys()].slice(2);

/** Until operator set 12 over all axes from the given one on, as if they were one. */
const normalized =
  (op: typeof ops.softmax): Mapping =>
  (n) => {
    const x = n.at(0);
    if (n.opset >= 13) return n.like(0, op({ x }, { axis: n.number('axis', -1) }));
    const flat = ops.flatten({ x }, { axis: n.number('axis', 1) });
    return n.like(0, ops.reshape({ x: op({ x: flat }, { axis: 1 }) }, { shape: x.shape }));
  };

export const reductions: Mappings = {
  ArgMax: extreme(ops.argMax),
  ArgMin: extreme(ops.argMin),
  CumProd: cumulative(ops.cumulativeProduct),
  CumSum: cumulative(ops.cumulativeSum),
  GlobalAveragePool: (n) => n.like(0, ops.mean({ x: n.at(0) }, { axes: planes(n), keepDims: true })),
  GlobalMaxPool: (n) => n.like(0, ops.max({ x: n.at(0) }, { axes: planes(n), keepDims: true })),
  LogSoftmax: normalized(ops.logSoftmax),
  ReduceL1: reduction(ops.l1),
  ReduceL2: reduction(ops.l2),
  ReduceLogSum: reduction(ops.logSum),
  ReduceLogSumExp: reduction(ops.logSumExp),
  ReduceMax: reduction(ops.max),
  ReduceMean: reduction(ops.mean),
  ReduceMin: reduction(ops.min),
  ReduceProd: reduction(ops.prod),
  ReduceSum: reduction(ops.sum),
  ReduceSumSquare: reduction(ops.sumSquare),
  Softmax: normalized(ops.softmax),
  TopK: (n) => {
    const [k] = n.numbers(1);
    const { values, indices: at } = ops.topK({ x: n.at(0) }, {
      axis: n.number('axis', -1),
      k: k!,
      smallest: !n.flag('largest', true),
    });
    return [n.like(0, values), indices(at)];
  },
};
