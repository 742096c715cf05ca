import { expect, it } from 'vitest';

/** What a page gets from a plain `<script type="module">`: the built single file, no bundler. */
it('the built file loads in a page, opens the page\'s GPU and classifies', async () => {
  const url = new URL('/dist/exitgpu.min.js', location.href).href;
  const library = (await import(/* @vite-ignore */ url)) as typeof import('../../src/index.ts');
  const device = await library.open();
  const model = library.Model.initialize(device, library.bLeNet(), { seed: 1 });
  const digits = library.proceduralDigits({ count: 3, seed: 1 });
  const early = await model.compile({ criterion: library.entropy(Math.log(10)) });
  const late = await model.compile({ criterion: library.entropy(0), batch: 4 });
  expect(await early.classify(library.imageAt(digits, 0))).toMatchObject({ exit: 1, finite: true });
  expect((await late.classifyBatch(digits.images)).map(({ exit }) => exit)).toEqual([2, 2, 2]);
  await device.idle();
  expect(device.uncapturedErrors).toBe(0);
  device.destroy();
});

it('takes a device that the page already has, and leaves it alive', async () => {
  const { open, Tensor } = await import('../../src/index.ts');
  const adapter = await navigator.gpu.requestAdapter();
  const gpu = await adapter!.requestDevice();
  const device = await open({ device: gpu });
  expect(await Tensor.from(device, Float32Array.of(1, 2, 3)).read()).toEqual(Float32Array.of(1, 2, 3));
  device.destroy();
  const buffer = gpu.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ });
  await buffer.mapAsync(GPUMapMode.READ);
  gpu.destroy();
});
