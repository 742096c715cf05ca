/**
 * `npm start`, and `npm run exitgpu -- VERB ...`: from a fresh clone to the running command, whatever is missing in
 * between, on the best adapter at hand.
 */
import './node-version.mjs';
import { onBestAdapter } from './adapter.mjs';
import { build, prepare } from './prepare.mjs';
import { launch, runNode } from './run.mjs';

await launch(async () => {
  await prepare();
  await build();
  const options = await onBestAdapter((description) => console.error(`exitgpu: adapter ${description}`));
  return runNode(['dist/cli.mjs', ...process.argv.slice(2)], options);
});
