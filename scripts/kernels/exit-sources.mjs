import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * The module that `exitgpu/custom` links a criterion of one's own with.
 * @param {string[]} checks files of the kernels that ask the criterion
 * @param {string} library the folder of what they import
 */
export function exitSourcesText(checks, library) {
  const files = readdirSync(library).map((entry) => join(library, entry));
  return (
    '// Made from the exit checks in wgsl and from wgsl/lib by scripts/kernels.mjs; edit those files.\n\n' +
    `/** The kernels that ask the criterion, by name. */\n${table('exitCheckSources', checks)}\n\n` +
    `/** What kernels import from \`package::lib\`, by name of the file. */\n${table('librarySources', files)}\n`
  );
}

function table(name, files) {
  const entries = files.map(
    (file) => `  '${basename(file, '.wgsl')}': ${JSON.stringify(readFileSync(file, 'utf8'))},\n`,
  );
  return `export const ${name}: Readonly<Record<string, string>> = {\n${entries.join('')}};`;
}
