import type { Operand } from '../../kernels/define.ts';
import * as ops from '../../kernels/registry.ts';
import { float, fromFirst } from '../node.ts';
import type { Mappings, NodeReader, OnnxValue } from '../node.ts';

function batchNormalization(n: NodeReader): OnnxValue {
  if (n.flag('training_mode') || n.outputs > 1) n.reject('statistics of the batch: only the stored ones are mapped');
  const [x, scale, shift, mean, variance] = n.all as [Operand, Operand, Operand, Operand, Operand];
  return n.like(0, ops.batchNorm({ x, scale, shift, mean, variance }, { epsilon: n.number('epsilon', 1e-5) }));
}

/** Optionally with the mean and the reciprocal of the standard deviation of each row, which have length 1 along its axes. */
function layerNormalization(n: NodeReader): OnnxValue[] {
  const x = n.at(0);
  const axis = fromFirst(n.number('axis', -1), x.shape.length);
  const epsilon = n.number('epsilon', 1e-5);
  const bias = n.maybe(2);
  const y = ops.layerNorm({ x, scale: n.at(1), ...(bias && { bias }) }, { axis, epsilon });
  if (n.outputs === 1) return [n.like(0, y)];
  const over = { axes: [...x.shape.keys()].slice(axis), keepDims: true };
  const mean = ops.mean({ x }, over);
  const variance = ops.mean({ x: ops.square({ x: ops.sub({ a: x, b: mean }) }) }, over);
  const inverse = ops.reciprocal({ x: ops.sqrt({ x: ops.scale({ x: variance }, { by: 1, plus: epsilon }) }) });
  return [n.like(0, y), float(mean), float(inverse)];
}

export const normalizations: Mappings = {
  BatchNormalization: batchNormalization,
  GroupNormalization: (n) => {
    if (n.opset < 21) n.reject('before operator set 21 scale and bias are of groups: only those of channels are mapped');
    const [x, scale, bias] = n.all as [Operand, Operand, Operand];
    const attributes = { groups: n.number('num_groups', 1), epsilon: n.number('epsilon', 1e-5) };
    return n.like(0, ops.groupNorm({ x, scale, bias }, attributes));
  },
  InstanceNormalization: (n) => {
    const [x, scale, bias] = n.all as [Operand, Operand, Operand];
    return n.like(0, ops.instanceNorm({ x, scale, bias }, { epsilon: n.number('epsilon', 1e-5) }));
  },
  LRN: (n) => {
    const attributes = {
      size: n.number('size', 1),
      alpha: n.number('alpha', 1e-4),
      beta: n.number('beta', 0.75),
      k: n.number('bias', 1),
    };
    return n.like(0, ops.localResponseNorm({ x: n.at(0) }, attributes));
  },
  LayerNormalization: layerNormalization,
  LpNormalization: (n) => {
    const attributes = { axis: n.number('axis', -1), p: n.number('p', 2) };
    return n.like(0, ops.lpNormalize({ x: n.at(0) }, attributes));
  },
  RMSNormalization: (n) => {
    const attributes = { axis: n.number('axis', -1), epsilon: n.number('epsilon', 1e-5) };
    return n.like(0, ops.rmsNorm({ x: n.at(0), scale: n.at(1) }, attributes));
  },
};
