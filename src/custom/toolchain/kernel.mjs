import { KernelError } from './link.mjs';
import { minify } from './minify.mjs';
import { describe, reflect } from './reflect.mjs';
import { complaints } from './rules.mjs';

export { createLinker, declarations, KernelError, quietly } from './link.mjs';

/**
 * Links one kernel, checks it against the rules, and says what it binds.
 * @param {ReturnType<import('./link.mjs').createLinker>} link
 * @param {import('./link.mjs').Source} source
 * @param {{ name: string, conditions?: Record<string, boolean>, except?: readonly string[] }} options
 * `except`: rules that are not asked
 * @returns {import('./kernel.d.mts').LinkedKernel}
 * @throws KernelError with a line `path:line: what` for each thing that is wrong
 */
export function linkKernel(link, source, { name, conditions, except }) {
  const linked = link(source, conditions);
  const reflected = reflect(linked);
  const wrong = complaints(linked, reflected, except);
  if (wrong.length > 0) throw new KernelError(wrong.join('\n'));
  const { wgsl, opening, locate } = linked;
  return { name, code: minify(wgsl), wgsl, opening, locate, ...describe(reflected) };
}

/**
 * The conditions, one at a time, for which a source also makes a kernel: those of a line `variants: i32` in its
 * opening.
 * @param {string} opening
 * @returns {string[]}
 */
export function variantsOf(opening) {
  const [, conditions = ''] = /^variants:(.*)$/m.exec(opening) ?? [];
  return conditions.match(/\w+/g) ?? [];
}

/** Whether a line `storage: f32 or f16` of an opening says that the source also makes a kernel with the condition f16. */
export const storesHalf = (opening) => /^storage:.*\bf16\b/m.test(opening);
