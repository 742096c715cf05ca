// The bare name is an empty namespace in Node.
import { WgslParser, WgslReflect } from 'wgsl_reflect/wgsl_reflect.module.js';
import { KernelError } from './link.mjs';

/**
 * @typedef {object} Reflected
 * @property {import('wgsl_reflect').Node[]} ast top-level nodes
 * @property {import('wgsl_reflect').WgslReflect} info
 */

/**
 * Parses linked WGSL.
 * @param {import('./link.mjs').Linked} linked
 * @returns {Reflected}
 */
export function reflect({ wgsl, locate }) {
  try {
    const ast = new WgslParser().parse(wgsl);
    const info = new WgslReflect();
    info.updateAST(ast);
    return { ast, info };
  } catch (error) {
    const [, message, line = 1] = /^(.*?)\.?(?: Line: (\d+))?$/s.exec(error.message.trim());
    const before = wgsl.split('\n', Number(line) - 1).join('\n');
    throw new KernelError(
      `${locate({ start: before.length + 1 })}: ${message} (or it is WGSL that wgsl_reflect cannot parse)`,
    );
  }
}

/** Calls `visit(node, statement)` for `node` and all in it; `statement`: the closest around it that has a position. */
export function walk(node, visit, statement = undefined) {
  if (Array.isArray(node)) for (const item of node) walk(item, visit, statement);
  else if (node?.isAstNode) {
    const closest = node.start >= 0 ? node : statement;
    visit(node, closest);
    for (const child of Object.values(node)) walk(child, visit, closest);
  }
}

/** What the typed module says of the kernel, save its name and code. */
export function describe({ ast, info }) {
  const storage = info.storage.map(({ name, binding, access, type }) => ({
    name,
    binding,
    access,
    ...elementOf(type),
  }));
  const params = info.uniforms.find(({ name }) => name === 'params');
  const live = info.uniforms.find(({ name }) => name === 'live');
  return {
    storage: storage.sort((a, b) => a.binding - b.binding),
    params: params && { binding: params.binding, struct: structOf(params.type) },
    live: live && { binding: live.binding },
    workgroupSize: info.entry.compute[0].workgroupSize,
    overrides: info.overrides.map(({ name, type }) => ({ name, type: type.name })),
    features: ast.filter((node) => node.astNodeType === 'enable').map(({ name }) => FEATURES[name]),
    structs: [...new Set(storage.map(({ element }) => element))]
      .map((name) => info.getStructInfo(name))
      .filter(Boolean)
      .map(structOf),
  };
}

/** WGSL's names of extensions, and those of the WebGPU features that allow them. */
export const FEATURES = { f16: 'shader-f16', subgroups: 'subgroups' };

/** The scalar or struct that a storage binding consists of, and the distance between two of them. */
function elementOf(type) {
  const item = type.isArray ? type.format : type;
  const inner = item.name === 'atomic' ? item.format : item;
  return {
    element: (vector(inner) ?? numbersOf(inner))?.type ?? inner.name,
    size: type.isArray ? type.stride : type.size,
  };
}

function structOf({ name, size, members }) {
  return {
    name,
    size,
    fields: members.map((member) => ({ name: member.name, offset: member.offset, ...numbersOf(member.type) })),
  };
}

/** `{ type }` for a scalar, `{ type, length }` for numbers side by side, else `undefined`. */
export function numbersOf(type) {
  if (['f32', 'i32', 'u32'].includes(type.name)) return { type: type.name };
  const run = vector(type);
  if (!type.isArray) return run?.type === 'f16' ? undefined : run;
  const item = numbersOf(type.format);
  const length = item?.length ?? 1;
  return item && type.count > 0 && type.stride === length * 4
    ? { type: item.type, length: type.count * length }
    : undefined;
}

const COMPONENTS = { f: 'f32', i: 'i32', u: 'u32', h: 'f16' };

function vector(type) {
  const [, length, component] = /^vec([234])([fiuh])$/.exec(type.getTypeName()) ?? [];
  return length && { type: COMPONENTS[component], length: Number(length) };
}
