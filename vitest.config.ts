import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import type { TestProjectInlineConfiguration } from 'vitest/config';
import { adapters } from './scripts/adapter.mjs';
import { chromium, unavailable } from './scripts/chromium.mjs';

/**
 * What a test needs is in its file's name: `*.unit.test.ts` no GPU, `*.gpu.test.ts` any GPU, in Node and in a browser,
 * `*.node.test.ts` a GPU in Node; those in test/browser need a page.
 */
const unit: TestProjectInlineConfiguration = {
  // Files share what they import: nothing in it changes, and importing took twice as long as testing.
  test: { name: 'unit', include: ['test/**/*.unit.test.ts'], isolate: false },
};

/**
 * Long, and about the package, the host's logic or what is made of operations, which the op table tests everywhere: the
 * first adapter in Node is enough.
 */
const ONCE = [
  'cli/**',
  'counts*',
  'determinism*',
  'custom/**',
  'device-loss*',
  'graph/{limits,profile}*',
  'kernels/gates*',
  'large-shapes*',
  'leaks*',
  'onnx/**',
  'plain-device*',
  'readme*',
  'story*',
  'earlyexit/{attach-exits,auto-replan,calibration,concurrency,criteria,device-loss,exit-histogram,gates,load,looped,losses}*',
  'earlyexit/{policies,recompute,slow-down,strategies,supervisor,train,zoo}*',
  ...(process.env['EXITGPU_FUZZ'] ? [] : ['fuzz*']),
].map((name) => `test/${name}`);

/** Long in a page, and no other there than in Node. */
const NODE_ONLY = ['earlyexit/exit-check-variants.gpu*', 'kernels/variants*'].map((name) => `test/${name}`);

/** What is left for SwiftShader in Node where a page has it too: what no page tries, or not with all cases. */
const BESIDE_PAGES = [...NODE_ONLY, 'test/**/*.node.test.ts', 'test/ops.gpu.test.ts'];
const pages = !unavailable();

/** `npm run fuzz` asks for more. */
const [cases, seed] = (process.env['EXITGPU_FUZZ'] ?? '160,1').split(',').map(Number) as [number, number];

const node = (await adapters())
  .filter(({ env }) => env)
  .map(({ name, env }, index): TestProjectInlineConfiguration => ({
    test: {
      name,
      include: index > 0 && pages && name === 'SwiftShader' ? BESIDE_PAGES : ['test/**/*.{gpu,node}.test.ts'],
      exclude: ['test/browser/**', ...(index > 0 ? ONCE : [])],
      env: { ...env, EXITGPU_ADAPTER: name === 'hardware' ? '' : name },
      // A process per adapter: the linker reads `env` as it starts. Files share what they import, see above.
      pool: 'forks',
      isolate: false,
      execArgv: ['--expose-gc'],
      setupFiles: ['test/watchdog.ts'],
    },
  }));

const browser = (): TestProjectInlineConfiguration => ({
  // Found in the middle of a run, a package to optimise reloads the page.
  optimizeDeps: { include: ['fast-check', 'wesl/core', 'wgsl_reflect/wgsl_reflect.module.js'] },
  test: {
    include: ['test/**/*.gpu.test.ts', 'test/browser/**/*.test.ts'],
    exclude: [...ONCE, ...NODE_ONLY],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: chromium() }),
      instances: [{ browser: 'chromium', name: 'chromium' }],
    },
  },
});

export default defineConfig({
  test: {
    provide: { fuzz: { cases, seed }, pages },
    testTimeout: 600_000,
    hookTimeout: 300_000,
    projects: [unit, ...node, ...(pages ? [browser()] : [])].map((project) => ({ extends: true, ...project })),
  },
});
