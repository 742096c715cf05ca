import { describe, expect, it } from 'vitest';
import { multiExit } from '../../src/earlyexit/network.ts';
import type { Stage } from '../../src/earlyexit/network.ts';
import { layer, layerToJson } from '../../src/nn/layer-json.ts';
import type { Layer } from '../../src/nn/layer.ts';
import { averagePool2d, conv2d, flatten, globalAveragePool, linear, relu } from '../../src/nn/layers.ts';
import {
  batchNorm2d, groupNorm, instanceNorm, layerNorm, localResponseNorm, rmsNorm,
} from '../../src/nn/normalization.ts';
import { countParameters } from '../../src/nn/parameters.ts';
import { padChannels, residual } from '../../src/nn/residual.ts';

const convNorm = (input: number, output: number, stride: number): Layer[] => [
  conv2d(input, output, { kernel: 3, stride, padding: 1 }),
  batchNorm2d(output, { activation: 'relu' }),
];

/** Two convolutions around which the input goes, pooled and padded where the block shrinks. */
function block(input: number, output: number): Layer {
  const stride = input === output ? 1 : 2;
  const second = [conv2d(output, output, { kernel: 3, padding: 1 }), batchNorm2d(output)];
  const body = [...convNorm(input, output, stride), ...second];
  const shortcut = stride === 1 ? [] : [averagePool2d({ kernel: 1, stride }), padChannels({ before: output - input })];
  return residual(body, { shortcut, activation: 'relu' });
}

const blocks = (count: number, input: number, output: number): Layer[] =>
  Array.from({ length: count }, (_, index) => block(index === 0 ? input : output, output));

describe('layers of networks with residual blocks', () => {
  it('put together B-ResNet-110, at its published cost', () => {
    const exit1 = [
      conv2d(16, 64, { kernel: 5, padding: 2, activation: 'relu' }),
      localResponseNorm({ size: 3, alpha: 1.5e-4, k: 2 }),
      conv2d(64, 32, { kernel: 3, padding: 1, activation: 'relu' }),
      conv2d(32, 32, { kernel: 3, padding: 1, activation: 'relu' }),
      flatten(),
      linear(28800, 10),
    ];
    const stages: Stage[] = [
      { body: [conv2d(3, 16, { kernel: 3 }), batchNorm2d(16), relu()], exit: exit1 },
      { body: blocks(18, 16, 16), exit: [block(16, 16), flatten(), linear(14400, 10)] },
      {
        body: [...blocks(18, 16, 32), ...blocks(18, 32, 64)],
        exit: [averagePool2d({ kernel: 6, stride: 1 }), flatten(), linear(576, 10)],
      },
    ];
    const { macs, parameters } = multiExit({ name: 'b-resnet-110', input: [3, 32, 32], classes: 10, stages });
    expect(macs.full).toBe(232_411_968);
    expect(macs.toExit[0]).toBe(48_600_000);
    expect(parameters).toHaveProperty(['stage3.residual36.body.norm2.variance']);
    // A mean and a variance for each channel that is normalised: in the trunk and in the block of exit 2.
    expect(countParameters(parameters).kept).toBe(2 * (16 + 36 * (16 + 32 + 64) + 2 * 16));
  });

  it('refuse a shortcut that does not fit its body', () => {
    const body = [conv2d(1, 4, { kernel: 3, padding: 1 })];
    const stages = [{ body: [residual(body)], exit: [globalAveragePool(), linear(4, 2)] }];
    const made = () => multiExit({ name: 'n', input: [1, 8, 8], classes: 2, stages });
    const got = 'f32[rows, 4, 8, 8] and f32[rows, 1, 8, 8]';
    expect(made).toThrow(`residual: expected body and shortcut of one shape, got ${got}`);
  });
});

describe('layers as JSON', () => {
  it.each<Layer>([
    conv2d(6, 12, { kernel: 3, groups: 6, dilation: 2, padding: 'same' }),
    conv2d(2, 3, { kernel: 1, bias: false, activation: 'relu' }),
    linear(4, 3, { bias: false }),
    averagePool2d({ kernel: 3, dilation: 2, padding: 'same-lower' }),
    batchNorm2d(16),
    batchNorm2d(3, { epsilon: 1e-3, momentum: 0.01, activation: 'relu' }),
    localResponseNorm({ size: 3, alpha: 5e-5, beta: 0.75, k: 2 }),
    layerNorm(8),
    rmsNorm(8, { epsilon: 1e-6 }),
    groupNorm(6, { groups: 3, epsilon: 0.1 }),
    instanceNorm(6),
    globalAveragePool(),
    padChannels({ before: 2 }),
    residual([conv2d(2, 2, { kernel: 1 })]),
    block(16, 32),
    residual([block(2, 2), relu()], { activation: 'none' }),
  ])('come back as they were: $type', (written) => {
    const read = layer(JSON.parse(JSON.stringify(layerToJson(written))), 'layer');
    expect(layerToJson(read)).toEqual(layerToJson(written));
    expect(Object.keys(read.parameters)).toEqual(Object.keys(written.parameters));
  });

  it.each<[unknown, string]>([
    [{ type: 'conv', input: 4, output: 6, kernel: 3, groups: 3 }, 'layer.groups: expected a divisor of 4 and 6, got 3'],
    [{ type: 'conv', input: 4, output: 6, kernel: 3, padding: 'none' }, 'layer.padding: expected one of same,'],
    [{ type: 'norm' }, 'layer.channels: expected an integer >= 1'],
    [{ type: 'norm', channels: 2, epsilon: 0 }, 'layer.epsilon: expected a number >= 1e-30'],
    [{ type: 'norm', channels: 2, momentum: 1.5 }, 'layer.momentum: expected a number >= 0 and <= 1, got 1.5'],
    [{ type: 'layerNorm', features: 2, epsilon: 0 }, 'layer.epsilon: expected a number >= 1e-30'],
    [{ type: 'groupNorm', channels: 2 }, 'layer.groups: expected an integer >= 1'],
    [{ type: 'localResponseNorm', size: 0 }, 'layer.size: expected an integer >= 1'],
    [{ type: 'padChannels', after: 0.5 }, 'layer.after: expected an integer'],
    [{ type: 'residual', body: [{ type: 'relu' }, { type: 'magic' }] }, 'layer.body[1].type: expected one of conv,'],
    [{ type: 'residual', body: [], shortcut: {} }, 'layer.shortcut: expected an array, got an object'],
  ])('refuse %j', (json, message) => expect(() => layer(json, 'layer')).toThrow(message));
});
