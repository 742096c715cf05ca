// Every operation that users call, one line each. As a module of names and not an object, so that bundles keep only what they use.
export { accumulate } from './accumulate.ts';
export {
  celu, clip, elu, gelu, hardSigmoid, hardSwish, leakyRelu, mish, selu, silu, softplus, softsign, thresholdedRelu,
} from './activations.ts';
export { adam } from './adam.ts';
export { argMax, argMin } from './arg-reduce.ts';
export { attention } from './attention.ts';
export { attentionScores, attentionWeights } from './attention-weights.ts';
export { augment } from './augment.ts';
export { batchNorm } from './batch-norm.ts';
export { batchNormTraining } from './batch-norm-training.ts';
export {
  add, div, maximum, minimum, mod, mul, pow, prelu, reluGrad, sigmoidGrad, sub, tanhGrad,
} from './binary.ts';
export { and, equal, greater, greaterOrEqual, less, lessOrEqual, notEqual, or, xor } from './compare.ts';
export { cacheAppend } from './cache-append.ts';
export { compactRows } from './compact-rows.ts';
export { concat, concatAll } from './concat.ts';
export { cast, isInfinite, isNaN, not } from './convert.ts';
export { conv2d } from './conv2d.ts';
export { convTranspose2d } from './conv-transpose2d.ts';
export { crossEntropy, meanOfCrossEntropies } from './cross-entropy.ts';
export { crossEntropyGrad } from './cross-entropy-grad.ts';
export { cumulativeProduct, cumulativeSum } from './cumulative.ts';
export { depthToSpace, spaceToDepth } from './depth-space.ts';
export { dropout } from './dropout.ts';
export { binaryCrossEntropy, huber, meanSquaredError } from './element-losses.ts';
export { embedding } from './embedding.ts';
export { exitCheck } from './exit-check.ts';
export { exitHead } from './exit-head.ts';
export { exitHistogram } from './exit-histogram.ts';
export { expand } from './expand.ts';
export { gather, gatherElements } from './gather.ts';
export { gemm } from './gemm.ts';
export { gradientScale } from './gradient-scale.ts';
export { klDivergence } from './kl-divergence.ts';
export { labelWeights } from './label-weights.ts';
export { linear } from './linear.ts';
export { localResponseNorm } from './local-response-norm.ts';
export { lpNormalize } from './lp-normalize.ts';
export { matmul } from './matmul.ts';
export { nll } from './nll.ts';
export { oneHot } from './one-hot.ts';
export { pad } from './pad.ts';
export { averagePool2d, lpPool2d, maxPool2d, maxPool2dIndices } from './pool2d.ts';
export { randomNormal, randomUniform } from './random-fill.ts';
export { range } from './range.ts';
export { l1, l2, logSum, logSumExp, max, mean, min, prod, sum, sumSquare } from './reduce.ts';
export { flatten, reshape, squeeze, unsqueeze } from './reshape.ts';
export { rotaryEmbedding } from './rotary-embedding.ts';
export { groupNorm, instanceNorm, layerNorm, rmsNorm } from './row-normalization.ts';
export { updateRunningStatistics } from './running-statistics.ts';
export { scatterAdd, scatterAddElements } from './scatter-add.ts';
export { sgd } from './sgd.ts';
export { slice } from './slice.ts';
export { logSoftmax, softmax } from './softmax.ts';
export { confidence, entropy, margin } from './softmax-measures.ts';
export { split } from './split.ts';
export { tile } from './tile.ts';
export { topK } from './top-k.ts';
export { transpose } from './transpose.ts';
export { triangle } from './triangle.ts';
export { acos, acosh, asin, asinh, atan, atanh, cos, cosh, sin, sinh, tan } from './trigonometry.ts';
export {
  abs, ceil, copy, erf, exp, floor, log, negate, reciprocal, relu, round, scale, sigmoid, sign, sqrt, square, tanh, trunc,
} from './unary.ts';
export { where } from './where.ts';
export { averagePool1d, conv1d, convTranspose1d, maxPool1d } from './window1d.ts';
export { averagePool3d, conv3d, maxPool3d } from './window3d.ts';
