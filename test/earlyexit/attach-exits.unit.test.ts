import { describe, expect, it } from 'vitest';
import { attachExits } from '../../src/earlyexit/attach-exits.ts';
import { bLeNet } from '../../src/earlyexit/models/b-lenet.ts';
import { placeExits } from '../../src/earlyexit/place-exits.ts';
import type { PlainNetwork } from '../../src/earlyexit/plain-network.ts';
import { linearHead, mixedPoolHead, poolHead } from '../../src/nn/heads.ts';
import { conv2d, dropout, flatten, linear, maxPool2d, relu } from '../../src/nn/layers.ts';

const plain: PlainNetwork = {
  name: 'plain',
  input: [1, 8, 8],
  classes: 3,
  layers: [
    conv2d(1, 4, { kernel: 3, padding: 1 }), // 2,304 multiply-accumulates
    relu(),
    maxPool2d({ kernel: 2 }),
    conv2d(4, 8, { kernel: 3, padding: 1 }), // 4,608
    relu(),
    flatten(),
    linear(128, 6, { activation: 'relu' }), // 768
    dropout({ rate: 0.1 }),
    linear(6, 3), // 18
  ],
};
const FULL = 2_304 + 4_608 + 768 + 18;
const head = poolHead(3);

describe('attachExits', () => {
  it('cuts the trunk behind the layers named, in the order of the trunk', () => {
    const at = [
      { after: 'linear1', head: linearHead(3) },
      { after: 'maxPool1', head: mixedPoolHead(3) },
      { after: 'relu2', head },
    ];
    const { name, stages, parameters, macs } = attachExits(plain, { at });
    expect(name).toBe('plain');
    expect(stages.map(({ body }) => body.map(({ type }) => type))).toEqual([
      ['conv', 'relu', 'maxPool'],
      ['conv', 'relu'],
      ['flatten', 'linear'],
      ['dropout'],
    ]);
    expect(stages.flatMap(({ body }) => body)).toEqual(plain.layers.slice(0, -1));
    expect(stages.at(-1)!.exit).toEqual(plain.layers.slice(-1));
    expect(Object.keys(parameters).filter((parameter) => parameter.endsWith('weight'))).toEqual([
      'stage1.conv1.weight',
      'stage2.conv1.weight',
      'stage3.linear1.weight',
      'exit1.linear1.weight',
      'exit2.linear1.weight',
      'exit3.linear1.weight',
      'exit4.linear1.weight',
    ]);
    expect(macs.full).toBe(FULL);
    expect(macs.heads).toEqual([4 * 16 * 3, 8 * 3, 6 * 3, 18]);
  });

  it('takes layers as a head, and a network that has one exit', () => {
    const none = attachExits(plain, { at: [] });
    expect(none.stages).toHaveLength(1);
    expect(none.macs.toExit).toEqual([FULL]);
    const one = attachExits(none, { at: [{ after: 'conv2', head: [flatten(), linear(128, 3)] }] });
    expect(one.stages.map(({ body }) => body.length)).toEqual([4, 4]);
    expect(one.macs.full).toBe(FULL);
  });

  const names = 'conv1, relu1, maxPool1, conv2, relu2, flatten1, linear1, dropout1';
  it.each([
    ['conv3', `attachExits: expected a layer among ${names}, got 'conv3'`],
    ['linear2', `attachExits: expected a layer among ${names}, got 'linear2'`],
  ])('refuses an exit after %s', (after, message) => {
    expect(() => attachExits(plain, { at: [{ after, head }] })).toThrow(message);
  });

  it('refuses two exits in one place, heads that give something else, and networks with exits', () => {
    const twice = [{ after: 'conv2', head }, { after: 'conv2', head }];
    expect(() => attachExits(plain, { at: twice })).toThrow("got two after 'conv2'");
    const at = (other: typeof head) => () => attachExits(plain, { at: [{ after: 'conv1', head: other }] });
    expect(at(poolHead(4))).toThrow('plain: exit 1 gives [1, 4], expected [rows, 3] logits');
    expect(at(() => [])).toThrow('plain: exit 1 gives [1, 4, 8, 8], expected [rows, 3] logits');
    expect(at(() => [flatten(), linear(5, 3)])).toThrow('linear: expected');
    const message = 'attachExits: expected a network without early exits, got 1 in b-lenet';
    expect(() => attachExits(bLeNet(), { at: [] })).toThrow(message);
  });
});

describe('placeExits', () => {
  it.each<[number[], string[]]>([
    [[], []],
    [[0.3], ['maxPool1']],
    [[0.01, 0.7, 0.99], ['maxPool1', 'relu2', 'dropout1']],
    [[0.59, 0.94], ['maxPool1', 'relu2']],
    [[0.6], ['relu2']],
  ])('at %j of the multiply-accumulates: %j', (shares, places) => {
    expect(placeExits(plain, { shares })).toEqual(places);
    const network = attachExits(plain, { at: places.map((after) => ({ after, head: linearHead(3) })) });
    expect(network.stages).toHaveLength(shares.length + 1);
  });

  it.each([[[0]], [[1]], [[0.5, 0.4]], [[0.5, 0.5]], [[-0.1]], [[NaN]]])('refuses shares of %j', (shares) => {
    const message = `placeExits: expected ascending shares between 0 and 1, got ${shares.join(', ')}`;
    expect(() => placeExits(plain, { shares })).toThrow(message);
  });

  it('says where shares meet, and where there is no place', () => {
    expect(() => placeExits(plain, { shares: [0.1, 0.2] })).toThrow("0.1 and 0.2 both come nearest behind 'maxPool1'");
    const shallow = { ...plain, layers: [flatten(), linear(64, 3)] };
    expect(() => placeExits(shallow, { shares: [0.5] })).toThrow('multiply-accumulates before the last');
  });
});
