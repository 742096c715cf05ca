/** Turns every src/kernels/wgsl/*.wgsl into a typed module in src/kernels/generated/. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KernelError, linkKernel as linkSource, quietly, storesHalf, variantsOf } from '../src/custom/toolchain/kernel.mjs';
import { createFileLinker, library, shorten, sourceOf } from './kernels/files.mjs';
import { exitSourcesText } from './kernels/exit-sources.mjs';
import { codeText, moduleText } from './kernels/typescript.mjs';
import { root } from './run.mjs';

const sources = join(root, 'src/kernels/wgsl');
const generated = join(root, 'src/kernels/generated');

void quietly(() => new Promise(() => {}));

/**
 * Links one kernel, checks it against the rules, and says what it binds.
 * @param {string} file
 * @param {string} [condition] the WESL condition that is true, for a variant; several with a hyphen between
 * @returns {import('../src/custom/toolchain/kernel.d.mts').LinkedKernel}
 * @throws KernelError with a line `file:line: what` for each thing that is wrong
 */
export function linkKernel(file, condition, link = createFileLinker()) {
  const name = basename(file, '.wgsl') + (condition ? `-${condition}` : '');
  const { locate: _, ...kernel } = linkSource(link, sourceOf(file), {
    name,
    conditions: condition && Object.fromEntries(condition.split('-').map((each) => [each, true])),
  });
  return kernel;
}

/**
 * A kernel and the variants that a line `variants: i32` in its opening comment asks for; each with its form in f16,
 * where a line `storage: f32 or f16` asks for that.
 * @throws KernelError as `linkKernel`, and where two of them have different structs of one name
 */
export function linkVariants(file, link = createFileLinker()) {
  const plain = linkKernel(file, undefined, link);
  const kernels = [undefined, ...variantsOf(plain.opening)].map((name) => {
    const kernel = name ? linkKernel(file, name, link) : plain;
    if (!storesHalf(plain.opening)) return kernel;
    return withHalf(kernel, linkKernel(file, [name, 'f16'].filter(Boolean).join('-'), link), file);
  });
  const layouts = new Map();
  for (const struct of kernels.flatMap(({ params, structs }) => [params?.struct ?? [], structs].flat())) {
    const layout = JSON.stringify(struct);
    if (layout !== (layouts.get(struct.name) ?? layout)) {
      throw new KernelError(`${shorten(file)}:1: ${struct.name}: expected the same fields in every variant`);
    }
    layouts.set(struct.name, layout);
  }
  return kernels;
}

/**
 * The kernel with what its form in f16 has otherwise: the lines of its code, and which bindings; `inHalf` of
 * src/kernels/kernel.ts puts it together again.
 */
function withHalf(kernel, half, file) {
  const bindings = half.storage.filter(({ element }) => element === 'f16').map(({ name }) => name);
  if (bindings.length === 0) return kernel;
  const [lines, halfLines] = [kernel, half].map(({ code }) => code.split('\n'));
  // The line that enables f16 comes before all others.
  const first = Number(halfLines[0] === 'enable f16;');
  if (halfLines.length - first !== lines.length) {
    throw new KernelError(`${shorten(file)}:1: expected as many lines with f16 as without, besides enable f16;`);
  }
  const different = lines.flatMap((line, index) => {
    const instead = halfLines.slice(index === 0 ? 0 : index + first, index + first + 1).join('\n');
    return instead === line ? [] : [[index, instead]];
  });
  return { ...kernel, f16: { bindings, lines: Object.fromEntries(different) } };
}

/**
 * Brings the folder `to` up to date: writes what changed, removes what has no kernel any more.
 * @throws KernelError with the complaints about all files
 */
export function generate(from = sources, to = generated) {
  const link = createFileLinker();
  const wrong = [];
  const modules = new Map();
  const checks = [];
  for (const entry of readdirSync(from).sort()) {
    if (!entry.endsWith('.wgsl')) continue;
    try {
      const kernels = linkVariants(join(from, entry), link);
      modules.set(`${basename(entry, '.wgsl')}.ts`, moduleText(entry, kernels));
      modules.set(`code/${basename(entry, '.wgsl')}.ts`, codeText(entry, kernels));
      if (/\bfn isSure\b/.test(kernels[0].wgsl)) checks.push(join(from, entry));
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      wrong.push(error.message);
    }
  }
  if (wrong.length > 0) throw new KernelError(wrong.join('\n'));

  const kernels = modules.size / 2;
  if (checks.length > 0) modules.set('exit-sources.ts', exitSourcesText(checks, library));
  mkdirSync(join(to, 'code'), { recursive: true });
  const present = readdirSync(to, { recursive: true }).filter((entry) => entry.endsWith('.ts'));
  const stale = present.filter((entry) => !modules.has(entry));
  for (const entry of stale) rmSync(join(to, entry));
  const changed = [...modules].filter(
    ([entry, text]) => !existsSync(join(to, entry)) || readFileSync(join(to, entry), 'utf8') !== text,
  );
  for (const [entry, text] of changed) writeFileSync(join(to, entry), text);
  return { kernels, written: changed.length, removed: stale.length };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { kernels, written, removed } = generate();
    console.log(`kernels: ${kernels} linked, ${written} written, ${removed} removed`);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
