// Every operation, one line each. As a module of names and not an object, so that bundles keep only what they use.
export { adam } from './adam.ts';
export { compact } from './compact.ts';
export { crossEntropy } from './cross-entropy.ts';
export { crossEntropyGrad } from './cross-entropy-grad.ts';
export { dropout } from './dropout.ts';
export { exitCheck } from './exit-check.ts';
export { gatherRows } from './gather-rows.ts';
export { reshape } from './reshape.ts';
export { sgd } from './sgd.ts';
