import { describe, expect, it } from 'vitest';
import { bAlexNet } from '../../src/earlyexit/models/b-alexnet.ts';
import { bLeNet } from '../../src/earlyexit/models/b-lenet.ts';
import { bResNet } from '../../src/earlyexit/models/b-resnet.ts';
import { mlp } from '../../src/earlyexit/models/mlp.ts';
import { MODEL_NAMES, MODELS } from '../../src/earlyexit/models/zoo.ts';
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
    network: mlp({ input: [3, 8, 8], widths: [32, 16], classes: 5 }),
    full: 192 * 32 + 32 * 16 + 16 * 5,
    toExit: [192 * 32 + 32 * 5, 192 * 32 + 32 * 5 + 32 * 16 + 16 * 5],
    trained: [193 * 32, 33 * 5, 33 * 16, 17 * 5],
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

it.each<[string, () => Network]>([
  ['bResNet: expected 1 block or more of each width, got 0', () => bResNet({ blocks: 0 })],
  ['bResNet: expected 1 block or more of each width, got 1.5', () => bResNet({ blocks: 1.5 })],
  ['mlp: expected one or more positive widths, got []', () => mlp({ widths: [] })],
  ['mlp: expected one or more positive widths, got [4, 0]', () => mlp({ widths: [4, 0] })],
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
