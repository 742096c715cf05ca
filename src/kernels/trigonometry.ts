import { curve } from './unary-grad.ts';

/** Sine of x radians, of any size; NaN of both infinities. */
export const sin = curve('sin', { code: 29 });

/** Cosine of x radians, of any size; NaN of both infinities. */
export const cos = curve('cos', { code: 30 });

/** Tangent of x radians, of any size; NaN of both infinities. */
export const tan = curve('tan', { code: 31 });

/** Inverse sine, in radians; NaN beyond -1 and 1, where the gradient is infinite. */
export const asin = curve('asin', { code: 32 });

/** Inverse cosine, in radians; NaN beyond -1 and 1, where the gradient is infinite. */
export const acos = curve('acos', { code: 33 });

/** Inverse tangent, in radians. */
export const atan = curve('atan', { code: 34 });

/** `(e^x - e^-x) / 2` */
export const sinh = curve('sinh', { code: 35 });

/** `(e^x + e^-x) / 2` */
export const cosh = curve('cosh', { code: 36 });

/** Inverse hyperbolic sine. */
export const asinh = curve('asinh', { code: 37 });

/** Inverse hyperbolic cosine; NaN below 1, where the gradient is infinite. */
export const acosh = curve('acosh', { code: 38 });

/** Inverse hyperbolic tangent; infinite at -1 and 1, NaN beyond. */
export const atanh = curve('atanh', { code: 39 });
