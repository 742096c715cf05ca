import { linkRegistry, parseSrcModule, throwOnParseError, withLoggerAsync } from 'wesl/core';

/** What is wrong with WGSL, one line each: `src/kernels/wgsl/softmax.wgsl:12: what`. */
export class KernelError extends Error {
  name = 'KernelError';
}

/** WESL prints a picture of the source beside throwing; the one line made of the error is enough. */
export const quietly = (work) => withLoggerAsync(() => {}, async () => work());

/**
 * @typedef {object} Source
 * @property {string} path as messages show it; of two sources with the same path one is parsed
 * @property {string} text WGSL with WESL's imports and conditions
 */

/**
 * @typedef {object} Linked
 * @property {string} opening the comment that the source opens with, without slashes
 * @property {string} wgsl plain WGSL: the source and what it imports, without comments
 * @property {(node?: { start: number }) => string} locate `path:line` of what starts there in `wgsl`; none: line 1
 */

/**
 * A linker that parses each source once.
 * @param {(modulePath: string) => Source | undefined} find where `package::lib::float_bits` is, for those who import
 *   from it
 */
export function createLinker(find) {
  const parsed = new Map();

  function parse({ path, text }, modulePath) {
    if (!parsed.has(path)) {
      const module = { modulePath, debugFilePath: path, src: text };
      parsed.set(path, parseSrcModule(module, { keepComments: false }));
    }
    return parsed.get(path);
  }

  /**
   * @param {Source} main
   * @param {Record<string, boolean>} [conditions] the names that are true in `@if(name)`
   * @returns {Linked}
   */
  return function link(main, conditions = {}) {
    const resolveModule = (modulePath) => {
      const source = modulePath === 'package::main' ? main : find(modulePath);
      return source && parse(source, modulePath);
    };
    try {
      const map = linkRegistry({ resolver: { resolveModule }, rootModuleName: 'package::main', conditions });
      const locate = (node) => {
        if (!node) return place(main.path, '', 0);
        const { src, position } = map.destToSrc(node.start);
        return place(src.path ?? main.path, src.text, position);
      };
      return { opening: openingComment(main.text), wgsl: map.dest.text, locate };
    } catch (error) {
      throw new KernelError(explain(error, main.path));
    }
  };
}

/**
 * The functions, structs and buffers that a source declares, without what it imports.
 * @param {Source} source
 * @returns {import('./kernel.d.mts').Declaration[]}
 */
export function declarations({ path, text }) {
  const nameOf = (type) => type?.name.originalName ?? '';
  const binds = ({ attribute }) => attribute.name === 'binding';
  try {
    const parsed = parseSrcModule({ modulePath: 'package::main', debugFilePath: path, src: text });
    throwOnParseError(parsed);
    return parsed.moduleElem.decls.flatMap(({ kind, name, attributes, params = [], returnType, start }) => {
      const common = {
        place: place(path, text, start),
        takes: params.map((each) => nameOf(each.name.typeRef)),
        gives: nameOf(returnType),
      };
      if (kind === 'fn' || kind === 'struct') return { kind, name: name.ident.originalName, ...common };
      if (kind === 'gvar' && attributes?.some(binds)) {
        return { kind: 'buffer', name: name.decl.ident.originalName, ...common };
      }
      return [];
    });
  } catch (error) {
    throw new KernelError(explain(error, path));
  }
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
function explain(error, path) {
  if (error.diagnostics) {
    const [{ message, start }] = error.diagnostics;
    return `${place(error.src.debugFilePath, error.src.src, start)}: ${message}`;
  }
  const { file, line } = error.weslLocation ?? { file: path, line: 1 };
  return `${file}:${line}: ${error.message.split('\n')[0].replace(/ in file: .*/, '')}`;
}

const place = (path, text, position) => `${path}:${text.slice(0, position).split('\n').length}`;
