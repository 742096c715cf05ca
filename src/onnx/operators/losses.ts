import type { Operand, Value } from '../../kernels/define.ts';
import { meanNll } from '../../kernels/nll.ts';
import * as ops from '../../kernels/registry.ts';
import { sizeOf } from '../../tensor/spec.ts';
import { float, lengthOf } from '../node.ts';
import type { Mappings, NodeReader, OnnxValue } from '../node.ts';

/** Classes on axis 1, all behind it as one: operations take up to 6 axes. */
const flatBehindClasses = (x: Operand): Operand => {
  const [samples, classes, ...behind] = x.shape as [number, number, ...number[]];
  return ops.reshape({ x }, { shape: [samples, classes, sizeOf(behind)] });
};

/** The loss of log probabilities, reduced; a mean is weighted by the weights of the classes, and leaves out what is ignored. */
function reduced(n: NodeReader, logProbabilities: Operand): OnnxValue {
  const label = n.at(1);
  const weight = n.maybe(2);
  const ignore = n.node.attributes['ignore_index'];
  const attributes = typeof ignore === 'number' ? { ignore } : {};
  const [samples] = label.shape as [number];
  const flatLabel = ops.reshape({ x: label }, { shape: [samples, lengthOf(label) / samples] });
  const inputs = { x: logProbabilities, label: flatLabel, ...(weight && { weight }) };
  const losses = (): Value => ops.nll(inputs, attributes);
  switch (n.text('reduction', 'mean', 'sum', 'none')) {
    case 'none':
      return float(ops.reshape({ x: losses() }, { shape: label.shape }));
    case 'sum':
      return float(ops.sum({ x: losses() }));
    case 'mean':
      return float(meanNll(inputs, attributes));
  }
}

export const losses: Mappings = {
  NegativeLogLikelihoodLoss: (n) => reduced(n, flatBehindClasses(n.at(0))),
  SoftmaxCrossEntropyLoss: (n) => {
    const x = n.at(0);
    const logProbabilities = ops.logSoftmax({ x: flatBehindClasses(x) }, { axis: 1 });
    const loss = reduced(n, logProbabilities);
    return n.outputs === 1 ? loss : [loss, float(ops.reshape({ x: logProbabilities }, { shape: x.shape }))];
  },
};
