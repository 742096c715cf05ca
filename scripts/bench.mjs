/** `npm run bench -- [NAME...]`: runs `bench/NAME.bench.ts`, or all, one process each, on the best adapter. */
import './node-version.mjs';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { onBestAdapter } from './adapter.mjs';
import { prepare } from './prepare.mjs';
import { launch, root, runNode } from './run.mjs';

const suffix = '.bench.ts';
const known = readdirSync(join(root, 'bench'))
  .filter((file) => file.endsWith(suffix))
  .map((file) => file.slice(0, -suffix.length));

await launch(async () => {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown) throw new Error(`bench: expected one of ${known.join(', ')}, got '${unknown}'`);
  await prepare();
  const options = await onBestAdapter((description) => console.log(`adapter: ${description}`));
  let failed = 0;
  for (const name of names.length > 0 ? names : known) {
    console.log(`\n${name}`);
    const code = await runNode(['--expose-gc', '--import', 'tsx', `bench/${name}${suffix}`], options);
    failed ||= code;
  }
  return failed;
});
