import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, expect, test } from 'vitest';
import { writeScores } from '../../src/cli/score-file.ts';
import { cifar } from '../data/cifar-bytes.ts';
import { idx } from '../data/idx-bytes.ts';
import { randomTable } from '../earlyexit/score-tables.ts';
import { blankModel, idxFiles, writeFolder } from './fixtures.ts';
import { runCli } from './run-cli.ts';

const room = await mkdtemp(join(tmpdir(), 'exitgpu-bad-'));
afterAll(() => rm(room, { recursive: true, force: true }));

const good = idxFiles({ train: 12, test: 4 });
const png = PNG.sync.write(new PNG({ width: 28, height: 28 }));
const model = blankModel();
const PRECIOUS = 'do not touch';
await writeFolder(room, {
  'model.safetensors': model,
  'short.safetensors': model.subarray(0, 5000),
  'huge-header.safetensors': Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 127, 123, 125),
  'foreign.safetensors': Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 123, 125),
  'text.txt': 'hello, I am no model',
  'damaged.png': png.subarray(0, 60),
  'digits.idx': good['t10k-images-idx3-ubyte']!,
  'precious.safetensors': PRECIOUS,
  'precious.json': PRECIOUS,
});
const truncated = good['train-images-idx3-ubyte']!.subarray(0, 3000);
await writeFolder(join(room, 'truncated'), { ...good, 'train-images-idx3-ubyte': truncated });
await writeFolder(join(room, 'foreign'), { ...good, 'train-images-idx3-ubyte': png });
await writeFolder(join(room, 'disagree'), { ...good, 'train-labels-idx1-ubyte': idx([11], new Uint8Array(11)) });
await writeFolder(join(room, 'small'), {
  ...good,
  'train-images-idx3-ubyte': idx([12, 14, 14], new Uint8Array(12 * 196)),
  't10k-images-idx3-ubyte': idx([4, 14, 14], new Uint8Array(4 * 196)),
});
await writeFolder(join(room, 'colour'), { 'train-32.bin': cifar([0, 1, 2, 3, 4, 5]), 'test-32.bin': cifar([6]) });
await writeFolder(join(room, 'empty'), {});
for (const [name, exits] of [['two', 2], ['three', 3]] as const) {
  const record = { table: randomTable(exits, 8, 1), network: name, heads: Array<number>(exits).fill(10) };
  await writeScores(join(room, `${name}.parquet`), record);
}

/** No driver anywhere: an input that is not refused in time ends in exit code 3. */
const env = { VK_DRIVER_FILES: join(room, 'empty'), VK_ICD_FILENAMES: join(room, 'empty') };

