import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { expect, test } from 'vitest';
import { imageAt, proceduralDigits, readModelFile } from '../../src/index.ts';
import { idxFiles, writeFolder } from './fixtures.ts';
import { runCli, temporaryFolder } from './run-cli.ts';

const adapter = process.env['EXITGPU_ADAPTER'] ? ['--adapter', process.env['EXITGPU_ADAPTER']] : [];

/** A PNG, dark strokes on light paper, twice as large as the network wants. */
function paper(pixels: Uint8Array): Buffer {
  const image = new PNG({ width: 56, height: 56 });
  for (let pixel = 0; pixel < 56 * 56; pixel++) {
    const source = pixels[Math.floor(pixel / 112) * 28 + Math.floor((pixel % 56) / 2)]!;
    image.data.set([255 - source, 255 - source, 255 - source, 255], pixel * 4);
  }
  return PNG.sync.write(image);
}

test('a model is trained, described, judged and used', async () => {
  const folder = await temporaryFolder();
  const data = await writeFolder(join(folder, 'digits'), idxFiles({ train: 480, test: 60 }));
  const [model, json] = [join(folder, 'model.safetensors'), join(folder, 'result.json')];
  /** Runs a verb on the adapter, expects it to end well, and returns what it printed and what `--json` wrote. */
  const run = async (verb: string, ...args: string[]) => {
    const result = await runCli([verb, ...args, '--json', json, ...adapter]);
    expect(result.code, result.stderr).toBe(0);
    return { ...result, json: JSON.parse(await readFile(json, 'utf8')) };
  };

  const training = ['--epochs', '2', '--batch', '16', '--learning-rate', '0.003'];
  const trained = await run('train', '--data', data, '--out', model, ...training);
  expect(trained.stderr).toContain('b-lenet, 74,694 parameters, 1,140,070 MACs, 220,150 to exit 1');
  const epochs = trained.stdout.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
  expect(epochs[1].loss).toBeLessThan(epochs[0].loss / 2);
  expect(trained.json).toMatchObject({ out: model, interrupted: false });
  expect(trained.json.validation.accuracy).toHaveLength(2);

  const { details } = readModelFile(await readFile(model));
  expect(details.training).toMatchObject({ dataset: 'digits/train[0..400)', epochs: { planned: 2, done: 2 } });
  const chosenOn = { dataset: 'digits/train[400..480)', samples: 80 };
  expect(details.thresholds).toMatchObject({ criterion: 'entropy', chosenOn });
  expect((await run('doctor', model)).json.thresholds).toEqual(details.thresholds);

  const judged = await run('evaluate', model, '--data', data);
  expect(judged.stdout).not.toContain('WARNING');
  expect(judged.json).toMatchObject({
    samples: 60,
    exits: [{ exit: 1, macs: 220_150 }, { exit: 2, macs: 1_247_720 }],
    macs: { full: 1_140_070 },
    thresholds: { source: 'stored', chosenOn },
    warnings: [],
  });
  const { exits: [first, second], accuracyFull, macs, latencyMs } = judged.json;
  expect(first.share + second.share).toBeCloseTo(1);
  expect(accuracyFull).toBeGreaterThan(0.8);
  expect(macs.mean).toBeCloseTo(first.share * 220_150 + second.share * 1_247_720);
  expect(macs.speedup).toBeCloseTo(macs.full / macs.mean);
  for (const { p50, p99 } of [latencyMs.early, latencyMs.full]) expect(p50).toBeLessThanOrEqual(p99);

  const scores = join(folder, 'scores.parquet');
  const stress = ['--rates', '2000', '--slow-down', '0.2'];
  const pressed = await run('evaluate', model, '--data', data, '--record', scores, '--threshold', '0.5', ...stress);
  expect(pressed.json.worstCase.macs).toEqual({ worst: 1_247_720, full: 1_140_070 });
  const [{ early, full }] = pressed.json.load;
  for (const { served, rejected } of [early, full]) expect(served + rejected).toBe(1000);
  const { before, after } = pressed.json.slowDown;
  expect(before.early).toBe(pressed.json.exits[0].share);
  expect(after.exit).toBeGreaterThan(before.exit);
  expect(pressed.stdout).toMatch(/\n  2000\/s, with exits .*\n +without .*\n/);
  expect(pressed.stdout).toMatch(/\n  slowed down .*\n  the bound +1,247,720\n/);

  const swept = await run('sweep', scores, '--threshold', '0.5');
  expect(swept.json).toMatchObject({ judgedOn: { samples: 30 }, chosenOn: { samples: 30 }, full: { macs: 1_140_070 } });
  expect(swept.stdout).toMatch(/oracle\n +1,140,070 +1\.00x .* without exits\n/);

  const shared = join(folder, 'shared.safetensors');
  const halved = await run('tune', model, '--data', data, '--shares', '0.5,0.5', '--draws', '5', '--out', shared);
  const halves = [0.5, 0.5];
  expect(halved.json.thresholds).toMatchObject({ chosenOn, targetShares: halves, achieved: { shares: halves } });
  expect(readModelFile(await readFile(shared)).details.thresholds).toEqual(halved.json.thresholds);
  const looked = await run('diagnose', shared, '--data', data, '--timed', '5', '--draws', '5');
  expect(looked.json.examinations).toHaveLength(8);
  expect(looked.stdout).toContain('in 8 examinations');

  const tuned = await run('evaluate', model, '--data', data, '--split', 'validation', '--criterion', 'margin');
  expect(tuned.stdout).toContain('WARNING: the thresholds were chosen on this very data');
  expect(tuned.json).toMatchObject({ criterion: { kind: 'margin' }, thresholds: { source: 'chosen', chosenOn } });

  const calibrated = join(folder, 'calibrated.safetensors');
  const fitted = await run('calibrate', model, '--data', data, '--out', calibrated);
  expect(fitted.stdout).toMatch(/\n +accuracy +ECE +adaptive +Brier +NLL +failure AUROC\n  exit 1 .*\n    T [0-9.]+/);
  expect(fitted.json).toMatchObject({ fittedOn: chosenOn.dataset, out: calibrated, warnings: [] });
  const fits: { temperature: number; bounded: boolean }[] = fitted.json.calibrators;
  const temperatures = fits.map(({ temperature, bounded }) => (bounded ? 1 : temperature));
  expect(fitted.json.thresholds).toMatchObject({ criterion: 'entropy', temperatures, chosenOn });
  expect(readModelFile(await readFile(calibrated)).details.thresholds).toEqual(fitted.json.thresholds);
  const shown = await run('calibrate', calibrated, '--data', data, '--method', 'isotonic', '--split', 'validation');
  expect(shown.stdout).toContain('not saved  exit checks compute no isotonic scaling');
  expect(shown.stdout).toContain('WARNING: calibration is judged on the very data it was fitted on');

  const digit = imageAt(proceduralDigits({ count: 60, seed: 12, difficulty: 0 }), 0);
  await writeFolder(folder, { 'paper.png': paper(digit) });
  const [png, idx] = [join(folder, 'paper.png'), `${join(data, 't10k-images-idx3-ubyte')}#0`];
  const light = await run('predict', model, png);
  expect(light.stderr).toMatch(/resized from 56 x 56 to 28 x 28\nhint: .*try --invert/);
  const inverted = await run('predict', model, png, '--invert');
  expect(inverted.stderr).not.toContain('hint');
  expect(inverted.stdout).toMatch(/^input +label +exit +confidence +entropy +margin\n/);
  const plain = await run('predict', model, idx);
  const changes = ['resized from 56 x 56 to 28 x 28'];
  expect(inverted.json.predictions).toEqual([{ ...plain.json.predictions[0], input: png, changes }]);
  const { confidence, label } = plain.json.predictions[0];
  const half = await runCli(['predict', model, idx, '--half', '--json', json, ...adapter]);
  if (half.code !== 0) return expect(half.stderr).toContain('shader-f16');
  const [rounded] = JSON.parse(await readFile(json, 'utf8')).predictions;
  expect(rounded.label).toBe(label);
  expect(rounded.confidence).not.toBe(confidence);
  expect(rounded.confidence).toBeCloseTo(confidence, 2);
});

