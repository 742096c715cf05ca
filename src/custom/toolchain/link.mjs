import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { linkRegistry, parseSrcModule, withLoggerAsync } from 'wesl/core';
import { root } from '../run.mjs';

const library = join(root, 'src/kernels/wgsl/lib');

// WESL prints a picture of the source beside throwing; the one line made of the error is enough.
void withLoggerAsync(
  () => {},
  () => new Promise(() => {}),
);

/** What is wrong with a kernel, one line each: `src/kernels/wgsl/softmax.wgsl:12: what`. */
export class KernelError extends Error {
  name = 'KernelError';
}

/**
 * @typedef {object} Linked
 * @property {string} opening the comment that the file opens with, without slashes
 * @property {string} wgsl plain WGSL: the file and what it imports, without comments
 * @property {(node?: { start: number }) => string} locate `file:line` of what starts there in `wgsl`; none: line 1
 */

/** A linker that parses each file once. `import package::lib::float_bits::x` finds lib/float-bits.wgsl. */
export function createLinker() {
  const parsed = new Map();

  function parse(file, modulePath) {
    if (!parsed.has(file)) {
      const src = readFileSync(file, 'utf8');
      parsed.set(file, parseSrcModule({ modulePath, debugFilePath: file, src }, { keepComments: false }));
    }
    return parsed.get(file);
  }

  /**
   * @param {string} file
   * @param {string} [condition] the one name that is true in `@if(name)`
   * @returns {Linked}
   */
  return function link(file, condition) {
    const resolveModule = (modulePath) => {
      if (modulePath === 'package::main') return parse(file, modulePath);
      const [, folder, name] = modulePath.split('::');
      const libraryFile = join(library, `${name?.replaceAll('_', '-')}.wgsl`);
      return folder === 'lib' && existsSync(libraryFile) ? parse(libraryFile, modulePath) : undefined;
    };
    try {
      const conditions = condition ? { [condition]: true } : {};
      const map = linkRegistry({ resolver: { resolveModule }, rootModuleName: 'package::main', conditions });
      const locate = (node) => {
        if (!node) return place(file, '', 0);
        const { src, position } = map.destToSrc(node.start);
        return place(src.path ?? file, src.text, position);
      };
      return { opening: openingComment(parse(file).srcModule.src), wgsl: map.dest.text, locate };
    } catch (error) {
      throw new KernelError(explain(error, file));
    }
  };
}

function openingComment(source) {
  const lines = source.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  return lines
    .slice(0, end)
    .map((line) => line.slice(2).trim())
    .join('\n');
}

/** The first line of what WESL says; the rest is a picture of the source. */
function explain(error, file) {
  if (error.diagnostics) {
    const [{ message, start }] = error.diagnostics;
    return `${place(error.src.debugFilePath, error.src.src, start)}: ${message}`;
  }
  const { file: path, line } = error.weslLocation ?? { file, line: 1 };
  return `${shorten(path)}:${line}: ${error.message.split('\n')[0].replace(/ in file: .*/, '')}`;
}

const place = (path, text, position) => `${shorten(path)}:${text.slice(0, position).split('\n').length}`;

/** A path as messages show it. */
export function shorten(path) {
  const inside = relative(root, path);
  return inside.startsWith('..') ? path : inside;
}
