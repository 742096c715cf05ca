/** `npm run build`: the library as modules with types, a browser bundle, the command line with its dependencies. */
import './node-version.mjs';
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'rolldown';
import { generateKernels } from './prepare.mjs';
import { root, runNode } from './run.mjs';

await generateKernels();
rmSync(join(root, 'dist'), { recursive: true, force: true });
const code = await runNode(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']);
if (code !== 0) process.exit(code);
// JavaScript as it is, since it also makes the kernels before there is a compiler.
cpSync(join(root, 'src/custom/toolchain'), join(root, 'dist/custom/toolchain'), { recursive: true });

/** As in tsconfig.json: Node 20 and browsers do not know `using` yet. */
const target = 'es2022';

await build({
  cwd: root,
  input: 'src/index.ts',
  platform: 'browser',
  transform: { target },
  output: { file: 'dist/exitgpu.min.js', minify: true, codeSplitting: false },
});

// A file of its own, larger than the rest of the command line, which is loaded where something is drawn.
await build({
  cwd: root,
  input: 'src/cli/draw.ts',
  platform: 'node',
  transform: { target },
  plugins: [licences('cli-draw.licences.txt')],
  output: { file: 'dist/cli-draw.mjs', minify: true, codeSplitting: false },
});

// Written last: its time is the time of the build.
await build({
  cwd: root,
  input: 'src/cli/main.ts',
  platform: 'node',
  transform: { target },
  external: ['webgpu'],
  plugins: [
    licences('cli.licences.txt'),
    { name: 'draw', resolveId: (id) => (id.endsWith('/draw.ts') ? { id: './cli-draw.mjs', external: true } : null) },
  ],
  output: { file: 'dist/cli.mjs', banner: '#!/usr/bin/env node', codeSplitting: false },
});
chmodSync(join(root, 'dist/cli.mjs'), 0o755);

/** Sets the licences of the packages in the bundle beside it, as they ask. */
function licences(fileName) {
  return {
    name: 'licences',
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap(({ moduleIds = [] }) => moduleIds);
      const packages = new Set(modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? []));
      const source = [...packages].sort().map((folder) => {
        const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
        const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
        if (!file) throw new Error(`build: ${name} is bundled and comes without a licence file`);
        return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
      });
      this.emitFile({ type: 'asset', fileName, source: source.join(`\n${'-'.repeat(72)}\n\n`) });
    },
  };
}
