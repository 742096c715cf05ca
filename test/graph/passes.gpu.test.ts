import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { compile } from '../../src/graph/program.ts';
import type { CompileOptions, Program } from '../../src/graph/program.ts';
import { checkpoint, store, trace } from '../../src/graph/trace.ts';
import { fuse } from '../../src/graph/passes/fuse.ts';
import { clip, gelu, hardSwish, leakyRelu, silu } from '../../src/kernels/activations.ts';
import { add, mul, reluGrad, sigmoidGrad, sub } from '../../src/kernels/binary.ts';
import { batchNorm } from '../../src/kernels/batch-norm.ts';
import { convTranspose2d } from '../../src/kernels/conv-transpose2d.ts';
import { conv2dInputGrad } from '../../src/kernels/conv2d-input-grad.ts';
import { conv2d } from '../../src/kernels/conv2d.ts';
import type { Value } from '../../src/kernels/define.ts';
import { linear } from '../../src/kernels/linear.ts';
import { averagePool2d, maxPool2d } from '../../src/kernels/pool2d.ts';
import { matmul } from '../../src/kernels/matmul.ts';
import { mean, sum } from '../../src/kernels/reduce.ts';
import { reshape } from '../../src/kernels/reshape.ts';
import { transpose } from '../../src/kernels/transpose.ts';
import { copy, relu, sigmoid, tanh } from '../../src/kernels/unary.ts';
import { window2d } from '../../src/kernels/window2d.ts';
import { Rows } from '../../src/tensor/spec.ts';
import type { Spec } from '../../src/tensor/spec.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { random } from '../op-table.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const rows = new Rows(3);
const image = { dtype: 'f32', shape: [3, 2, 11, 12], rows } as const;
const flat = { dtype: 'f32', shape: [3, 7], rows } as const;
const weight = (...shape: number[]): Spec => ({ dtype: 'f32', shape });

type Body = (inputs: Record<string, Value>) => Record<string, Value>;

/** Runs with the pass and without on the same data; an element of x is NaN. Returns the numbers of launches. */
async function agree(specs: Record<string, Spec>, body: Body): Promise<[fused: number, plain: number]> {
  const inputs: Record<string, Float32Array> = {};
  Object.entries(specs).forEach(([name, { shape }], index) => {
    inputs[name] = Float32Array.from(random(shape, index + 1).data);
  });
  inputs['x']![17] = NaN;
  const run = async (options: CompileOptions): Promise<[number, unknown]> => {
    using program: Program = await compile(device, specs, body, options);
    return [program.dispatches, await program.call(inputs)];
  };
  const [fused, values] = await run({});
  const [plain, wanted] = await run({ without: ['fuse'] });
  expect(values).toEqual(wanted);
  expect(Object.values(values as object).flatMap((list: Float32Array) => [...list]).some(Number.isFinite)).toBe(true);
  return [fused, plain];
}

