import { readdirSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const source = fileURLToPath(new URL('../src/', import.meta.url));

/** The one way imports may go: a room knows the rooms before it. */
const ORDER = ['device', 'tensor', 'kernels', 'graph', 'autograd', 'nn', 'earlyexit', 'custom', 'onnx', 'report', 'cli'];
/** Leaves at the top of src, known to all. */
const LEAVES = ['errors.ts', 'random.ts', 'json.ts'];
/** `data` knows tensors only; it is known from the early exits on, which train and judge on it. */
const KNOWN_BY_DATA = ['data', 'tensor'];
const KNOWS_DATA = ['data', 'earlyexit', 'report', 'cli'];

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(ts|mjs)$/.test(file) && !file.includes('generated'))
  .map((file) => file.split(sep).join('/'));

const importsOf = (file: string): string[] => {
  const text = readFileSync(resolve(source, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name]) => name!);
};

const roomOf = (file: string): string => (file.includes('/') ? file.slice(0, file.indexOf('/')) : file);

/** Links and checks WGSL with optional peers, loaded when a text of one's own is linked. */
const isToolchain = (file: string): boolean => file.startsWith('custom/toolchain/');

function allowed(from: string, to: string): boolean {
  if (from === to || LEAVES.includes(to)) return true;
  if (LEAVES.includes(from)) return false;
  // The entry points name everything; the command line stands on the one for Node.
  if (from === 'index.ts' || from === 'node.ts') return true;
  if (to === 'node.ts') return from === 'cli';
  if (from === 'data') return KNOWN_BY_DATA.includes(to);
  if (to === 'data') return KNOWS_DATA.includes(from);
  return ORDER.includes(from) && ORDER.includes(to) && ORDER.indexOf(to) < ORDER.indexOf(from);
}

describe('the house', () => {
  it('has files to look at', () => expect(files.length).toBeGreaterThan(40));

  it.each(files)('%s imports one way only', (file) => {
    for (const name of importsOf(file)) {
      if (!name.startsWith('.') || name.endsWith('package.json')) continue;
      const target = relative(source, resolve(source, dirname(file), name)).split(sep).join('/');
      const [from, to] = [roomOf(file), roomOf(target)];
      expect(allowed(from, to), `${file} imports ${target}: ${from} may not know ${to}`).toBe(true);
    }
  });

  it('keeps runtime dependencies out of the core', () => {
    for (const file of files) {
      const foreign = importsOf(file).filter((name) => !name.startsWith('.'));
      if (roomOf(file) === 'cli') continue;
      const permitted = isToolchain(file) ? /^(wesl|wgsl_reflect)(\/|$)/ : file.endsWith('-node.ts') || file === 'node.ts' ? /^(webgpu$|node:)/ : /^$/;
      for (const name of foreign) expect(permitted.test(name), `${file} imports ${name}`).toBe(true);
    }
  });

  it('keeps the linker, its peers and the sources of shaders out of the core: they are for exitgpu/custom alone', () => {
    for (const file of files.filter((each) => roomOf(each) !== 'custom')) {
      for (const name of importsOf(file)) expect(name, file).not.toMatch(/\/custom\/|exit-sources/);
    }
  });

  it('keeps one op in one place: each .wgsl belongs to the .ts of its name', () => {
    const kernels = readdirSync(resolve(source, 'kernels/wgsl')).filter((name) => name.endsWith('.wgsl'));
    const texts = files
      .filter((file) => roomOf(file) === 'kernels')
      .map((file) => [file, readFileSync(resolve(source, file), 'utf8')] as const);
    for (const kernel of kernels) {
      // Who launches it; its structs may be shared.
      const imported = new RegExp(`import \\{[^}]*Kernel\\b[^}]*\\} from './generated/${kernel.replace('.wgsl', '.ts')}'`);
      const users = texts.filter(([, text]) => imported.test(text)).map(([file]) => file);
      expect(users.length, `${kernel} is used by ${users.join(', ') || 'nobody'}`).toBe(1);
    }
  });

  it('only kernels know WGSL, only device and graph know bind groups', () => {
    for (const file of files) {
      const code = readFileSync(resolve(source, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      if (!['device', 'graph'].includes(roomOf(file))) expect(code, file).not.toMatch(/createBindGroup|createComputePipeline/);
      if (!isToolchain(file)) expect(code, file).not.toMatch(/@compute|@workgroup_size/);
    }
  });
});
