import { describe, expect, it } from 'vitest';
import { ArgumentError, ShapeError } from '../../src/errors.ts';
import { convTranspose2d } from '../../src/kernels/conv-transpose2d.ts';
import type { ConvTranspose2dAttributes } from '../../src/kernels/conv-transpose2d.ts';
import { conv2d } from '../../src/kernels/conv2d.ts';
import type { Conv2dAttributes } from '../../src/kernels/conv2d.ts';
import { averagePool2d, lpPool2d, maxPool2d } from '../../src/kernels/pool2d.ts';
import type { AveragePool2dAttributes } from '../../src/kernels/pool2d.ts';
import type { Pair } from '../../src/kernels/window2d.ts';
import { Rows } from '../../src/tensor/spec.ts';
import type { Spec } from '../../src/tensor/spec.ts';

const f32 = (...shape: number[]): Spec => ({ dtype: 'f32', shape });
const integers: Spec = { dtype: 'i32', shape: [1, 3, 8, 8] };

describe('the size of a result', () => {
  it.each<[input: readonly [number, number], kernel: number, Conv2dAttributes, output: readonly [number, number]]>([
    [[28, 28], 5, { padding: 3 }, [30, 30]],
    [[32, 31], 3, { stride: 2, padding: 1 }, [16, 16]],
    [[9, 12], 3, { dilation: [2, 3] }, [5, 6]],
    [[5, 5], 2, { padding: [1, 0, 0, 2] }, [5, 6]],
    [[5, 8], 4, { padding: 'same' }, [5, 8]],
    [[5, 8], 3, { padding: 'same-lower', stride: 3, dilation: 2 }, [2, 3]],
    [[7, 7], 1, { padding: 'same', stride: 3 }, [3, 3]],
  ])('of a convolution: %j, kernel %j, %j', ([height, width], kernel, attributes, output) => {
    const inputs = { x: f32(2, 3, height, width), weight: f32(7, 3, kernel, kernel) };
    expect(conv2d.infer(inputs, attributes).y.shape).toEqual([2, 7, ...output]);
  });

  // What PyTorch answers.
  it.each<[input: readonly [number, number], AveragePool2dAttributes, output: readonly [number, number]]>([
    [[15, 30], { kernel: 2 }, [7, 15]],
    [[15, 17], { kernel: 2, ceil: true }, [8, 9]],
    [[32, 16], { kernel: 3, stride: 2 }, [15, 7]],
    [[32, 16], { kernel: 3, stride: 2, ceil: true }, [16, 8]],
    [[5, 6], { kernel: 2, stride: 3, padding: 1, ceil: true }, [2, 3]],
    [[1, 1], { kernel: 3, stride: 2, padding: 1, ceil: true }, [1, 1]],
  ])('of a pooling: %j, %j', ([height, width], attributes, output) => {
    const inputs = { x: f32(2, 3, height, width) };
    expect(maxPool2d.infer(inputs, attributes).y.shape).toEqual([2, 3, ...output]);
    expect(averagePool2d.infer(inputs, attributes).y.shape).toEqual([2, 3, ...output]);
  });

  // What PyTorch answers, and ONNX for 'same' and a size that is asked for.
  it.each<[input: Pair, kernel: number, ConvTranspose2dAttributes, output: Pair]>([
    [[4, 5], 3, { stride: 3, padding: 1, outputPadding: 2 }, [12, 15]],
    [[3, 3], 3, { stride: [3, 2], padding: [1, 2, 1, 2] }, [7, 3]],
    [[3, 3], 2, { dilation: 2 }, [5, 5]],
    [[3, 3], 3, { stride: 2, padding: 'same' }, [6, 6]],
    [[3, 3], 3, { stride: [3, 2], padding: 'same-lower', outputSize: [10, 8], outputPadding: 1 }, [10, 8]],
  ])('of a transposed convolution: %j, kernel %j, %j', ([height, width], kernel, attributes, output) => {
    const inputs = { x: f32(2, 4, height, width), weight: f32(4, 3, kernel, kernel) };
    expect(convTranspose2d.infer(inputs, { ...attributes, groups: 2 }).y.shape).toEqual([2, 6, ...output]);
  });

  it('keeps the samples', () => {
    const rows = new Rows(4);
    const x: Spec = { dtype: 'f32', shape: [8, 3, 8, 8], rows };
    expect(conv2d.infer({ x, weight: f32(5, 3, 3, 3) }, {}).y).toEqual({ dtype: 'f32', shape: [8, 5, 6, 6], rows });
    expect(maxPool2d.infer({ x }, { kernel: 2 }).y).toEqual({ dtype: 'f32', shape: [8, 3, 4, 4], rows });
  });
});

describe('the cost of a convolution', () => {
  it('counts every tap of every element, those on padding too', () => {
    const inputs = { x: f32(1, 1, 28, 28), weight: f32(5, 1, 5, 5) };
    const outputs = conv2d.infer(inputs, { padding: 3 });
    expect(conv2d.macs!(inputs, outputs, { padding: 3 })).toBe(112_500);
    const depthwise = { x: f32(1, 8, 9, 9), weight: f32(8, 1, 3, 3) };
    expect(conv2d.macs!(depthwise, conv2d.infer(depthwise, { groups: 8 }), { groups: 8 })).toBe(8 * 49 * 9);
  });
});

