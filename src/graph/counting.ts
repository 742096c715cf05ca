import { codeOf } from '../kernels/kernel.ts';
import type { Kernel } from '../kernels/kernel.ts';

/** Counters of different segments stand so far apart: WebGPU's usual minStorageBufferOffsetAlignment. */
export const COUNTER_STRIDE = 256;

/** The binding behind all others of the kernel; there may be gaps between those. */
export const counterBinding = ({ storage, params, live }: Kernel): number =>
  1 + Math.max(...[...storage, ...(params ? [params] : []), ...(live ? [live] : [])].map(({ binding }) => binding));

/**
 * The kernel's code, with a counter of the invocations that reach the end of `main` while a row lives. Without one they
 * return at the first line or, where barriers or loops want them, go along and do nothing.
 */
export async function counted(kernel: Kernel): Promise<string> {
  const code = await codeOf(kernel);
  let at = code.indexOf('{', code.indexOf('fn main('));
  for (let depth = 1; depth > 0; ) {
    at++;
    if (code[at] === '{') depth++;
    else if (code[at] === '}') depth--;
  }
  // Behind everything: directives such as `enable` come first.
  const declaration = `@group(0)@binding(${counterBinding(kernel)})var<storage,read_write>reached:atomic<u32>;`;
  const count = `${kernel.live ? 'if(live.rows>0u)' : ''}{atomicAdd(&reached,1u);}`;
  return `${code.slice(0, at)}${count}\n${code.slice(at)}\n${declaration}`;
}
