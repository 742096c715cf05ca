import { ArgumentError } from '../errors.ts';

export type Toolchain = typeof import('./toolchain/kernel.mjs');

/**
 * Links and reflects WGSL; loaded when first needed, with the two packages that it stands on.
 * @throws ArgumentError where they are not installed
 */
export async function loadToolchain(): Promise<Toolchain> {
  try {
    return await import('./toolchain/kernel.mjs');
  } catch (error) {
    const [why] = (error as Error).message.split('\n');
    throw new ArgumentError(`exitgpu/custom: needs two packages; npm install wesl wgsl_reflect (${why})`, {
      cause: error,
    });
  }
}
