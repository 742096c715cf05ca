import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createLinker } from '../../src/custom/toolchain/kernel.mjs';
import { root } from '../run.mjs';

export const library = join(root, 'src/kernels/wgsl/lib');

/** @returns {import('../../src/custom/toolchain/kernel.d.mts').Source} */
export const sourceOf = (file) => ({ path: shorten(file), text: readFileSync(file, 'utf8') });

/** A linker of files: `import package::lib::float_bits::x` finds lib/float-bits.wgsl. */
export function createFileLinker() {
  return createLinker((modulePath) => {
    const [, folder, name] = modulePath.split('::');
    const file = join(library, `${name?.replaceAll('_', '-')}.wgsl`);
    return folder === 'lib' && existsSync(file) ? sourceOf(file) : undefined;
  });
}

/** A path as messages show it. */
export function shorten(path) {
  const inside = relative(root, path);
  return inside.startsWith('..') ? path : inside;
}
