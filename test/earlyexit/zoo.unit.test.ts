import { describe, expect, it } from 'vitest';
import { createDataset } from '../../src/data/dataset.ts';
import type { ImageShape } from '../../src/data/dataset.ts';
import { bAlexNet } from '../../src/earlyexit/models/b-alexnet.ts';
import { bLeNet } from '../../src/earlyexit/models/b-lenet.ts';
import { bResNet } from '../../src/earlyexit/models/b-resnet.ts';
import { looped } from '../../src/earlyexit/models/looped.ts';
import { mlp } from '../../src/earlyexit/models/mlp.ts';
import { smallCnn } from '../../src/earlyexit/models/small-cnn.ts';
import { MODEL_NAMES, MODELS, networkFor } from '../../src/earlyexit/models/zoo.ts';
import type { ModelName } from '../../src/earlyexit/models/zoo.ts';
import type { Network } from '../../src/earlyexit/network.ts';
import { modelText, partCosts, partsText } from '../../src/report/model.ts';

interface Costs {
  readonly network: Network;
  readonly full: number;
  readonly toExit: readonly number[];
  /** Of stage 1, exit 1, stage 2, ... */
  readonly trained: readonly number[];
  readonly kept: readonly number[];
}

const none = [0, 0, 0, 0, 0, 0];

it.each<Costs>([
  {
    network: bLeNet(),
    full: 1_140_070,
    toExit: [220_150, 1_247_720],
    trained: [130, 6_870, 66_844, 850],
    kept: [0, 0, 0, 0],
  },
  {
    network: bAlexNet(),
    full: 28_247_296,
    toExit: [17_339_392, 21_321_984, 30_465_536],
    trained: [53_696, 32_842, 55_392, 28_970, 433_696, 1_290],
    kept: none,
  },
  {
    network: bResNet(),
    full: 232_411_968,
    toExit: [48_600_000, 127_540_800, 284_914_368],
    trained: [480, 341_386, 84_672, 148_714, 1_646_208, 5_770],
    kept: [32, 0, 1_152, 64, 6_912, 0],
  },
  {
    network: bResNet({ blocks: 1 }),
    full: 11_191_104,
    toExit: [48_600_000, 57_038_400, 63_693_504],
    trained: [480, 341_386, 4_704, 148_714, 69_696, 5_770],
    kept: [32, 0, 64, 64, 384, 0],
  },
  {
    network: smallCnn(),
    full: 749_504,
    toExit: [60_368, 410_816, 765_184],
    trained: [80 + 16, 3_930, 8 * 9 * 24 + 24 + 48, 11_770, 24 * 9 * 32 + 32 + 64, 15_690],
    kept: [16, 0, 48, 0, 64, 0],
  },
  {
    network: mlp({ input: [3, 8, 8], widths: [32, 16], classes: 5 }),
    full: 192 * 32 + 32 * 16 + 16 * 5,
    toExit: [192 * 32 + 32 * 5, 192 * 32 + 32 * 5 + 32 * 16 + 16 * 5],
    trained: [193 * 32, 33 * 5, 33 * 16, 17 * 5],
    kept: [0, 0, 0, 0],
  },
  {
    // A step is 7 -> 6 -> 3 and 3 -> 1; all steps have the parameters of the first.
    network: looped({ input: [1, 1, 4], classes: 3, width: 3, steps: 3 }),
    full: 3 * 63 + 9,
    toExit: [72, 144, 216],
    trained: [8 * 6 + 7 * 3 + 4, 4 * 3, 0, 0, 0, 0],
    kept: none,
  },
  {
    network: looped({ input: [1, 1, 4], classes: 3, width: 3, steps: 2, cell: 'gru', halting: 'act' }),
    full: 2 * (7 * 9 + 3) + 9,
    toExit: [75, 150],
    trained: [8 * 9 + 4, 4 * 3, 0, 0],
    kept: [0, 0, 0, 0],
  },
])('$network.name costs what is published', ({ network, full, toExit, trained, kept }) => {
  expect(network.macs).toMatchObject({ full, toExit });
  const parts = partCosts(network);
  expect(parts.map((part) => part.trained)).toEqual(trained);
  expect(parts.map((part) => part.kept)).toEqual(kept);
  expect(parts.reduce((sum, { macs }) => sum + macs, 0)).toBe(toExit.at(-1));
});

