import { basename } from 'node:path';

const camel = (name) => name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
const capital = (name) => name[0].toUpperCase() + name.slice(1);

/**
 * The typed module of a kernel and its variants.
 * @param {string} file the kernel's .wgsl file
 * @param {import('../kernels.d.mts').LinkedKernel[]} kernels the plain one first
 */
export function moduleText(file, kernels) {
  const { name } = kernels[0];
  const structs = new Map();
  for (const kernel of kernels) {
    for (const struct of [kernel.params?.struct, ...kernel.structs]) {
      if (struct) structs.set(structName(name, struct), struct);
    }
  }
  const header =
    `// Made from wgsl/${basename(file)} by scripts/kernels.mjs; edit that file.\n` +
    (structs.size > 0 ? "import { scalars } from '../kernel.ts';\n" : '') +
    `import type { Kernel${structs.size > 0 ? ', Struct' : ''} } from '../kernel.ts';`;
  const tables = [...structs].map(([typeName, struct]) => structText(typeName, struct));
  return `${[header, ...tables, ...kernels.map((kernel) => kernelText(name, kernel))].join('\n\n')}\n`;
}

/**
 * The text of a kernel and its variants, in a module of its own: a page fetches that of the kernels that it launches.
 * @param {string} file the kernel's .wgsl file
 * @param {import('../kernels.d.mts').LinkedKernel[]} kernels
 */
export function codeText(file, kernels) {
  const texts = kernels.flatMap(({ name, code, f16 }) => [
    `export const ${camel(name)} = \`${code}\`;\n`,
    ...(f16 ? [`export const ${camel(name)}Half = ${literal(f16.lines)};\n`] : []),
  ]);
  return `// Made from wgsl/${basename(file)} by scripts/kernels.mjs; edit that file.\n${texts.join('\n')}`;
}

/** `Params` belongs to its kernel; other structs go by their own name, the layout by that of the type. */
const structName = (kernel, { name }) => (name === 'Params' ? `${capital(camel(kernel))}Params` : name);

function structText(typeName, { size, fields }) {
  const members = fields.map(({ name, length }) => `  readonly ${name}: ${valueType(length)};\n`).join('');
  return (
    `export interface ${typeName} {\n${members}}\n\n` +
    `export const ${typeName}: Struct<${typeName}> = { name: '${typeName}', size: ${size}, fields: ${fieldsText(fields)} };`
  );
}

/** Numbers of one type side by side in a few bytes. */
function fieldsText(fields) {
  const runs = [];
  for (const field of fields) {
    const run = runs.at(-1);
    const goesOn = run?.at(-1).type === field.type && run.at(-1).offset + 4 === field.offset;
    if (goesOn && [run.at(-1), field].every(({ length }) => length === undefined)) run.push(field);
    else runs.push([field]);
  }
  const texts = runs.map(([first, ...others]) => {
    if (first.length !== undefined) return literal(first);
    const names = [first, ...others].map(({ name }) => name).join(' ');
    return `.../* @__PURE__ */ scalars('${first.type}', ${first.offset}, '${names}')`;
  });
  return `[${texts.join(', ')}]`;
}

function valueType(length) {
  if (length === undefined) return 'number';
  return length <= 4 ? `readonly [${Array(length).fill('number').join(', ')}]` : 'readonly number[]';
}

function kernelText(base, kernel) {
  const { name, opening, storage, params, live, workgroupSize, overrides, features, f16 } = kernel;
  const paramsType = params && structName(base, params.struct);
  const names = storage.map((binding) => `'${binding.name}'`).join(' | ') || 'never';
  const constants = overrides.map(
    (override) => `readonly ${override.name}?: ${override.type === 'bool' ? 'boolean' : 'number'}`,
  );
  const type = `Kernel<${names}, ${paramsType}, ${constants.length > 0 ? `{ ${constants.join('; ')} }` : undefined}>`;
  const loader = (what) => `async () => (await import('./code/${base}.ts')).${what}`;
  const properties = {
    name: literal(name),
    code: loader(camel(name)),
    storage: `[${storage.map((binding) => `\n    ${literal(binding)},`).join('')}\n  ]`,
    params: params && `{ binding: ${params.binding}, struct: ${paramsType} }`,
    live: live && literal(live),
    workgroupSize: literal(workgroupSize),
    features: literal(features),
    f16: f16 && `{ bindings: ${literal(f16.bindings)}, lines: ${loader(`${camel(name)}Half`)} }`,
  };
  const comment = opening.replaceAll('*/', '* /').replace(/^/gm, ' * ');
  const lines = Object.entries(properties).flatMap(([key, value]) => (value ? `  ${key}: ${value},\n` : []));
  return `/**\n${comment}\n */\nexport const ${camel(name)}Kernel: ${type} = {\n${lines.join('')}};`;
}

function literal(value) {
  return JSON.stringify(value, null, 1)
    .replace(/\n\s*/g, ' ')
    .replace(/"(\w+)":/g, '$1:')
    .replaceAll('"', "'")
    .replace(/\[ (.*?) \]/g, '[$1]');
}
