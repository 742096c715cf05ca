import { expect, it } from 'vitest';
import { multiExit } from '../../src/earlyexit/network.ts';
import { convHead, linearHead, mixedPoolHead, poolHead } from '../../src/nn/heads.ts';
import type { Head } from '../../src/nn/heads.ts';
import { layer, layerToJson } from '../../src/nn/layer-json.ts';
import { mixedPool2d } from '../../src/nn/mixed-pool.ts';

const heads: Readonly<Record<string, (classes: number) => Head>> = { linearHead, poolHead, convHead, mixedPoolHead };

const SHAPES = [[3, 7, 9], [4, 8, 8], [2, 30, 17], [5, 1, 1]] as const;

it.each(Object.entries(heads).flatMap(([name, head]) => SHAPES.map((shape) => [name, shape, head] as const)))(
  '%s gives logits on planes of %j',
  (_, input, head) => {
    // multiExit checks what a head gives.
    const { parameters } = multiExit({ name: 'n', input, classes: 6, stages: [{ body: [], exit: head(6)(input) }] });
    expect(parameters).toHaveProperty(['exit1.linear1.bias']);
  },
);

it('heads are as small as they say', () => {
  const costOf = (head: Head) => {
    const input = [4, 9, 11] as const;
    const { macs, parameters } = multiExit({ name: 'n', input, classes: 3, stages: [{ body: [], exit: head(input) }] });
    return [macs.full, Object.keys(parameters).length];
  };
  expect(costOf(linearHead(3))).toEqual([396 * 3, 2]);
  expect(costOf(poolHead(3))).toEqual([4 * 3, 2]);
  expect(costOf(convHead(3))).toEqual([9 * 11 * 36 * 4 + 5 * 6 * 4 * 3, 4]);
  expect(costOf(convHead(3, { channels: 2 }))).toEqual([9 * 11 * 36 * 2 + 5 * 6 * 2 * 3, 4]);
  expect(costOf(mixedPoolHead(3))).toEqual([4 * 4 * 5 * 3, 3]);
});

it.each(Object.entries(heads))('%s says what it needs where there are no planes', (name, head) => {
  if (name === 'linearHead') expect(head(3)([20])).toHaveLength(1);
  else expect(() => head(3)([20])).toThrow(`${name}: expected [channels, height, width], got [20]; linearHead`);
});

it('mixed pooling comes back from JSON as it was', () => {
  const written = mixedPool2d({ kernel: 3 });
  const read = layer(JSON.parse(JSON.stringify(layerToJson(written))), 'layer');
  expect(layerToJson(read)).toEqual(layerToJson(written));
  expect(Object.keys(read.parameters)).toEqual(['mix']);
  expect(() => layer({ type: 'mixedPool' }, 'layer')).toThrow('layer.kernel: expected an integer >= 1');
});
