/** `npm test [-- FILTER...]`: from a fresh clone to one line, `N passed, N failed`. Arguments are Vitest's. */
import './node-version.mjs';
import { adapters } from './adapter.mjs';
import { unavailable } from './chromium.mjs';
import { build, prepare } from './prepare.mjs';
import { runNode } from './run.mjs';

let passed = 0;
let failed = 0;

/** Runs one step; a failure counts and does not keep the others from running. */
async function step(name, work) {
  try {
    await work();
  } catch (error) {
    failed++;
    console.error(`${name}: ${error.message}`);
  }
}

function checked(name, program, args = []) {
  return step(name, async () => {
    const code = await runNode([program, ...args]);
    if (code !== 0) throw new Error(`exit code ${code}`);
  });
}

async function listAdapters() {
  const list = (await adapters()).map(({ name, description, missing }) => [name, description ?? `skipped: ${missing}`]);
  list.push(['chromium', unavailable() ? `skipped: ${unavailable()}` : 'headless, with its own SwiftShader']);
  for (const [name, state] of list) console.log(`${name.padEnd(12)}${state}`);
}

async function runVitest() {
  const { parseCLI, startVitest } = await import('vitest/node');
  const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)]);
  const { state } = await startVitest('test', filter, options);
  const modules = state.getTestModules();
  if (modules.length === 0) throw new Error('no test ran');
  const unfinished = modules.filter((module) => !count(module));
  for (const { project, relativeModuleId } of unfinished) {
    console.log(`did not finish: |${project.name}| ${relativeModuleId}`);
  }
  // A file that did not finish took its process with it, which is an error of its own; the rest belong to no file.
  failed += Math.max(unfinished.length, state.getUnhandledErrors().length);
}

/** Adds the tests of a file; one that fails outside its tests is a failure too. False if it did not finish. */
function count(module) {
  const before = failed;
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === 'passed') passed++;
    if (state === 'failed') failed++;
  }
  if (module.state() === 'failed' && failed === before) failed++;
  return ['passed', 'failed', 'skipped'].includes(module.state());
}

await step('prepare', prepare);
if (failed === 0) {
  await step('build', build);
  await checked('typecheck', 'node_modules/typescript/bin/tsc', ['--noEmit']);
  await checked('lint', 'node_modules/oxlint/bin/oxlint', ['--deny-warnings']);
  await step('adapters', listAdapters);
  await step('tests', runVitest);
}
console.log(`${passed} passed, ${failed} failed`);
// Not left to the event loop, which a driver may keep alive.
process.exit(failed > 0 ? 1 : 0);
