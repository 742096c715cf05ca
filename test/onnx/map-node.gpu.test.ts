import { describe, expect, it } from 'vitest';
import { UnsupportedError } from '../../src/errors.ts';
import { compile } from '../../src/graph/program.ts';
import type { Value } from '../../src/kernels/define.ts';
import { known, mapNode, ONNX_OPERATORS } from '../../src/onnx/index.ts';
import type { OnnxNode, OnnxTensor, OnnxValue } from '../../src/onnx/index.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();

type Given = Partial<Omit<OnnxNode, 'inputs'>> & { readonly op: string };

const tensor = (dims: readonly number[], data: readonly number[], dtype: OnnxTensor['dtype'] = 'float32'): OnnxTensor => ({
  dtype,
  dims,
  data,
});
const integers = (...data: number[]): OnnxTensor => tensor([data.length], data, 'int64');

/** All inputs as initializers have them, or unknown until the program runs. */
async function run(node: Given, inputs: readonly (OnnxTensor | undefined)[], { later = [] as readonly number[] } = {}) {
  let outputs: readonly OnnxValue[] = [];
  using program = await compile(device, {}, () => {
    const values = inputs.map((input, index) => {
      const value = input && known(input);
      return later.includes(index) && value ? { dtype: value.dtype, value: value.value } : value;
    });
    outputs = mapNode({ attributes: {}, outputs: 1, opset: 21, ...node, inputs: values });
    return Object.fromEntries(outputs.map(({ value }, index) => [`y${index}`, value as Value]));
  });
  const read = await program.call({});
  return outputs.map(({ dtype, value }, index) => ({ dtype, dims: value.shape, data: [...read[`y${index}`]!] }));
}

const matrix = tensor([2, 3], [1, 2, 3, 4, 5, 6]);

describe('versions of the operator set', () => {
  it('softmax was over all axes from one on, and is over one', async () => {
    const x = tensor([1, 2, 2], [0, 0, 0, 0]);
    const [before] = await run({ op: 'Softmax', opset: 11 }, [x]);
    const [since] = await run({ op: 'Softmax', opset: 13 }, [x]);
    expect(before!.data).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(since!.data).toEqual([0.5, 0.5, 0.5, 0.5]);
  });

  it.each([
    ['Squeeze', 11, { axes: [0] }, [tensor([1, 3], [1, 2, 3])]],
    ['Squeeze', 13, {}, [tensor([1, 3], [1, 2, 3]), integers(0)]],
    ['ReduceSum', 11, { axes: [0], keepdims: 0 }, [tensor([1, 3], [1, 2, 3])]],
    ['ReduceSum', 13, { keepdims: 0 }, [tensor([1, 3], [1, 2, 3]), integers(0)]],
    ['Clip', 6, { min: 1, max: 3 }, [tensor([3], [0, 2, 9]), undefined]],
    ['Slice', 9, { starts: [0], ends: [3], axes: [0] }, [tensor([4], [1, 2, 3, 4])]],
    ['Slice', 13, {}, [tensor([4], [1, 2, 3, 4]), integers(0), integers(2 ** 31 - 1), integers(0), integers(1)]],
  ] as const)('%s of version %i: what is an attribute or an input', async (op, opset, attributes, inputs) => {
    const [first] = await run({ op, opset, attributes }, inputs);
    expect(first!.data).toEqual(op === 'Slice' && opset === 13 ? [1, 2, 3, 4] : [1, 2, 3]);
  });
});

describe('what the operator tests of ONNX do not look at', () => {
  it('a transposed convolution of a given size is cut on both sides', async () => {
    const x = tensor([1, 1, 2, 2], [1, 2, 3, 4]);
    const kernel = tensor([1, 1, 3, 3], Array.from({ length: 9 }, () => 1));
    const full = await run({ op: 'ConvTranspose', attributes: { strides: [2, 2] } }, [x, kernel]);
    const cut = await run({ op: 'ConvTranspose', attributes: { strides: [2, 2], output_shape: [3, 3] } }, [x, kernel]);
    expect(full[0]!.dims).toEqual([1, 1, 5, 5]);
    const inner = [1, 2, 3].flatMap((row) => full[0]!.data.slice(5 * row + 1, 5 * row + 4));
    expect(cut[0]!.data).toEqual(inner);
  });

  it.each([['ReduceL1', [1, 2]], ['ReduceSumSquare', [1, 4]], ['ReduceSum', [-1, 2]]] as const)(
    '%s over no axes adds nothing up',
    async (op, wanted) => {
      const [result] = await run({ op, attributes: { noop_with_empty_axes: 1 } }, [tensor([2], [-1, 2])]);
      expect(result!.data).toEqual(wanted);
    },
  );

  it('the greatest integer of 64 bits stands for the end', async () => {
    const inputs = [tensor([3], [1, 2, 3]), integers(1), integers(2 ** 63), integers(0)];
    expect((await run({ op: 'Slice' }, inputs))[0]!.data).toEqual([2, 3]);
  });

  it('infinities of one sign', async () => {
    const x = tensor([3], [Infinity, -Infinity, 1]);
    expect((await run({ op: 'IsInf', attributes: { detect_negative: 0 } }, [x]))[0]!.data).toEqual([1, 0, 0]);
  });

  it('a range without an end says so', async () => {
    const asked = run({ op: 'Range' }, [tensor([], [0]), tensor([], [3]), tensor([], [0])]);
    await expect(asked).rejects.toThrow('range: expected numbers that f32 holds');
  });
});

describe('shapes are known as the graph is compiled', () => {
  it('and what follows from them is', async () => {
    const [shape] = await run({ op: 'Shape' }, [matrix]);
    expect(shape).toEqual({ dtype: 'int64', dims: [2], data: [2, 3] });
  });

  it('what is not known then is refused, by name', async () => {
    const asked = run({ op: 'Reshape' }, [matrix, integers(3, 2)], { later: [1] });
    await expect(asked).rejects.toThrow(
      new UnsupportedError('Reshape: input 1 has to be known when the graph is compiled, as an initializer is'),
    );
  });
});

describe('what has no counterpart', () => {
  it.each<[string, Given, readonly (OnnxTensor | undefined)[], string]>([
    ['an operator', { op: 'StringNormalizer' }, [matrix], 'StringNormalizer: no operator of ONNX that is mapped'],
    ['an output', { op: 'Relu', outputs: 2 }, [matrix], 'Relu: output 1 is not built'],
    ['an input left out', { op: 'Add' }, [matrix, undefined], 'Add: expected input 1, which is left out'],
    [
      'a word',
      { op: 'Pad', attributes: { mode: 'mirror' } },
      [matrix, integers(0, 0, 0, 0)],
      'Pad: expected mode of constant, reflect, edge, wrap, got mirror',
    ],
    ['a number too large', { op: 'Neg' }, [integers(2 ** 40)], 'int64: expected integers of 32 bits, got 1099511627776'],
    ['a number of the other sign', { op: 'Neg' }, [integers(3e9)], 'int64: expected integers of 32 bits, got 3000000000'],
    ['a name that objects have', { op: 'toString' }, [matrix], 'toString: no operator of ONNX that is mapped'],
  ])('%s is named', async (_, node, inputs, message) => {
    await expect(run(node, inputs)).rejects.toThrow(new UnsupportedError(message));
  });

  it('element types too', () => {
    expect(() => known({ dtype: 'float64' as never, dims: [1], data: [1] })).toThrow(UnsupportedError);
  });
});

it('knows its operators by name', () => {
  expect(ONNX_OPERATORS.length).toBeGreaterThan(100);
  expect(ONNX_OPERATORS).toContain('Attention');
});
