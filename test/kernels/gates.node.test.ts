import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { layoutOf } from '../../src/graph/program.ts';
import { codeOf, inHalf } from '../../src/kernels/kernel.ts';
import type { Kernel } from '../../src/kernels/kernel.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const folder = new URL('../../src/kernels/generated/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
const modules: object[] = await Promise.all(files.map((name) => import(new URL(name, folder).href)));
const plain = modules.flatMap((module) => Object.values(module)).filter((value): value is Kernel => 'code' in value);
const kernels = plain.flatMap((kernel) => [kernel, ...(kernel.f16 ? [inHalf(kernel)!] : [])]);

describe('the compiler of the GPU takes every kernel without a message, with the layout that was reflected', () => {
  test.for(kernels)('$name', async (kernel, { skip }) => {
    const missing = kernel.features.filter((feature) => !device.features.has(feature));
    skip(missing.length > 0, `this adapter lacks ${missing.join(' and ')}`);

    const { name } = kernel;
    const code = await codeOf(kernel);
    const { messages } = await device.gpu.createShaderModule({ label: name, code }).getCompilationInfo();
    const lines = code.split('\n');
    expect(messages.map(({ type, message, lineNum }) => `${type}: ${message}: ${lines[lineNum - 1]}`)).toEqual([]);
    await device.pipeline({ name, code, layout: layoutOf(kernel), constants: {} });
  });
});
