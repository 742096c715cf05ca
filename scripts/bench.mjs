/** `npm run bench -- [NAME...]`: runs `bench/NAME.bench.ts`, or all, one process each, on the best adapter. */
import './node-version.mjs';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { adapterEnvironment } from './adapter.mjs';
import { generateKernels, install } from './prepare.mjs';
import { root, runNode } from './run.mjs';

const suffix = '.bench.ts';
const known = readdirSync(join(root, 'bench'))
  .filter((file) => file.endsWith(suffix))
  .map((file) => file.slice(0, -suffix.length));

try {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown) throw new Error(`bench: expected one of ${known.join(', ')}, got '${unknown}'`);
  await install();
  await generateKernels();
  const { description, environment } = await adapterEnvironment();
  console.log(`adapter: ${description}`);
  for (const name of names.length > 0 ? names : known) {
    console.log(`\n${name}`);
    const code = await runNode(['--import', 'tsx', `bench/${name}${suffix}`], { environment });
    process.exitCode ||= code;
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = error.exitCode ?? 1;
}
