/** `npm run operators`: writes docs/operators.md, the table of all operations, from the registry and the mapping of ONNX. */
import './node-version.mjs';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare } from './prepare.mjs';
import { launch, root } from './run.mjs';

export const operatorsFile = join(root, 'docs/operators.md');

const sourcesIn = (folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(root, folder, name), 'utf8'));

/** The first sentence of what stands above the definition of each name, in the file that the registry has it from. */
function summaries() {
  const found = new Map();
  const registry = readFileSync(join(root, 'src/kernels/registry.ts'), 'utf8');
  for (const [, file] of registry.matchAll(/ from '\.\/([^']+)'/g)) {
    const text = readFileSync(join(root, 'src/kernels', file), 'utf8');
    for (const [, comment, name] of text.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\nexport (?:const|function) (\w+)/g)) {
      const words = comment.replace(/^\s*\*? ?/gm, ' ').replace(/\s+/g, ' ').trim();
      const [sentence = words] = /^(?:`[^`]*`|et al\.|[^`])*?[.;:](?= |$)/.exec(words.replaceAll('et al.', 'et al')) ?? [];
      found.set(name, sentence.replace(/[.;:]$/, '').replaceAll('et al ', 'et al. '));
    }
  }
  return found;
}

/** All operators of ONNX that are mapped, and by the operations that their mapping calls, itself or in its function. */
function onnxOperators() {
  const all = [];
  const names = new Map();
  const calls = (text) => [...text.matchAll(/\bops\.(\w+)/g)].map(([, name]) => name);
  for (const text of sourcesIn('src/onnx/operators')) {
    const functions = new Map([...text.matchAll(/^function (\w+)[^]*?^\}/gm)].map(([body, name]) => [name, calls(body)]));
    const entries = text.slice(text.search(/^export const \w+: Mappings/m));
    for (const [entry, operator] of entries.matchAll(/^  (\w+): [^]*?(?=^  \w+:|^\};)/gm)) {
      all.push(operator);
      const [, named] = /: (\w+),\s*$/.exec(entry) ?? [];
      for (const name of functions.get(named) ?? calls(entry)) {
        names.set(name, new Set([...(names.get(name) ?? []), operator]));
      }
    }
  }
  return { all, names };
}

/** What others need on their way has the one name that is its own. */
const OWN_NAMES = {
  add: 'Add, Sum',
  attention: 'Attention, FlexAttention',
  cast: 'Cast',
  concat: 'Concat',
  greater: 'Greater',
  less: 'Less',
  mean: 'GlobalAveragePool, ReduceMean',
  mul: 'Mul',
  nll: 'NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss',
  range: 'Range',
  reciprocal: 'Reciprocal',
  reshape: 'Reshape',
  scale: 'Mean',
  sigmoid: 'Sigmoid, SwiGLU, Swish',
  slice: 'Slice',
  sqrt: 'Sqrt',
  square: '',
  sub: 'Sub',
};

export function operatorsText(registry) {
  const summary = summaries();
  const { all, names } = onnxOperators();
  const rows = Object.keys(registry)
    .toSorted((a, b) => a.localeCompare(b, 'en'))
    .map((name) => {
      const { gradient, half } = registry[name];
      const rule = gradient === undefined ? 'of what it is made of' : 'none' in gradient ? `none: ${gradient.none}` : 'yes';
      // `cast` is the way there and back.
      const f16 = gradient === undefined ? 'as they do' : half || name === 'cast' ? 'yes' : '';
      const operators = OWN_NAMES[name] ?? [...(names.get(name) ?? [])].toSorted().join(', ');
      return [`\`${name}\``, summary.get(name) ?? '', rule, f16, operators].map((cell) => cell.replaceAll('|', '\\|'));
    });
  const lines = [['operation', 'what it is', 'gradient', 'f16', 'ONNX'], Array(5).fill('---'), ...rows];
  const named = new Set(rows.flatMap(([, , , , operators]) => operators.split(', ')));
  const alone = all.filter((operator) => !named.has(operator));
  const hidden = alone.find((operator) => [...names.values()].some((set) => set.has(operator)));
  const stale = Object.entries(OWN_NAMES).find(([name, own]) =>
    !registry[name] || own.split(', ').some((operator) => operator && !all.includes(operator)) ||
    own === [...(names.get(name) ?? [])].toSorted().join(', '))?.[0];
  if (hidden ?? stale) throw new Error(`OWN_NAMES: ${hidden ?? stale} is hidden, gone, or found without it`);
  return `# Operations

Made by \`npm run operators\` from \`src/kernels/registry.ts\` and \`src/onnx\`: ${rows.length} operations, called inside a trace
(\`import { ops } from 'exitgpu'\`). Element types are f32, i32 and u32; truth values are u32.

Operations with \`f16\` also take what is kept in f16 (all their floating-point inputs alike, but for the statistics of
\`batchNorm\` and the mask of attention, which stay f32) and then give it; they compute in f32 and have no gradient there. \`cast\` is the way there and back. The device needs \`shader-f16\`.

${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}

Mapped without an operation, since what they give is known as a graph is compiled: ${alone.toSorted().join(', ')}.
`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await launch(async () => {
    await prepare();
    const { tsImport } = await import('tsx/esm/api');
    writeFileSync(operatorsFile, operatorsText(await tsImport('../src/kernels/registry.ts', import.meta.url)));
    console.log(operatorsFile);
  });
}