test('gates are trained with the model, and decide where it is used', async () => {
  const folder = await temporaryFolder();
  const data = await writeFolder(join(folder, 'digits'), idxFiles({ train: 240, test: 40 }));
  const [model, json] = [join(folder, 'gated.safetensors'), join(folder, 'result.json')];
  const run = async (...args: string[]) => {
    const result = await runCli([...args, '--json', json, ...adapter]);
    expect(result.code, result.stderr).toBe(0);
    return { ...result, json: JSON.parse(await readFile(json, 'utf8')) };
  };
  const trained = await run('train', '--data', data, '--out', model, '--gates', '4', '--epochs', '2', '--batch', '16');
  expect(trained.stderr).toContain('b-lenet, 74,698 parameters');
  expect(trained.stdout).toMatch(/^learned +[0-9.]+ % leave at exit 1, [0-9.]+ % leave at exit 2$/m);
  const { network, details } = readModelFile(await readFile(model));
  expect(network.gates).toBe(true);
  expect(details).toMatchObject({ training: { strategy: 'jointGates' } });
  expect(details.thresholds).toBeUndefined();

  const judged = await run('evaluate', model, '--data', data);
  expect(judged.json).toMatchObject({ criterion: { kind: 'gate' }, thresholds: { source: 'stored' } });
  // What a stage costs weighs so much that exit 1 is the right one for all.
  expect(judged.json.exits[0].share).toBeGreaterThan(0.5);
  const predicted = await run('predict', model, `${join(data, 't10k-images-idx3-ubyte')}#0`);
  expect(predicted.json).toMatchObject({ criterion: { kind: 'gate', gates: [{ bias: expect.any(Number) }] } });
  const asked = await run('evaluate', model, '--data', data, '--criterion', 'margin');
  expect(asked.json).toMatchObject({ criterion: { kind: 'margin' }, thresholds: { source: 'chosen' } });
});

