/** Exit criteria and exit kernels of one's own, in WGSL. Needs the packages wesl and wgsl_reflect. */
export { wgslCriterion } from './criterion.ts';
export { wgslExitKernel } from './exit-kernel.ts';
export type { ExitKernel, ExitKernelOptions } from './exit-kernel.ts';
export type { ExitValues, OwnCriterion, ParamValues } from './values.ts';
