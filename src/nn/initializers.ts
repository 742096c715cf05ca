import type { Initializer } from './layer.ts';

/** Normal with variance 2 / fanIn, for layers followed by a ReLU (He et al. 2015, section 2.2). */
export const heNormal =
  (fanIn: number): Initializer =>
  (random, size) => {
    const deviation = Math.sqrt(2 / fanIn);
    return Float32Array.from({ length: size }, () => deviation * random.normal());
  };

export const zeros: Initializer = (_random, size) => new Float32Array(size);

export const ones: Initializer = (_random, size) => new Float32Array(size).fill(1);
