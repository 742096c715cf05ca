import { TypedData } from 'wgsl_reflect/wgsl_reflect.module.js';

// Where a part of another buffer is assigned, the library would copy the whole of it.
const { setData } = TypedData.prototype;
TypedData.prototype.setData = function (exec, value, ...rest) {
  setData.call(this, exec, value instanceof TypedData ? value.clone() : value, ...rest);
};

/** The same program, line by line, in words that the interpreter of wgsl_reflect follows, overrides as constants. */
export function interpretable(wgsl: string, overrides: Readonly<Record<string, number>> = {}): string {
  const code = withoutAliases(wgsl)
    .replace(/\b(enable|const_assert) [^;]*;/g, '')
    .replace(/\bf16\b/g, 'f32')
    .replace(/\b(vec[234]|\d[\d.]*)h\b/g, '$1f')
    .replace(
      /\boverride (\w+)([^=;]*)=([^;]*);/g,
      (_, name, type, value) => `const ${name}${type}=${overrides[name] ?? value};`,
    )
    .replace(/([^;{}]*)\bworkgroupUniformLoad\(&([^;]*?)\);/g, 'workgroupBarrier();$1$2;workgroupBarrier();')
    // It knows no subgroup operations; what one exchanges touches no memory.
    .replace(/\bquadBroadcast\((\w+), \w+\)/g, '$1')
    // In structs it knows numbers only, and tests them as C does.
    .replace(/: bool\b(?! *=)/g, ': u32')
    // A barrier that opens a block is passed by in the step into the block; its twin is not.
    .replace(/\b(workgroup|storage)Barrier\(\);/g, '$&$&');
  const scalars = /(?<=var<(?:workgroup|storage, \w+)> )(\w+): ((?:atomic<)?(?:[iuf]32|bool|vec\w+)[^;]*)(?=;)/g;
  return [...code.matchAll(scalars)].reduce((text, [, name, type]) => arrayOfOne(text, name!, type!), code);
}

/** It does not call a type by another name. */
function withoutAliases(wgsl: string): string {
  const [statement, name, type] = /\balias (\w+) *= *([^;]*);/.exec(wgsl) ?? [];
  if (!statement) return wgsl;
  return withoutAliases(wgsl.replace(statement, '').replace(new RegExp(`\\b${name}\\b`, 'g'), type!));
}

/** Only arrays and structs can tell of accesses. */
function arrayOfOne(code: string, name: string, type: string): string {
  return code
    .replace(new RegExp(`(?<![.\\w])${name}\\b`, 'g'), `${name}[0]`)
    .replace(`${name}[0]: ${type}`, `${name}: array<${type}, 1>`);
}
