// Every operation that users call, one line each. As a module of names and not an object, so that bundles keep only what they use.
export { adam } from './adam.ts';
export { add, div, less, maximum, minimum, mul, notLess, reluGrad, sigmoidGrad, sub, tanhGrad } from './binary.ts';
export { compactRows } from './compact-rows.ts';
export { conv2d } from './conv2d.ts';
export { crossEntropy } from './cross-entropy.ts';
export { crossEntropyGrad } from './cross-entropy-grad.ts';
export { dropout } from './dropout.ts';
export { exitCheck } from './exit-check.ts';
export { exitHead } from './exit-head.ts';
export { linear } from './linear.ts';
export { matmul } from './matmul.ts';
export { averagePool2d, maxPool2d } from './pool2d.ts';
export { max, mean, min, sum } from './reduce.ts';
export { reshape } from './reshape.ts';
export { sgd } from './sgd.ts';
export { softmax } from './softmax.ts';
export { abs, copy, exp, log, negate, reciprocal, relu, scale, sigmoid, sign, sqrt, square, tanh } from './unary.ts';
