import type * as registry from '../src/kernels/registry.ts';
import type { OpRow, OpStory } from './op-table.ts';
import {
  attentionRow,
  attentionScoresRow,
  attentionWeightsRow,
  cacheAppendStory,
  rotaryEmbeddingRow,
} from './ops/attention.ts';
import { binaryRows, compareRows, whereRow } from './ops/binary.ts';
import { convTranspose2dRow } from './ops/conv-transpose2d.ts';
import { conv2dRow } from './ops/conv2d.ts';
import { convertRows } from './ops/convert.ts';
import { cumulativeProductRow, cumulativeSumRow } from './ops/cumulative.ts';
import {
  binaryCrossEntropyRow, crossEntropyGradRow, crossEntropyRow, huberRow, labelWeightsRow, meanOfCrossEntropiesRow,
  meanSquaredErrorRow, nllRow,
} from './ops/losses.ts';
import { confidenceRow, entropyRow, klDivergenceRow, marginRow } from './ops/measures.ts';
import { randomNormalRow, randomUniformRow } from './ops/fills.ts';
import {
  depthToSpaceRow,
  expandRow,
  flattenRow,
  spaceToDepthRow,
  squeezeRow,
  tileRow,
  transposeRow,
  triangleRow,
  unsqueezeRow,
} from './ops/layouts.ts';
import { concatRow, padRow, sliceRow } from './ops/moves.ts';
import {
  batchNormRow,
  groupNormRow,
  instanceNormRow,
  layerNormRow,
  localResponseNormRow,
  lpNormalizeRow,
  rmsNormRow,
} from './ops/normalization.ts';
import { accumulateStory, adamStory, sgdStory } from './ops/optimizers.ts';
import {
  embeddingRow,
  gatherElementsRow,
  gatherRow,
  oneHotRow,
  scatterAddElementsRow,
  scatterAddRow,
} from './ops/picks.ts';
import { averagePool2dRow, lpPool2dRow, maxPool2dIndicesRow, maxPool2dRow } from './ops/pool2d.ts';
import { gemmRow, linearRow, matmulRow } from './ops/products.ts';
import { reduceRows } from './ops/reduce.ts';
import { dropoutRow, logSoftmaxRow, reshapeRow, softmaxRow } from './ops/rows.ts';
import { argMaxRow, argMinRow } from './ops/selection.ts';
import { unaryRows } from './ops/unary.ts';
import { averagePool1dRow, conv1dRow, convTranspose1dRow, maxPool1dRow } from './ops/window1d.ts';
import { averagePool3dRow, conv3dRow, maxPool3dRow } from './ops/window3d.ts';

/** Has a test file of its own. */
interface Elsewhere {
  readonly testedIn: string;
}
const batchStatistics: Elsewhere = { testedIn: 'kernels/batch-norm.gpu.test.ts' };
const moves: Elsewhere = { testedIn: 'kernels/moves.gpu.test.ts' };
const exits: Elsewhere = { testedIn: 'earlyexit/exit-check.gpu.test.ts' };

/** One row per operation: leaving one out does not compile. */
export const table: { readonly [K in keyof typeof registry]: OpRow | OpStory | Elsewhere } = {
  ...binaryRows,
  ...compareRows,
  ...convertRows,
  ...reduceRows,
  ...unaryRows,
  accumulate: accumulateStory,
  adam: adamStory,
  augment: { testedIn: 'kernels/augment.gpu.test.ts' },
  argMax: argMaxRow,
  argMin: argMinRow,
  attention: attentionRow,
  attentionScores: attentionScoresRow,
  attentionWeights: attentionWeightsRow,
  averagePool1d: averagePool1dRow,
  averagePool2d: averagePool2dRow,
  averagePool3d: averagePool3dRow,
  batchNorm: batchNormRow,
  batchNormTraining: batchStatistics,
  cacheAppend: cacheAppendStory,
  compactRows: exits,
  concat: concatRow,
  concatAll: moves,
  confidence: confidenceRow,
  conv1d: conv1dRow,
  conv2d: conv2dRow,
  conv3d: conv3dRow,
  convTranspose1d: convTranspose1dRow,
  convTranspose2d: convTranspose2dRow,
  crossEntropy: crossEntropyRow,
  crossEntropyGrad: crossEntropyGradRow,
  cumulativeProduct: cumulativeProductRow,
  cumulativeSum: cumulativeSumRow,
  depthToSpace: depthToSpaceRow,
  meanOfCrossEntropies: meanOfCrossEntropiesRow,
  binaryCrossEntropy: binaryCrossEntropyRow,
  huber: huberRow,
  meanSquaredError: meanSquaredErrorRow,
  nll: nllRow,
  dropout: dropoutRow,
  embedding: embeddingRow,
  entropy: entropyRow,
  exitCheck: exits,
  exitHead: { testedIn: 'earlyexit/exit-check-variants.gpu.test.ts' },
  exitHistogram: { testedIn: 'earlyexit/exit-histogram.gpu.test.ts' },
  expand: expandRow,
  flatten: flattenRow,
  gather: gatherRow,
  gatherElements: gatherElementsRow,
  gemm: gemmRow,
  groupNorm: groupNormRow,
  gradientScale: { testedIn: 'kernels/gradient-scale.gpu.test.ts' },
  instanceNorm: instanceNormRow,
  klDivergence: klDivergenceRow,
  labelWeights: labelWeightsRow,
  layerNorm: layerNormRow,
  linear: linearRow,
  localResponseNorm: localResponseNormRow,
  logSoftmax: logSoftmaxRow,
  lpPool2d: lpPool2dRow,
  lpNormalize: lpNormalizeRow,
  margin: marginRow,
  matmul: matmulRow,
  maxPool1d: maxPool1dRow,
  maxPool2d: maxPool2dRow,
  maxPool2dIndices: maxPool2dIndicesRow,
  maxPool3d: maxPool3dRow,
  oneHot: oneHotRow,
  pad: padRow,
  randomNormal: randomNormalRow,
  randomUniform: randomUniformRow,
  range: moves,
  reshape: reshapeRow,
  scatterAdd: scatterAddRow,
  scatterAddElements: scatterAddElementsRow,
  rmsNorm: rmsNormRow,
  rotaryEmbedding: rotaryEmbeddingRow,
  sgd: sgdStory,
  slice: sliceRow,
  softmax: softmaxRow,
  spaceToDepth: spaceToDepthRow,
  split: moves,
  squeeze: squeezeRow,
  tile: tileRow,
  transpose: transposeRow,
  triangle: triangleRow,
  unsqueeze: unsqueezeRow,
  topK: { testedIn: 'kernels/top-k.gpu.test.ts' },
  updateRunningStatistics: batchStatistics,
  where: whereRow,
};
