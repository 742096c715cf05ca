import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import * as browser from '../src/index.ts';
import * as node from '../src/node.ts';

it('importing where there is no WebGPU does nothing; open() says what to do, once', async () => {
  expect((globalThis.navigator as Navigator | undefined)?.gpu).toBeUndefined();
  const error = await browser.open().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(browser.NoAdapterError);
  expect((error as Error).message).toMatch(/^open: this JavaScript environment has no WebGPU .*https:.*npm install webgpu.*in the browser only/);
});

it('a server without a driver gets the ways to one', () => {
  // In a process of its own: drivers are looked up once.
  const script = `
    const { open } = await import('./src/node.ts');
    await open().then(() => console.log('opened'), (error) => console.log(error.name + ': ' + error.message));`;
  const env = { ...process.env, VK_ICD_FILENAMES: '/nonexistent.json', VK_DRIVER_FILES: '/nonexistent.json' };
  const out = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { env, encoding: 'utf8' });
  expect(out).toMatch(/^NoAdapterError: open: WebGPU is here but found no adapter.*Vulkan driver.*VK_ICD_FILENAMES/);
});

it('the entry for Node has every name of the entry for browsers', () => {
  expect(Object.keys(node)).toEqual(expect.arrayContaining(Object.keys(browser)));
});

it('takes only a GPUDevice for a device', async () => {
  await expect(browser.open({ device: {} as GPUDevice })).rejects.toThrow('expected options.device to be a GPUDevice');
});
