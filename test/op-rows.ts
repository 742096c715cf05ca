import type * as registry from '../src/kernels/registry.ts';
import type { OpRow, OpStory } from './op-table.ts';
import { binaryRows } from './ops/binary.ts';
import { conv2dRow } from './ops/conv2d.ts';
import { crossEntropyGradRow, crossEntropyRow, labelWeightsRow, meanOfCrossEntropiesRow } from './ops/losses.ts';
import { confidenceRow, entropyRow, klDivergenceRow, marginRow } from './ops/measures.ts';
import { concatRow, padRow, sliceRow } from './ops/moves.ts';
import { batchNormRow, localResponseNormRow } from './ops/normalization.ts';
import { accumulateStory, adamStory, sgdStory } from './ops/optimizers.ts';
import { averagePool2dRow, maxPool2dRow } from './ops/pool2d.ts';
import { linearRow, matmulRow } from './ops/products.ts';
import { reduceRows } from './ops/reduce.ts';
import { dropoutRow, reshapeRow, softmaxRow } from './ops/rows.ts';
import { unaryRows } from './ops/unary.ts';

/** Has a test file of its own. */
interface Elsewhere {
  readonly testedIn: string;
}
const batchStatistics: Elsewhere = { testedIn: 'kernels/batch-norm.gpu.test.ts' };
const exits: Elsewhere = { testedIn: 'earlyexit/exit-check.gpu.test.ts' };

/** One row per operation: leaving one out does not compile. */
export const table: { readonly [K in keyof typeof registry]: OpRow | OpStory | Elsewhere } = {
  ...binaryRows,
  ...reduceRows,
  ...unaryRows,
  accumulate: accumulateStory,
  adam: adamStory,
  augment: { testedIn: 'kernels/augment.gpu.test.ts' },
  averagePool2d: averagePool2dRow,
  batchNorm: batchNormRow,
  batchNormTraining: batchStatistics,
  compactRows: exits,
  concat: concatRow,
  confidence: confidenceRow,
  conv2d: conv2dRow,
  crossEntropy: crossEntropyRow,
  crossEntropyGrad: crossEntropyGradRow,
  meanOfCrossEntropies: meanOfCrossEntropiesRow,
  dropout: dropoutRow,
  entropy: entropyRow,
  exitCheck: exits,
  exitHead: { testedIn: 'earlyexit/exit-check-variants.gpu.test.ts' },
  exitHistogram: { testedIn: 'earlyexit/exit-histogram.gpu.test.ts' },
  gradientScale: { testedIn: 'kernels/gradient-scale.gpu.test.ts' },
  klDivergence: klDivergenceRow,
  labelWeights: labelWeightsRow,
  linear: linearRow,
  localResponseNorm: localResponseNormRow,
  margin: marginRow,
  matmul: matmulRow,
  maxPool2d: maxPool2dRow,
  pad: padRow,
  reshape: reshapeRow,
  sgd: sgdStory,
  slice: sliceRow,
  softmax: softmaxRow,
  updateRunningStatistics: batchStatistics,
};
