import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { expect, test } from 'vitest';
import { imageAt, proceduralDigits, readModelFile } from '../../src/index.ts';
import { idxFiles, writeFolder } from './fixtures.ts';
import { runCli, temporaryFolder } from './run-cli.ts';

const adapter = process.env['EXITGPU_ADAPTER'] ? ['--adapter', process.env['EXITGPU_ADAPTER']] : [];

const readJson = async (file: string) => JSON.parse(await readFile(file, 'utf8'));

/** A PNG, dark strokes on light paper, twice as large as the network wants. */
function paper(pixels: Uint8Array): Buffer {
  const image = new PNG({ width: 56, height: 56 });
  for (let pixel = 0; pixel < 56 * 56; pixel++) {
    const source = pixels[Math.floor(pixel / 112) * 28 + Math.floor((pixel % 56) / 2)]!;
    image.data.set([255 - source, 255 - source, 255 - source, 255], pixel * 4);
  }
  return PNG.sync.write(image);
}

test('a model is trained, described, judged and used', { timeout: 120_000 }, async () => {
  const folder = await temporaryFolder();
  const data = await writeFolder(join(folder, 'digits'), idxFiles({ train: 480, test: 60 }));
  const [model, json] = [join(folder, 'model.safetensors'), join(folder, 'result.json')];

  const trained = await runCli(['train', '--data', data, '--epochs', '2', '--batch', '16', '--learning-rate', '0.003', '--out', model, '--json', json, ...adapter]);
  expect(trained.stderr).toContain('b-lenet, 74,694 parameters, 1,140,070 MACs, 220,150 to exit 1');
  expect(trained.code).toBe(0);
  const epochs = trained.stdout.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
  expect(epochs[1].loss).toBeLessThan(epochs[0].loss / 2);
  expect(await readJson(json)).toMatchObject({ out: model, interrupted: false, validation: { accuracy: [expect.any(Number), expect.any(Number)] } });

  const { details } = readModelFile(await readFile(model));
  expect(details.training).toMatchObject({ dataset: 'digits/train[0..400)', epochs: { planned: 2, done: 2 }, interrupted: false });
  expect(details.thresholds).toMatchObject({ criterion: 'entropy', chosenOn: { dataset: 'digits/train[400..480)', samples: 80 } });
  const described = await runCli(['doctor', model]);
  expect(described.stdout).toMatch(/chosen on digits\/train\[400\.\.480\)/);

  const judged = await runCli(['evaluate', model, '--data', data, '--json', json, ...adapter]);
  expect(judged.code).toBe(0);
  expect(judged.stdout).not.toContain('WARNING');
  const report = await readJson(json);
  expect(report).toMatchObject({
    samples: 60,
    exits: [{ exit: 1, macs: 220_150 }, { exit: 2, macs: 1_247_720 }],
    macs: { full: 1_140_070 },
    thresholds: { source: 'stored' },
  });
  expect(report.exits[0].share + report.exits[1].share).toBeCloseTo(1);
  expect(report.accuracyFull).toBeGreaterThan(0.8);
  expect(report.macs.speedup).toBeCloseTo(1_140_070 / (report.exits[0].share * 220_150 + report.exits[1].share * 1_247_720));
  for (const path of ['early', 'full']) expect(report.latencyMs[path].p50).toBeLessThanOrEqual(report.latencyMs[path].p99);

  const tuned = await runCli(['evaluate', model, '--data', data, '--split', 'validation', '--criterion', 'margin', '--json', json, ...adapter]);
  expect(tuned.stdout).toContain('WARNING: the thresholds were chosen on this very data');
  expect(await readJson(json)).toMatchObject({ criterion: { kind: 'margin' }, thresholds: { source: 'chosen' } });

  const digits = proceduralDigits({ count: 60, seed: 12, difficulty: 0 });
  await writeFolder(folder, { 'paper.png': paper(imageAt(digits, 0)) });
  const inputs = [join(folder, 'paper.png'), `${join(data, 't10k-images-idx3-ubyte')}#0`];
  const light = await runCli(['predict', model, inputs[0]!, ...adapter]);
  expect(light.stderr).toMatch(/resized from 56 x 56 to 28 x 28\nhint: .*try --invert/);
  const predicted = await runCli(['predict', model, inputs[0]!, '--invert', '--json', json, ...adapter]);
  expect(predicted.stderr).not.toContain('hint');
  const [fromPng] = (await readJson(json)).predictions;
  await runCli(['predict', model, inputs[1]!, '--json', json, ...adapter]);
  const [fromIdx] = (await readJson(json)).predictions;
  expect({ ...fromPng, input: '', changes: [] }).toEqual({ ...fromIdx, input: '' });
  expect(predicted.stdout).toMatch(/^input +label +exit +confidence +entropy +margin\n/);
});

test('Ctrl-C saves what has been learnt', async () => {
  const folder = await temporaryFolder();
  const data = await writeFolder(join(folder, 'digits'), idxFiles({ train: 240, test: 24 }));
  const model = join(folder, 'model.safetensors');
  const result = await runCli(['train', '--data', data, '--epochs', '1000', '--out', model, ...adapter], {
    onOutput(text, interrupt) {
      if (text.split('\n').length === 2) interrupt();
    },
  });
  expect(result.stderr).toContain('stopping after this step');
  expect(result.stdout).toContain('saved what there is');
  expect(result.code).toBe(130);
  const { details } = readModelFile(await readFile(model));
  expect(details.training).toMatchObject({ interrupted: true, epochs: { planned: 1000 } });
  expect(details.thresholds).toBeDefined();
  expect((await readdir(folder)).sort()).toEqual(['digits', 'model.safetensors']);
});

test('doctor measures the adapter', async () => {
  const json = join(await temporaryFolder(), 'doctor.json');
  const { code, stdout } = await runCli(['doctor', '--json', json, ...adapter]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^adapter +\S/);
  const result = await readJson(json);
  expect(result.dispatchUs).toBeGreaterThan(0);
  expect(result.readMs.p50).toBeGreaterThan(0);
  expect(result.limits.maxBufferSize).toBeGreaterThanOrEqual(2 ** 28);
});
