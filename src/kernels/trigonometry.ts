import { unary } from './unary-family.ts';

/** Sine of x radians, of any size; NaN of both infinities. */
export const sin = unary('sin', { code: 29 });

/** Cosine of x radians, of any size; NaN of both infinities. */
export const cos = unary('cos', { code: 30 });

/** Tangent of x radians, of any size; NaN of both infinities. */
export const tan = unary('tan', { code: 31 });

/** Inverse sine, in radians; NaN beyond -1 and 1, where the gradient is infinite. */
export const asin = unary('asin', { code: 32 });

/** Inverse cosine, in radians; NaN beyond -1 and 1, where the gradient is infinite. */
export const acos = unary('acos', { code: 33 });

/** Inverse tangent, in radians. */
export const atan = unary('atan', { code: 34 });

/** `(e^x - e^-x) / 2` */
export const sinh = unary('sinh', { code: 35 });

/** `(e^x + e^-x) / 2` */
export const cosh = unary('cosh', { code: 36 });

/** Inverse hyperbolic sine. */
export const asinh = unary('asinh', { code: 37 });

/** Inverse hyperbolic cosine; NaN below 1, where the gradient is infinite. */
export const acosh = unary('acosh', { code: 38 });

/** Inverse hyperbolic tangent; infinite at -1 and 1, NaN beyond. */
export const atanh = unary('atanh', { code: 39 });
