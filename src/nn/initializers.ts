import type { Initializer } from './layer.ts';

const normal =
  (variance: number): Initializer =>
  (random, size) => {
    const deviation = Math.sqrt(variance);
    return Float32Array.from({ length: size }, () => deviation * random.normal());
  };

/** Normal with variance 2 / fanIn, for layers followed by a ReLU (He et al. 2015, section 2.2). */
export const heNormal = (fanIn: number): Initializer => normal(2 / fanIn);

/** Normal with variance 1 / fanIn, for what is followed by a sigmoid or tanh (LeCun et al. 1998, section 4.6). */
export const lecunNormal = (fanIn: number): Initializer => normal(1 / fanIn);

export const zeros: Initializer = (_random, size) => new Float32Array(size);

export const ones: Initializer = (_random, size) => new Float32Array(size).fill(1);
