/** Turns every src/kernels/wgsl/*.wgsl into a typed module in src/kernels/generated/. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLinker, KernelError, shorten } from './kernels/link.mjs';
import { minify } from './kernels/minify.mjs';
import { describe, reflect } from './kernels/reflect.mjs';
import { complaints } from './kernels/rules.mjs';
import { moduleText } from './kernels/typescript.mjs';
import { root } from './run.mjs';

const sources = join(root, 'src/kernels/wgsl');
const generated = join(root, 'src/kernels/generated');

/**
 * Links one kernel, checks it against the rules, and says what it binds.
 * @param {string} file
 * @param {string} [condition] the WESL condition that is true, for a variant
 * @returns {import('./kernels.d.mts').LinkedKernel}
 * @throws KernelError with a line `file:line: what` for each thing that is wrong
 */
export function linkKernel(file, condition, link = createLinker()) {
  const linked = link(file, condition);
  const reflected = reflect(linked);
  const wrong = complaints(linked, reflected);
  if (wrong.length > 0) throw new KernelError(wrong.join('\n'));
  const name = basename(file, '.wgsl') + (condition ? `-${condition}` : '');
  return { name, code: minify(linked.wgsl), wgsl: linked.wgsl, opening: linked.opening, ...describe(reflected) };
}

/**
 * A kernel and the variants that a line `variants: f16` in its opening comment asks for.
 * @throws KernelError as `linkKernel`, and where two of them have different structs of one name
 */
export function linkVariants(file, link = createLinker()) {
  const kernel = linkKernel(file, undefined, link);
  const [, conditions = ''] = /^variants:(.*)$/m.exec(kernel.opening) ?? [];
  const kernels = [kernel, ...(conditions.match(/\w+/g) ?? []).map((name) => linkKernel(file, name, link))];
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
 * Brings the folder `to` up to date: writes what changed, removes what has no kernel any more.
 * @throws KernelError with the complaints about all files
 */
export function generate(from = sources, to = generated) {
  const link = createLinker();
  const wrong = [];
  const modules = new Map();
  for (const entry of readdirSync(from).sort()) {
    if (!entry.endsWith('.wgsl')) continue;
    try {
      modules.set(`${basename(entry, '.wgsl')}.ts`, moduleText(entry, linkVariants(join(from, entry), link)));
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      wrong.push(error.message);
    }
  }
  if (wrong.length > 0) throw new KernelError(wrong.join('\n'));

  mkdirSync(to, { recursive: true });
  const stale = readdirSync(to).filter((entry) => !modules.has(entry));
  for (const entry of stale) rmSync(join(to, entry));
  const changed = [...modules].filter(
    ([entry, text]) => !existsSync(join(to, entry)) || readFileSync(join(to, entry), 'utf8') !== text,
  );
  for (const [entry, text] of changed) writeFileSync(join(to, entry), text);
  return { kernels: modules.size, written: changed.length, removed: stale.length };
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
