import type { Activation } from '../../src/kernels/activation.ts';

export const activations: Readonly<Record<Activation, (value: number) => number>> = {
  none: (value) => value,
  relu: (value) => Math.max(value, 0),
  sigmoid: (value) => 1 / (1 + Math.exp(-value)),
  tanh: Math.tanh,
};