/** Arguments, with `@` for the folder above; the exit code; what the message says. */
const calls: [string, number, ...string[]][] = [
  ['trian', 2, 'unknown verb trian', 'did you mean train'],
  ['train --epoch 3', 2, 'unknown flag --epoch', 'did you mean --epochs'],
  ['train --epochs 0', 2, '--epochs: expected an integer of 1 or more'],
  ['train --model b-lenat', 2, '--model: expected one of b-lenet', 'b-lenat'],
  ['train --weights 1,1,1', 2, '--weights: expected 2 numbers for b-lenet', '1,1,1'],
  ['train --resume', 2, '--resume: expected an interrupted training in models/', 'leave --resume out'],
  ['reproduce fashion', 2, 'reproduce fashion: expected --data with the folder with Fashion-MNIST, got none'],
  ['reproduce b-lenet', 2, 'reproduce: expected one of b-lenet-mnist (', "got 'b-lenet'"],
  ['train --gates 1 --strategy separate', 2, '--gates: expected no --strategy beside it', 'separate'],
  ['train --data @/truncated', 1, 'truncated IDX', 'train-images-idx3-ubyte'],
  ['train --data @/foreign', 1, 'not IDX', 'a PNG image'],
  ['train --data @/disagree', 1, 'expected 12 labels', 'got 11'],
  ['train --data @/small', 1, 'expected images of [1, 28, 28]', 'got [1, 14, 14]'],
  ['train --data @/colour', 1, 'got [3, 32, 32]', 'such images are for b-alexnet, b-resnet, small-cnn, mlp'],
  ['train --model mlp --data @/colour --image-size 64', 1, 'expected one of train-64.bin, train.bin', 'test-32.bin'],
  ['train --image-size 32', 2, '--image-size: expected it with --data <folder> only'],
  ['evaluate @/model.safetensors --data @/colour', 1, 'expected images of [1, 28, 28]', 'got [3, 32, 32]'],
  ['train --data @/empty', 1, 'got an empty folder'],
  ['train --data @/text.txt', 1, 'expected a folder of labelled images, got a file'],
  ['train --data @/disagree --out @/precious.safetensors --json @/precious.json', 1, 'expected 12 labels'],
  ['train --out @/nowhere/model.safetensors', 1, 'nowhere', 'nothing there'],
  ['train --out @/empty', 1, 'expected a name for a file, got a folder'],
  ['evaluate @/none.safetensors', 1, 'none.safetensors: expected a model file, got nothing there'],
  ['evaluate @/empty', 1, 'got a folder'],
  ['evaluate @/text.txt', 1, 'text.txt'],
  ['evaluate @/short.safetensors', 1, 'short.safetensors'],
  ['evaluate @/huge-header.safetensors', 1, 'huge-header.safetensors'],
  ['evaluate @/foreign.safetensors', 1, "expected a metadata key 'exitgpu'"],
  ['evaluate @/model.safetensors --data @/small', 1, 'expected images of [1, 28, 28]'],
  ['report @/model.safetensors --out @/page.txt', 2, '--out: expected a name such as report.html', 'page.txt'],
  ['report @/model.safetensors --plain @/text.txt', 1, 'text.txt'],
  ['evaluate @/model.safetensors --rates 50,0', 2, "--rates: expected a number above 0, got '0'"],
  ['evaluate @/model.safetensors --half --slow-down 0.1', 2, 'expected a model in f32, got --half'],
  ['evaluate @/model.safetensors --slow-down 8', 2, "--slow-down: expected a number from 0.004 to 1, got '8'"],
  ['evaluate @/model.safetensors --threshold 2.4', 2, '--threshold: entropy: expected', 'from 0 to 2.3026 nats', '2.4'],
  ['evaluate @/model.safetensors --threshold -0.1', 2, "--threshold: expected a number of 0 or more, got '-0.1'"],
  ['evaluate @/model.safetensors --criterion margin --threshold 1.1', 2, '--threshold: margin: expected', '0 to 1'],
  ['evaluate @/model.safetensors --threshold 1,1', 2, '--threshold: entropy: expected 1 thresholds', 'got 2'],
  ['evaluate @/model.safetensors --criterion surprise', 2, '--criterion: expected one of entropy, confidence, margin'],
  ['sweep @/two.parquet --validation @/three.parquet', 2, '--validation: expected scores of two, exits of 100 and 200',
    'two.parquet, got those of three, exits of 100 and 200 and 300 multiply-accumulates'],
  ['tune @/model.safetensors --milliseconds 0', 2, "--milliseconds: expected a number above 0, got '0'"],
  ['tune @/model.safetensors --late 0.1', 2, '--late: expected it with --deadline ms, got none'],
  ['tune @/scores.parquet --milliseconds 1', 2, 'scores.parquet: expected a model', 'got recorded scores'],
  ['sweep @/model.safetensors @/scores.parquet --milliseconds', 2, '--milliseconds: expected models', 'scores.parquet'],
  ['calibrate @/model.safetensors --method beta', 2, '--method: expected one of temperature, vector, platt, isotonic'],
  ['calibrate @/model.safetensors --method platt --out @/new', 2, '--out: expected it with --method temperature only'],
  ['calibrate @/model.safetensors --data @/small', 1, 'expected images of [1, 28, 28]', 'got [1, 14, 14]'],
  ['tune @/model.safetensors --svg @/nowhere/tune.svg', 1, 'nowhere', 'nothing there'],
  ['sweep @/two.parquet --json @/new --svg @/new', 2, '--svg: expected a file that nothing else names'],
  ['profile lenet', 1, 'lenet: expected a model file, or one of b-lenet,', 'got nothing there'],
  ['predict @/model.safetensors @/digits.idx#1', 2, '--threshold: expected one'],
  ['predict @/model.safetensors @/none.png --threshold 1', 1, 'none.png', 'nothing there'],
  ['predict @/model.safetensors @/text.txt --threshold 1', 1, 'expected a PNG image', 'got text'],
  ['predict @/model.safetensors @/damaged.png --threshold 1', 1, 'expected a whole PNG image'],
  ['predict @/model.safetensors @/digits.idx#4 --threshold 1', 1, 'expected an index from 0 to 3, got 4'],
];

test.concurrent.each(calls)('exitgpu %s: exit code %i', async (line, code, ...parts) => {
  const result = await runCli(line.replaceAll('@', room).split(' '), { env });
  const [message, ...others] = result.stderr.trimEnd().split('\n');
  expect(message).toMatch(/^exitgpu: /);
  for (const part of parts) expect(message).toContain(part);
  expect(others).toEqual([]);
  expect(result).toMatchObject({ code, stdout: '' });
});

test.concurrent.each(['doctor', 'predict @/model.safetensors @/digits.idx#3 --threshold 1 --json @/precious.json'])(
  'exitgpu %s: exit code 3 without an adapter',
  async (line) => {
    const { code, stderr, stdout } = await runCli(line.replaceAll('@', room).split(' '), { env });
    // Dawn has its own say before.
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^exitgpu: .*no adapter.* VK_ICD_FILENAMES/);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  },
);

test('a failure leaves every file as it was', async () => {
  for (const name of ['precious.safetensors', 'precious.json']) {
    expect(await readFile(join(room, name), 'utf8')).toBe(PRECIOUS);
  }
  expect((await readdir(room)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  await expect(stat(join(room, 'nowhere'))).rejects.toThrow('ENOENT');
});

test('EXITGPU_DEBUG shows where it went wrong', async () => {
  const { stderr, code } = await runCli(['evaluate', join(room, 'none.safetensors')], { env: { EXITGPU_DEBUG: '1' } });
  expect(stderr).toMatch(/\n +at /);
  expect(code).toBe(1);
});
