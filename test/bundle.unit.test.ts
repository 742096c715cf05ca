import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { expect, it } from 'vitest';

const library = fileURLToPath(new URL('../src/index.ts', import.meta.url));

/**
 * What a page that imports this fetches at once, minified and gzipped. What it may load later does not count: policy
 * `auto`, what counts for a monitor, and the text of each kernel that it launches.
 */
async function sizeOf(code: string): Promise<number> {
  const entry = 'virtual:page';
  const bundle = await rolldown({
    input: entry,
    platform: 'browser',
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? code.replaceAll("'exitgpu'", JSON.stringify(library)) : null),
      },
    ],
  });
  const { output } = await bundle.generate({
    format: 'esm',
    minify: true,
    // One file, as Rollup makes it, of what is loaded at once.
    codeSplitting: { groups: [{ name: 'page', tags: ['$initial'] }] },
  });
  const chunks = new Map(output.flatMap((chunk) => (chunk.type === 'chunk' ? [[chunk.fileName, chunk] as const] : [])));
  const atOnce = new Set([...chunks.values()].filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName));
  for (const name of atOnce) for (const other of chunks.get(name)?.imports ?? []) atOnce.add(other);
  return [...atOnce].reduce((size, name) => size + gzipSync(chunks.get(name)?.code ?? '', { level: 9 }).length, 0);
}

const ONE = `
import { compile, ops, open } from 'exitgpu';
const device = await open();
const x = { dtype: 'f32', shape: [4, 10] };
const program = await compile(device, { x }, ({ x }) => ({ y: ops.OPERATION({ x }) }));
console.log(await program.call({ x: new Float32Array(40) }));`;

const INFERENCE = `
import { bLeNet, entropy, Model, open } from 'exitgpu';
const model = Model.initialize(await open(), bLeNet(), { seed: 1 });
const classifier = await model.compile({ criterion: entropy(0.1) });
console.log(await classifier.classify(new Float32Array(784)));`;

const TRAINING = `
import { bLeNet, chooseThresholds, Model, open, scoreExits, statistics, train } from 'exitgpu';
const data = await (await fetch('data.json')).json();
const model = Model.initialize(await open(), bLeNet(), { seed: 1, normalization: statistics(data.train) });
await train(model, data.train, { epochs: 2, seed: 1 });
model.thresholds = chooseThresholds(await scoreExits(model, data.validation), { maxAccuracyLoss: 0.01 });`;

it.each([
  ['an operation alone: transpose', ONE.replace('OPERATION', 'transpose'), 16],
  ['an operation alone: relu', ONE.replace('OPERATION', 'relu'), 18],
  ['an operation alone: softmax', ONE.replace('OPERATION', 'softmax'), 18],
  ['inference', INFERENCE, 40],
  ['training', TRAINING, 60],
])('%s: a page gets no more than its budget', async (_, code, kilobytes) => {
  expect((await sizeOf(code)) / 1000).toBeLessThan(kilobytes);
});