describe('fuse: the same bits by fewer launches', () => {
  const conv = (x: Value, weight: Value, options = {}): Value => conv2d({ x, weight }, { padding: 1, ...options });

  it('activations behind products, convolutions and pooling', async () => {
    const given = { x: image, w: weight(6, 2, 3, 3), v: weight(4, 7), f: flat };
    expect(await agree(given, ({ x, w, v, f }) => ({
      relu: relu({ x: conv(x!, w!) }),
      tanh: tanh({ x: linear({ x: f!, weight: v! }) }),
      sigmoid: sigmoid({ x: averagePool2d({ x: x! }, { kernel: 3 }) }),
      twice: relu({ x: tanh({ x: linear({ x: f!, weight: v! }) }) }),
    }))).toEqual([5, 9]);
  });

  it('activations that take what they are applied to for their gradient', async () => {
    const given = { x: image, w: weight(6, 2, 3, 3), v: weight(4, 7), f: flat };
    expect(await agree(given, ({ x, w, v, f }) => {
      const [y, z] = [conv(x!, w!), linear({ x: f!, weight: v! })];
      return {
        silu: silu({ x: conv(x!, w!) }),
        gelu: gelu({ x: linear({ x: f!, weight: v! }) }),
        byTanh: gelu({ x: add({ a: f!, b: f! }) }, { approximate: 'tanh' }),
        hardSwish: hardSwish({ x: conv(x!, w!) }),
        leaky: leakyRelu({ x: linear({ x: f!, weight: v! }) }),
        relu6: clip({ x: conv(x!, w!) }, { min: 0, max: 6 }),
        // Of another slope, between other bounds, and before a maximum, whose order it may change.
        steeper: leakyRelu({ x: z }, { alpha: 0.2 }),
        lower: clip({ x: y }, { min: 0, max: 5 }),
        pooled: maxPool2d({ x: silu({ x: conv(x!, w!) }) }, { kernel: 2 }),
      };
    })).toEqual([12, 19]);
  });

  it('activations and their gradients behind element-wise operations, with broadcasting', async () => {
    const given = { x: image, b: weight(2, 1, 1), c: weight(1) };
    expect(await agree(given, ({ x, b, c }) => {
      const y = relu({ x: add({ a: x!, b: b! }) });
      const z = tanh({ x: mul({ a: c!, b: x! }) });
      return { y, z, back: tanh({ x: reluGrad({ a: y, b: sub({ a: z, b: b! }) }) }) };
    })).toEqual([3, 7]);
  });

  it('transpositions in front of products', async () => {
    const given = { x: image, a: weight(5, 6), b: weight(4, 6), q: weight(2, 3, 6), k: weight(2, 4, 6), r: weight(3, 2) };
    const swap = { permutation: [0, 2, 1] };
    expect(await agree(given, ({ x, a, b, q, k, r }) => ({
      right: matmul({ a: a!, b: transpose({ x: b! }) }),
      left: matmul({ a: transpose({ x: transpose({ x: a! }) }), b: b! }, { transposeB: true }),
      twice: matmul({ a: transpose({ x: b! }), b: b! }),
      back: matmul({ a: a!, b: transpose({ x: transpose({ x: b! }) }) }, { transposeB: true }),
      batched: matmul({ a: q!, b: transpose({ x: k! }, swap) }),
      samples: matmul({ a: transpose({ x: x! }, { permutation: [0, 1, -1, -2] }), b: x! }),
      reshaped: matmul({ a: reshape({ x: transpose({ x: b! }) }, { shape: [8, 3] }), b: r! }),
      // Of other axes, and of what is used elsewhere too.
      other: matmul({ a: transpose({ x: k! }, { permutation: [1, 0, 2] }), b: transpose({ x: k! }, { permutation: [1, 2, 0] }) }),
    }))).toEqual([11, 19]);
  });

  it('maximum pooling behind convolutions, at an odd height and width too', async () => {
    const given = { x: image, w: weight(6, 2, 3, 3), b: weight(6) };
    const pool = { kernel: 2 };
    expect(await agree(given, ({ x, w, b }) => ({
      plain: maxPool2d({ x: conv(x!, w!) }, pool),
      relu: maxPool2d({ x: relu({ x: conv2d({ x: x!, weight: w!, bias: b! }) }) }, pool),
      behind: maxPool2d({ x: conv(x!, w!) }, { ...pool, activation: 'sigmoid' }),
      last: relu({ x: maxPool2d({ x: conv(x!, w!, { stride: 2 }) }, pool) }),
    }))).toEqual([4, 10]);
  });

  it('normalisation behind convolutions, before pooling and what is added', async () => {
    const given = { x: image, w: weight(6, 2, 3, 3), b: weight(6), v: weight(6), w2: weight(6, 6, 3, 3) };
    expect(await agree(given, ({ x, w, b, v, w2 }) => {
      const variance = mul({ a: v!, b: v! });
      const norm = (value: Value, options = {}): Value =>
        batchNorm({ x: value, mean: b!, variance, scale: v!, shift: b! }, options);
      const y = norm(conv(x!, w!), { activation: 'relu' });
      return {
        pooled: maxPool2d({ x: norm(conv2d({ x: x!, weight: w!, bias: b! }), { epsilon: 0.1 }) }, { kernel: 2 }),
        block: relu({ x: add({ a: norm(conv(y, w2!)), b: y }) }),
        // A bias and what is added do not both fit.
        biased: add({ a: y, b: norm(conv2d({ x: y, weight: w2!, bias: b! }, { padding: 1 })) }),
        // What is normalised by statistics of other planes.
        other: norm(reshape({ x: conv(x!, w!) }, { shape: [3, 6, 12, 11] })),
      };
    })).toEqual([8, 15]);
  });

  it('what is added to products, convolutions and their gradients', async () => {
    const given = { x: image, w: weight(2, 2, 3, 3), f: flat, v: weight(7, 7), a: weight(5, 6), p: weight(6, 4), q: weight(5, 4), r: weight(1, 4) };
    expect(await agree(given, ({ x, w, f, v, a, p, q, r }) => ({
      conv: relu({ x: add({ a: conv(x!, w!), b: x! }) }),
      linear: tanh({ x: add({ a: f!, b: linear({ x: f!, weight: v! }) }) }),
      product: relu({ x: add({ a: matmul({ a: a!, b: p! }), b: q! }) }),
      // Of another shape, or once more.
      row: add({ a: matmul({ a: a!, b: p! }), b: r! }),
      twice: add({ a: add({ a: conv(x!, w!), b: x! }), b: x! }),
      itself: add({ a: linear({ x: f!, weight: v! }), b: linear({ x: f!, weight: v! }) }),
    }))).toEqual([9, 17]);
  });

  it('and what is added to gradients, with what that sum has taken itself', async () => {
    const given = {
      x: image,
      w: weight(2, 2, 3, 3),
      u: weight(2, 2, 3, 3),
      k: image,
      a: weight(5, 6),
      p: weight(6, 4),
      q: weight(5, 4),
    };
    const [fused, plain] = await agree(given, ({ x, w, u, k, a, p, q }) => {
      // Used twice, so that its gradients meet behind a convolution.
      const y = relu({ x: x! });
      const other = tanh({ x: y });
      const transposed = convTranspose2d({ x: y, weight: u! }, { padding: 1 });
      const loss = add({ a: sum({ x: transposed }), b: sum({ x: mul({ a: other, b: k! }) }) });
      const [dx, du] = gradients(loss, [x!, u!]);
      // The tanh moves to its product, and then comes before what it is added to; until then the sum has taken what follows.
      const [largeSquare, square] = [mul({ a: k!, b: k! }), mul({ a: q!, b: q! })];
      const dy = conv2dInputGrad({ dy: k!, weight: w! }, { like: k!, window: window2d('', k!, [3, 3], { padding: 1 }) });
      const layer = linear({ x: a!, weight: transpose({ x: p! }) });
      const product = matmul({ a: a!, b: p! });
      const [late, later] = [tanh({ x: largeSquare }), tanh({ x: square })];
      return {
        dx: dx!,
        du: du!,
        after: relu({ x: add({ a: dy, b: late }) }),
        linear: reluGrad({ a: q!, b: add({ a: layer, b: later }) }),
        product: reluGrad({ a: q!, b: add({ a: product, b: later }) }),
        behind: sigmoidGrad({ a: q!, b: tanh({ x: matmul({ a: a!, b: p! }) }) }),
      };
    });
    expect(fused).toBeLessThan(plain);
  });

  it('but no other pooling, nor behind another activation', async () => {
    const given = { x: image, w: weight(6, 2, 3, 3) };
    expect(await agree(given, ({ x, w }) => ({
      three: maxPool2d({ x: conv(x!, w!) }, { kernel: 3 }),
      near: maxPool2d({ x: conv(x!, w!) }, { kernel: 2, stride: 1 }),
      padded: maxPool2d({ x: conv(x!, w!) }, { kernel: 2, padding: 1 }),
      up: maxPool2d({ x: conv(x!, w!) }, { kernel: 2, ceil: true }),
      tanh: maxPool2d({ x: conv(x!, w!, { activation: 'tanh' }) }, { kernel: 2 }),
    }))).toEqual([10, 10]);
  });

  it('under another shape, by what the shape does not matter to', async () => {
    const given = { x: image, w: weight(6, 2, 3, 3), c: weight(2, 1, 1) };
    expect(await agree(given, ({ x, w, c }) => {
      const reshaped = (value: Value, ...shape: number[]): Value => reshape({ x: value }, { shape });
      const y = conv(x!, w!);
      const [height, width] = y.shape.slice(2) as [number, number];
      return {
        flat: relu({ x: reshaped(conv(x!, w!), 3, -1) }),
        product: relu({ x: reshaped(mul({ a: x!, b: c! }), 3, -1) }),
        other: maxPool2d({ x: reshaped(y, 3, 6, width, height) }, { kernel: 2 }),
      };
    })).toEqual([4, 6]);
  });

  it('gradients through activations', async () => {
    const given = { x: image, w: weight(6, 2, 3, 3), u: weight(5, 6, 3, 3), v: weight(4, 20), z: weight(2, 4) };
    const [fused, plain] = await agree(given, ({ x, w, u, v, z }) => {
      let value = conv2d({ x: x!, weight: w! }, { activation: 'tanh' });
      value = averagePool2d({ x: conv2d({ x: value, weight: u! }, { activation: 'sigmoid' }) }, { kernel: 2, ceil: true });
      value = reshape({ x: maxPool2d({ x: relu({ x: value }) }, { kernel: 2 }) }, { shape: [3, 20] });
      value = linear({ x: value, weight: v! }, { activation: 'relu' });
      const grads = gradients(mean({ x: linear({ x: value, weight: z! }) }), [x!, w!, u!, v!, z!]);
      return Object.fromEntries(grads.map((grad, index) => [`grad${index}`, grad!]));
    });
    expect(plain - fused).toBe(5);
  });
});

