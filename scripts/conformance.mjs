/**
 * `npm run conformance -- FOLDER [FILTER...]`: operator tests of the ONNX project on the best adapter, by operator.
 * FOLDER holds them with a loader, `load.mjs`, that lists and reads them.
 */
import './node-version.mjs';
import { onBestAdapter } from './adapter.mjs';
import { prepare } from './prepare.mjs';
import { launch, runNode } from './run.mjs';

await launch(async () => {
  await prepare();
  const args = ['--import', 'tsx', 'test/conformance/main.ts', ...process.argv.slice(2)];
  return runNode(args, await onBestAdapter());
});
