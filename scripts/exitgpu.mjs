/**
 * `npm start`, and `npm run exitgpu -- VERB ...`: from a fresh clone to the running command, whatever is missing in
 * between, on the best adapter at hand.
 */
import './node-version.mjs';
import { adapterEnvironment } from './adapter.mjs';
import { build, generateKernels, install } from './prepare.mjs';
import { runNode } from './run.mjs';

try {
  await install();
  await generateKernels();
  await build();
  const { description, environment } = await adapterEnvironment();
  console.error(`exitgpu: adapter ${description}`);
  process.exitCode = await runNode(['dist/cli.mjs', ...process.argv.slice(2)], { environment });
} catch (error) {
  console.error(error.message);
  process.exitCode = error.exitCode ?? 1;
}
