/**
 * `npm run fuzz -- [--cases N] [--seed S] [--project NAME]`: shapes and attributes drawn by the seed, values and
 * gradients against a double-precision oracle, by default 10,000 on the first adapter in Node. Projects are those of
 * `npm test`: llvmpipe, SwiftShader, chromium.
 */
import './node-version.mjs';
import { parseArgs } from 'node:util';
import { adapters } from './adapter.mjs';
import { prepare } from './prepare.mjs';
import { launch, runNode } from './run.mjs';

await launch(async () => {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      project: { type: 'string' },
    },
  });
  for (const name of ['cases', 'seed']) {
    if (!/^\d+$/.test(values[name])) throw new Error(`fuzz: expected a whole number as --${name}, got '${values[name]}'`);
  }
  await prepare();
  const here = (await adapters()).filter(({ env }) => env).map(({ name }) => name);
  const { project = here[0] } = values;
  if (![...here, 'chromium'].includes(project)) {
    throw new Error(`fuzz: expected --project of ${[...here, 'chromium'].join(', ')}, got '${project}'`);
  }
  process.env.EXITGPU_FUZZ = `${values.cases},${values.seed}`;
  return runNode(['node_modules/vitest/vitest.mjs', 'run', '--project', project, 'test/fuzz.gpu']);
});
