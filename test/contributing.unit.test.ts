import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

const blocks = [...read('CONTRIBUTING.md').matchAll(/```(?:ts|wgsl)\n([^]*?)```/g)].map(([, text]) => text!.trim());

it.each([
  ['the kernel', 'src/kernels/wgsl/triangle.wgsl'],
  ['the operation', 'src/kernels/triangle.ts'],
  ['the line of the registry', 'src/kernels/registry.ts'],
  ['the row', 'test/ops/layouts.ts'],
])('the example is what is in the tree: %s', (_, path) => {
  expect(blocks).toHaveLength(4);
  expect(blocks.filter((block) => read(path).includes(block))).toHaveLength(1);
});
