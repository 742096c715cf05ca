/**
 * The WebGPU adapters that Node can have on this machine. A driver is chosen by environment variables that the dynamic
 * linker and the Vulkan loader read when a process starts, so everything here answers with an environment for a child.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cache, prepend, swiftshaderDriver, unavailable } from './chromium.mjs';
import { root } from './run.mjs';

/**
 * @typedef {object} Adapter
 * @property {'hardware' | 'llvmpipe' | 'SwiftShader'} name
 * @property {NodeJS.ProcessEnv} [env] what to add to a child's environment; absent if the adapter cannot be had
 * @property {string} [description] the driver in its own words
 * @property {string} [missing] why the adapter cannot be had
 */

const driverFolders = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'];

/** A driver that hangs while it starts must not take the caller with it. */
const probeTimeout = 30_000;

const probeScript = `
  import { create } from 'webgpu';
  const gpu = create([]);
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('Dawn finds no adapter it can use');
  const { description, isFallbackAdapter } = adapter.info;
  console.log(JSON.stringify({ description, isFallbackAdapter }));
  process.exit(0);
`;

/** Best first. */
const kinds = { hardware, llvmpipe, SwiftShader: swiftshader };

/** @returns {Promise<Adapter[]>} every adapter that is known here, best first, those that cannot be had among them */
export function adapters() {
  return Promise.all(Object.values(kinds).map((find) => find()));
}

/**
 * The environment for a child process that is to compute on the best adapter: this process's own if there is a GPU,
 * otherwise with a software driver in it. `EXITGPU_ADAPTER` (hardware, llvmpipe or SwiftShader) chooses another.
 * @returns {Promise<{ description: string, environment: NodeJS.ProcessEnv }>}
 */
async function adapterEnvironment() {
  const wanted = process.env.EXITGPU_ADAPTER;
  if (wanted && !Object.hasOwn(kinds, wanted)) {
    throw new Error(`EXITGPU_ADAPTER: expected one of ${Object.keys(kinds).join(', ')}, got '${wanted}'`);
  }
  const reasons = [];
  for (const find of wanted ? [kinds[wanted]] : Object.values(kinds)) {
    const { name, env, description, missing } = await find();
    if (env) return { description, environment: { ...process.env, ...env } };
    reasons.push(`${name}: ${missing}`);
  }
  if (wanted) throw new Error(`EXITGPU_ADAPTER: this machine has no ${reasons[0]}`);
  // Without an adapter the child says itself what can be done about it.
  return { description: `none (${reasons.join('; ')})`, environment: process.env };
}

/**
 * Names the best adapter on this terminal.
 * @param {(description: string) => void} [say]
 * @returns {Promise<{ environment: NodeJS.ProcessEnv }>} the options of `runNode` for what is to compute on it
 */
export async function onBestAdapter(say = (description) => console.error(`adapter: ${description}`)) {
  const { description, environment } = await adapterEnvironment();
  say(description);
  return { environment };
}

/** @returns {Promise<Adapter>} */
async function hardware() {
  const name = 'hardware';
  const { info, error } = await probe({});
  if (error) return { name, missing: error };
  if (info.isFallbackAdapter) return { name, missing: `the only driver is ${info.description}` };
  return { name, env: {}, description: info.description };
}

/** @returns {Promise<Adapter>} */
async function llvmpipe() {
  const name = 'llvmpipe';
  const driver = driverFolders.flatMap(driverFiles).find((file) => /\/lvp_icd[^/]*\.json$/.test(file));
  if (!driver) return { name, missing: 'lavapipe is not installed (Debian: mesa-vulkan-drivers)' };
  // The cache takes a kernel's first dispatch from hundreds of milliseconds to tens.
  return software(name, { ...useDriver(driver), MESA_SHADER_CACHE_DIR: join(cache, 'mesa') });
}

/** @returns {Promise<Adapter>} */
async function swiftshader() {
  const name = 'SwiftShader';
  const missing = unavailable();
  if (missing) return { name, missing };
  const driver = swiftshaderDriver();
  return software(name, {
    ...useDriver(driver),
    LD_LIBRARY_PATH: prepend(dirname(driver), process.env.LD_LIBRARY_PATH),
  });
}

/** @returns {Promise<Adapter>} */
async function software(name, env) {
  const { info, error } = await probe(env);
  if (error) return { name, missing: `its driver is here, but ${error}` };
  return { name, env, description: info.description };
}

function driverFiles(folder) {
  return existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [];
}

/** Both spellings: the loader obeys the newer one alone where both are set, and old loaders know only the other. */
function useDriver(file) {
  return { VK_DRIVER_FILES: file, VK_ICD_FILENAMES: file };
}

/** Asks Dawn for its adapter in a process of its own, which may crash or hang. */
async function probe(env) {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', probeScript], {
      cwd: root,
      env: { ...process.env, ...env },
      timeout: probeTimeout,
      killSignal: 'SIGKILL',
    });
    return { info: JSON.parse(stdout.slice(stdout.indexOf('{'))) };
  } catch (error) {
    if (error.killed) return { error: `gave no answer in ${probeTimeout / 1000} s` };
    return { error: /^\w*Error: (.*)/m.exec(error.stderr)?.[1] ?? error.message.split('\n')[0] };
  }
}
