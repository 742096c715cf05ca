import { ArgumentError } from '../errors.ts';
import { activationCode } from './activation.ts';
import { curve } from './unary-grad.ts';

// At -Inf those that fall to 0 give this limit, not the Inf * 0 of their formulas.

/** `x sigmoid(x)`, also called swish. */
export const silu = curve('silu', { code: activationCode.silu });

export interface GeluAttributes {
  /** `none`, or where left out: by `erf`; `tanh`: `x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`. */
  readonly approximate?: 'none' | 'tanh';
}

/** `x / 2 (1 + erf(x / sqrt(2)))`: x times the distribution of the standard normal. */
export const gelu = curve<GeluAttributes>('gelu', {
  code({ approximate = 'none' }) {
    if (approximate === 'none') return activationCode.gelu;
    if (approximate === 'tanh') return activationCode.geluTanh;
    throw new ArgumentError(`gelu: expected approximate none or tanh, got ${approximate as string}`);
  },
});

/** `x max(0, min(1, x / 6 + 1 / 2))` */
export const hardSwish = curve('hard-swish', { code: activationCode.hardSwish });

/** `ln(1 + e^x)`, without overflow. */
export const softplus = curve('softplus', { code: 41 });

/** `x / (1 + |x|)` */
export const softsign = curve('softsign', { code: 42 });

/** `x tanh(softplus(x))` */
export const mish = curve('mish', { code: 43 });

export interface AlphaAttributes {
  readonly alpha?: number;
}

/** `x` where it is positive, else `alpha (e^x - 1)`; alpha is 1 where left out. */
export const elu = curve<AlphaAttributes>('elu', { code: 44, numbers: ({ alpha = 1 }) => [alpha, 1] });

export interface SeluAttributes {
  readonly alpha?: number;
  readonly gamma?: number;
}

/**
 * `gamma x` where x is positive, else `gamma alpha (e^x - 1)`. Where left out, alpha and gamma are those which keep
 * mean 0 and variance 1 (Klambauer et al. 2017, "Self-normalizing neural networks").
 */
export const selu = curve<SeluAttributes>('selu', {
  code: 44,
  numbers: ({ alpha = 1.6732632423543772, gamma = 1.0507009873554805 }) => [alpha, gamma],
});

/** `x` where it is positive, else `alpha (e^(x / alpha) - 1)`; alpha is 1 where left out. */
export const celu = curve<AlphaAttributes>('celu', {
  code: 45,
  numbers({ alpha = 1 }) {
    if (alpha === 0) throw new ArgumentError('celu: expected an alpha other than 0');
    return [alpha];
  },
});

/** `x` where it is positive, else `alpha x`; alpha is 0.01 where left out. The gradient at 0 is 1. */
export const leakyRelu = curve<AlphaAttributes>('leaky-relu', {
  code: 46,
  numbers: ({ alpha = 0.01 }) => [alpha],
});

export interface HardSigmoidAttributes {
  readonly alpha?: number;
  readonly beta?: number;
}

/** `max(0, min(1, alpha x + beta))`; alpha is 0.2 and beta 0.5 where left out. */
export const hardSigmoid = curve<HardSigmoidAttributes>('hard-sigmoid', {
  code: 47,
  numbers: ({ alpha = 0.2, beta = 0.5 }) => [alpha, beta],
});

/** `x` where it is greater than alpha, which is 1 where left out, else 0. */
export const thresholdedRelu = curve<AlphaAttributes>('thresholded-relu', {
  code: 48,
  numbers: ({ alpha = 1 }) => [alpha],
});

export interface ClipAttributes {
  /** No bound where left out. */
  readonly min?: number;
  /** No bound where left out. */
  readonly max?: number;
}

/** `min(max(x, min), max)`, so `max` where the bounds cross. The gradient is 1 from bound to bound, 0 beyond. */
export const clip = curve<ClipAttributes>('clip', {
  code: 49,
  numbers: ({ min = -Infinity, max = Infinity }) => [min, max],
});