describe('refuses, in one line', () => {
  const x = f32(2, 3, 8, 8);
  const weight = f32(5, 3, 3, 3);

  it.each<[string, Spec, Spec, Spec | undefined]>([
    ['three axes', f32(3, 8, 8), weight, undefined],
    ['other channels', f32(2, 4, 8, 8), weight, undefined],
    ['a flat weight', x, f32(5, 27), undefined],
    ['a bias of the input channels', x, weight, f32(3)],
    ['integers', integers, weight, undefined],
    ['a weight per sample', x, { ...weight, rows: new Rows(5) }, undefined],
  ])('to convolve: %s', (_, x, weight, bias) => {
    const infer = () => conv2d.infer(bias ? { x, weight, bias } : { x, weight }, {});
    expect(infer).toThrow(ShapeError);
    expect(infer).toThrow(/^conv2d: expected x f32\[samples, in, height, width\].*, got .*$/);
  });

  it.each<[string, Conv2dAttributes, string]>([
    ['half a group', { groups: 0.5 }, 'conv2d: expected a whole number of groups from 1 up, got 0.5'],
    ['a stride of 0', { stride: 0 }, 'conv2d: expected stride of integers from 1 up, got 0, 0'],
    ['half a padding', { padding: 0.5 }, 'conv2d: expected padding of integers from 0 up, got 0.5, 0.5, 0.5, 0.5'],
    ['a negative dilation', { dilation: [1, -1] }, 'conv2d: expected dilation of integers from 1 up, got 1, -1'],
  ])('%s', (_, attributes, message) => {
    expect(() => conv2d.infer({ x, weight }, attributes)).toThrow(new ArgumentError(message));
  });

  it.each<[string, Spec, Spec, string]>([
    ['fewer channels than groups have', f32(2, 4, 8, 8), f32(6, 3, 3, 3), 'f32[2, 4, 8, 8] and f32[6, 3, 3, 3]'],
    ['what does not divide', f32(2, 4, 8, 8), f32(5, 2, 3, 3), 'f32[2, 4, 8, 8] and f32[5, 2, 3, 3]'],
  ])('groups: %s', (_, x, weight, got) => {
    const divided = 'weight f32[out, in / 2, height, width] with out a multiple of 2';
    const what = `x f32[samples, in, height, width], ${divided} and bias f32[out]`;
    const message = new ShapeError(`conv2d: expected ${what}, got ${got}`);
    expect(() => conv2d.infer({ x, weight }, { groups: 2 })).toThrow(message);
  });

  it('to transpose a convolution that cannot be', () => {
    const infer = (attributes: ConvTranspose2dAttributes) => () =>
      convTranspose2d.infer({ x, weight: f32(3, 4, 3, 3) }, attributes);
    const divided = 'weight f32[in, out / 2, height, width] with in a multiple of 2';
    expect(infer({ groups: 2 })).toThrow(
      new ShapeError(
        `conv-transpose2d: expected x f32[samples, in, height, width], ${divided} and bias f32[out], ` +
          'got f32[2, 3, 8, 8] and f32[3, 4, 3, 3]',
      ),
    );
    expect(infer({ outputPadding: 1 })).toThrow(
      new ArgumentError('conv-transpose2d: expected a result of 1 x 1 to 10 x 10, got 11 x 11'),
    );
    expect(infer({ outputPadding: -1 })).toThrow(
      new ArgumentError('conv-transpose2d: expected outputPadding of integers from 0 up, got -1, -1'),
    );
  });

  it('norms that are none', () => {
    expect(() => lpPool2d.infer({ x }, { kernel: 2, p: 0.5 })).toThrow(
      new ArgumentError('lp-pool2d: expected a p from 1 up, got 0.5'),
    );
  });

  it('a kernel that does not fit', () => {
    expect(() => conv2d.infer({ x, weight }, { dilation: 4 })).toThrow(
      new ShapeError(
        "conv2d: expected a padded input of at least the kernel's 3 x 3 (dilated by 4 x 4), " +
          'got f32[2, 3, 8, 8] padded by 0, 0, 0, 0',
      ),
    );
    expect(() => maxPool2d.infer({ x }, { kernel: 9 })).toThrow(ShapeError);
  });

  it('pooling windows that lie on padding alone', () => {
    expect(() => averagePool2d.infer({ x }, { kernel: 2, padding: 2 })).toThrow(
      new ArgumentError("average-pool2d: expected padding less than the kernel's 2 x 2, got 2 x 2"),
    );
  });

  it('to pool what is no image', () => {
    expect(() => maxPool2d.infer({ x: f32(3, 8) }, { kernel: 2 })).toThrow(
      new ShapeError('max-pool2d: expected f32[samples, channels, height, width], got f32[3, 8]'),
    );
  });
});