it('heads of B-AlexNet, and the main network of B-LeNet, are the published ones', () => {
  expect(bAlexNet().macs.heads).toEqual([1_774_592, 443_648, 1_280]);
  const main = partCosts(bLeNet()).filter(({ part }) => part !== 'exit 1');
  expect(main.reduce((sum, { trained }) => sum + trained, 0)).toBe(67_824);
});

it.each(MODEL_NAMES)('%s is made by its name and for as many classes as are asked for', (name) => {
  expect(MODELS[name]().name).toMatch(name);
  const { classes, macs } = MODELS[name]({ classes: 3 });
  expect(classes).toBe(3);
  expect(macs.full).toBeLessThan(MODELS[name]().macs.full);
});

describe('networkFor', () => {
  /** Nothing of a data set but what decides: the shape of its images, and as many classes. */
  const images = (shape: ImageShape, classes: number) => createDataset({
    name: 'some',
    shape,
    images: new Uint8Array(0),
    labels: new Uint8Array(0),
    classNames: Array.from({ length: classes }, (_, label) => String(label)),
  });

  it.each<[ModelName, ImageShape]>([
    ['b-lenet', [1, 28, 28]],
    ['b-alexnet', [3, 32, 32]],
    ['b-resnet', [3, 32, 32]],
    ['mlp', [1, 28, 28]],
    ['mlp', [3, 64, 48]],
    ['small-cnn', [3, 64, 48]],
  ])('builds %s for images of [%s] and their classes', (name, shape) => {
    expect(networkFor(name, images(shape, 7))).toMatchObject({ input: shape, classes: 7 });
  });

  it('names the networks that take such images', () => {
    expect(() => networkFor('b-alexnet', images([1, 28, 28], 10))).toThrow(
      'b-alexnet: expected images of [3, 32, 32], got [1, 28, 28] in some; such images are for b-lenet, small-cnn, mlp',
    );
    expect(() => networkFor('b-lenet', images([3, 64, 64], 10))).toThrow(/such images are for small-cnn, mlp, looped$/);
  });
});

it.each<[string, () => Network]>([
  ['bResNet: expected 1 block or more of each width, got 0', () => bResNet({ blocks: 0 })],
  ['bResNet: expected 1 block or more of each width, got 1.5', () => bResNet({ blocks: 1.5 })],
  ['smallCnn: expected one or more positive widths, got [8, 1.5]', () => smallCnn({ widths: [8, 1.5] })],
  ['mlp: expected one or more positive widths, got []', () => mlp({ widths: [] })],
  ['mlp: expected one or more positive widths, got [4, 0]', () => mlp({ widths: [4, 0] })],
  ['looped: expected a positive whole number of steps, got 0', () => looped({ steps: 0 })],
  ['looped: expected a positive whole number of width, got 1.5', () => looped({ width: 1.5 })],
  ["expected halting of ponder, act, got 'never'", () => looped({ halting: 'never' as 'act' })],
  ["looped: expected a cell of mlp, gru, got 'lstm'", () => looped({ cell: 'lstm' as 'gru' })],
])('%s', (message, make) => expect(make).toThrow(message));

describe('the text of a network', () => {
  it('has a row for each part, and running statistics where there are any', () => {
    expect(partsText(bLeNet())).toBe(`
          parameters        MACs   MACs to exit
stage 1          130     112,500
exit 1         6,870     107,650        220,150
stage 2       66,844   1,026,730
exit 2           850         840      1,247,720`.slice(1));
    expect(partsText(bResNet({ blocks: 1 })).split('\n').slice(0, 3)).toEqual([
      '          parameters   kept         MACs   MACs to exit',
      'stage 1          480     32      388,800',
      'exit 1       341,386      0   48,211,200     48,600,000',
    ]);
  });

  it('shows what is inside residual blocks, and equal ones once', () => {
    const text = modelText(bResNet(), {}).replace(/\s+/g, ' ');
    const block = (width: number): string => `conv 3x3 ${width}->${width}, norm ${width}`;
    expect(text).toContain(`stage 2 18 x residual [${block(16)} relu, ${block(16)}] relu exit 2`);
    expect(text).toContain(
      `stage 3 residual [conv 3x3 stride 2 16->32, norm 32 relu, ${block(32)}] ` +
        `around [averagePool 1x1 stride 2, padChannels] relu, 17 x residual [`,
    );
    expect(text).toContain('2,227,230 parameters and 8,160 running statistics, 232,411,968 MACs');
  });
});