test('Ctrl-C saves what has been learnt, and the same call goes on', async () => {
  const folder = await temporaryFolder();
  const data = await writeFolder(join(folder, 'digits'), idxFiles({ train: 240, test: 24 }));
  const model = join(folder, 'model.safetensors');
  const call = ['train', '--data', data, '--epochs', '1000', '--out', model, ...adapter];
  /** Until the first epoch of this sitting is over. */
  const sitting = (...more: string[]) =>
    runCli([...call, ...more], {
      onOutput(text, interrupt) {
        if (text.split('\n').length === 2) interrupt();
      },
    });
  const result = await sitting();
  expect(result.stderr).toContain('stopping after this step');
  expect(result.stdout).toContain('saved what there is');
  expect(result.code).toBe(130);
  const { details } = readModelFile(await readFile(model));
  expect(details.training).toMatchObject({ interrupted: true, epochs: { planned: 1000 } });
  expect(details.thresholds).toBeDefined();
  const files = ['digits', 'model.jsonl', 'model.safetensors', 'model.training.safetensors'];
  expect((await readdir(folder)).sort()).toEqual(files);

  expect(await runCli(call)).toMatchObject({ code: 2, stderr: expect.stringContaining('go on with it by --resume') });
  const other = await runCli([...call, '--resume', '--seed', '2']);
  expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('begun with seed 1, now asked for 2') });
  const resumed = await sitting('--resume');
  expect(resumed.code, resumed.stderr).toBe(130);
  const log = (await readFile(join(folder, 'model.jsonl'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line));
  const events = log.map(({ event }) => event).filter((event) => event !== 'step' && event !== 'epoch');
  const sittings = [['begin', 'checkpoint', 'interruption'], ['resume', 'failure'], ['resume', 'checkpoint', 'interruption']];
  expect(events).toEqual(sittings.flat());
  expect(log[0]).toMatchObject({ adapter: expect.any(String), seed: 1, flags: { epochs: 1000 }, webgpu: '0.6.2' });
  const epochs = log.filter(({ event }) => event === 'epoch').map(({ epoch }) => epoch);
  expect(epochs.length).toBeGreaterThan(1);
  expect(epochs).toEqual(epochs.map((_, index) => index + 1));
});

test('profile shows where the time of a model goes, as a table and a picture', async () => {
  const folder = await temporaryFolder();
  const [json, svg] = [join(folder, 'profile.json'), join(folder, 'profile.svg')];
  const { code, stdout } = await runCli(['profile', 'mlp', '--batch', '8', '--json', json, '--svg', svg, ...adapter]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^mlp, batch 8: .* ms on the GPU/);
  const { kernels, limits } = JSON.parse(await readFile(json, 'utf8'));
  expect(limits.flopsPerSecond).toBeGreaterThan(0);
  expect(limits.bytesPerSecond).toBeGreaterThan(0);
  expect(kernels.some(({ flops }: { flops: number }) => flops > 0)).toBe(true);
  expect(await readFile(svg, 'utf8')).toMatch(/^<svg/);
});

test('doctor measures the adapter', async () => {
  const json = join(await temporaryFolder(), 'doctor.json');
  const { code, stdout } = await runCli(['doctor', '--json', json, ...adapter]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^adapter +\S/);
  const result = JSON.parse(await readFile(json, 'utf8'));
  expect(result.dispatchUs).toBeGreaterThan(0);
  expect(result.readMs.p50).toBeGreaterThan(0);
  expect(result.limits.maxBufferSize).toBeGreaterThanOrEqual(2 ** 28);
});