describe('fuse leaves alone', () => {
  const fusedOf = (body: Body): string[] => {
    const graph = trace({ x: flat, w: weight(7, 7) }, body);
    return fuse(graph.nodes, graph).map(({ op }) => op.name);
  };
  const product = (inputs: Record<string, Value>): Value => linear({ x: inputs['x']!, weight: inputs['w']! });

  it('what is used twice, is a result, or is stored under another shape', () => {
    const twice: Body = (inputs) => {
      const y = product(inputs);
      return { z: mul({ a: relu({ x: y }), b: reshape({ x: y }, { shape: [3, 7] }) }) };
    };
    expect(fusedOf(twice)).toContain('relu');
    expect(fusedOf((inputs) => {
      const y = product(inputs);
      return { y: reshape({ x: y }, { shape: [3, 1, 7] }), z: relu({ x: y }) };
    })).toContain('relu');
  });

  it('what is in another segment', () => {
    expect(fusedOf((inputs) => {
      const y = product(inputs);
      checkpoint();
      return { z: relu({ x: y }) };
    })).toContain('relu');
  });

  it('a gradient whose activation comes later', () => {
    const later: Body = (inputs) => {
      const y = product(inputs);
      return { z: reluGrad({ a: tanh({ x: inputs['x']! }), b: y }) };
    };
    expect(fusedOf(later)).toContain('relu-grad');
  });

  it('what is stored in a tensor, whose memory another may still read', async () => {
    const state = Tensor.from(device, Float32Array.of(1, -2, 3, -4), [2, 2], 'state');
    using program = await compile(device, { x: weight(2, 2), w: weight(2, 2) }, ({ x, w }) => {
      const y = linear({ x: x!, weight: w! });
      const old = copy({ x: state });
      store(relu({ x: y }), state);
      return { old };
    });
    const { old } = await program.call({ x: Float32Array.of(1, 0, 0, 1), w: Float32Array.of(5, 6, 7, -8) });
    expect([...old]).toEqual([1, -2, 3, -4]);
    expect([...(await state.read())]).toEqual([5, 7, 6, 0]);
    state.dispose();
  });

  it('a gradient with an activation that is repeated', async () => {
    const specs = { x: weight(18, 1), p: weight(1, 18), q: weight(1, 18) };
    expect(await agree(specs, ({ x, p, q }) => ({ y: reluGrad({ a: x!, b: add({ a: p!, b: q! }) }) }))).toEqual([2, 2]);
  });
});
