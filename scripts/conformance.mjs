/**
 * `npm run conformance -- FOLDER [FILTER...]`: operator tests of the ONNX project on the best adapter, by operator.
 * FOLDER holds them with a loader, `load.mjs`, that lists and reads them.
 */
import './node-version.mjs';
import { adapterEnvironment } from './adapter.mjs';
import { generateKernels, install } from './prepare.mjs';
import { runNode } from './run.mjs';

try {
  await install();
  await generateKernels();
  const { description, environment } = await adapterEnvironment();
  console.error(`adapter: ${description}`);
  const args = ['--import', 'tsx', 'test/conformance/main.ts', ...process.argv.slice(2)];
  process.exitCode = await runNode(args, { environment });
} catch (error) {
  console.error(error.message);
  process.exitCode = error.exitCode ?? 1;
}
