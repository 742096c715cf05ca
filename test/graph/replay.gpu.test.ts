import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { compile } from '../../src/graph/program.ts';
import type { Program } from '../../src/graph/program.ts';
import { store } from '../../src/graph/trace.ts';
import { add, mul } from '../../src/kernels/binary.ts';
import { crossEntropy } from '../../src/kernels/cross-entropy.ts';
import type { Value } from '../../src/kernels/define.ts';
import { constant } from '../../src/kernels/define.ts';
import { linear } from '../../src/kernels/linear.ts';
import { mean } from '../../src/kernels/reduce.ts';
import { reshape } from '../../src/kernels/reshape.ts';
import { sgd } from '../../src/kernels/sgd.ts';
import { exp, negate, relu } from '../../src/kernels/unary.ts';
import { Random } from '../../src/random.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { arena, Tensor } from '../../src/tensor/tensor.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const values = (size: number, seed: number): Float32Array => {
  const random = new Random(seed);
  return Float32Array.from({ length: size }, () => random.normal());
};
const vector = { dtype: 'f32', shape: [8] } as const;

/** A two-layer network and the gradients of its loss: long enough for memory to be reused. */
async function network(options: { reuse?: boolean; max?: number }): Promise<Program> {
  const { max = 8, reuse } = options;
  const rows = new Rows(max);
  return compile(
    device,
    {
      x: { dtype: 'f32', shape: [max, 12], rows },
      labels: { dtype: 'u32', shape: [max], rows },
      w1: { dtype: 'f32', shape: [16, 12] },
      w2: { dtype: 'f32', shape: [5, 16] },
    },
    ({ x, labels, w1, w2 }) => {
      let hidden: Value = linear({ x, weight: w1 }, { activation: 'relu' });
      for (let i = 0; i < 4; i++) hidden = relu({ x: add({ a: mul({ a: hidden, b: hidden }), b: hidden }) });
      const logits = linear({ x: hidden, weight: w2 });
      const loss = mean({ x: crossEntropy({ logits, labels }) });
      const [dw1, dw2] = gradients(loss, [w1, w2]);
      return { logits, loss, dw1: dw1!, dw2: dw2! };
    },
    reuse === undefined ? {} : { reuse },
  ) as Promise<Program>;
}
const inputsFor = (seed: number, rows = 8) => ({
  x: values(rows * 12, seed),
  labels: Uint32Array.from({ length: rows }, (_, row) => (row + seed) % 5),
  w1: values(16 * 12, seed + 100).map((value) => value * 0.1),
  w2: values(5 * 16, seed + 200).map((value) => value * 0.1),
});

describe('replay', () => {
  it('first run, tenth replay and a program without reuse of memory agree to the bit, other inputs each time', async () => {
    using planned = await network({});
    using plain = await network({ reuse: false });
    expect(planned.memory).not.toBe(plain.memory);
    const firsts = new Map<number, object>();
    for (let run = 0; run < 10; run++) {
      const seed = run % 3;
      const rows = [8, 3, 5][seed]!;
      const got = await planned.call(inputsFor(seed, rows));
      expect(await plain.call(inputsFor(seed, rows))).toEqual(got);
      const first = firsts.get(seed) ?? got;
      firsts.set(seed, first);
      expect(got).toEqual(first);
    }
    expect(firsts.size).toBe(3);
  });

  it('rows that are not live change nothing', async () => {
    using exact = await network({ max: 3 });
    using roomy = await network({ max: 32 });
    await roomy.call(inputsFor(9, 32));
    expect(await roomy.call(inputsFor(1, 3))).toEqual(await exact.call(inputsFor(1, 3)));
  });

  it('an output of an older run is stale, and says so', async () => {
    using program = await compile(device, { x: vector }, ({ x }) => ({ y: relu({ x }) }));
    const { y } = program.run({ x: values(8, 1) });
    await y.read();
    program.run({ x: values(8, 2) });
    await expect(y.read()).rejects.toThrow(/output 'y' is of run 1, but run 2 has overwritten it/);
    expect(() => program.run({ x: y })).toThrow(/output 'y' is of run 1/);
  });

  it('takes one tensor for two inputs', async () => {
    using program = await compile(device, { a: vector, b: vector }, ({ a, b }) => ({ y: mul({ a, b }) }));
    const data = values(8, 3);
    using tensor = Tensor.from(device, data);
    expect((await program.call({ a: tensor, b: tensor })).y).toEqual(data.map((value) => value * value));
  });

  it('takes its own output as input, and its input as output', async () => {
    using program = await compile(device, { x: vector }, ({ x }) => ({ same: x, y: add({ a: x, b: x }) }));
    let { y } = program.run({ x: new Float32Array(8).fill(1) });
    for (let run = 0; run < 5; run++) ({ y } = program.run({ x: y }));
    expect(await y.read()).toEqual(new Float32Array(8).fill(64));
    const { same } = program.run({ x: values(8, 4) });
    expect(await same.read()).toEqual(values(8, 4));
    expect((await program.call({ x: same })).same).toEqual(values(8, 4));
  });

  it('names the input that is missing, unknown, of another length or type', async () => {
    const rows = new Rows(4);
    using program = await compile(
      device,
      { x: { dtype: 'f32', shape: [4, 2], rows }, labels: { dtype: 'u32', shape: [4], rows } },
      ({ x, labels }) => ({ y: crossEntropy({ logits: x, labels }) }),
      { label: 'loss' },
    );
    const x = new Float32Array(4);
    const labels = new Uint32Array(2);
    const run = (inputs: object) => () => program.run(inputs as never);
    expect(run({ x })).toThrow("loss: expected u32[rows] with at most 4 rows for input 'labels', got nothing");
    expect(run({ x, labels, extra: x })).toThrow("loss: has no input 'extra'; its inputs are x, labels");
    expect(run({ x: new Float32Array(3), labels })).toThrow("for input 'x', got 3 values, which is 1.5 rows");
    expect(run({ x: new Float32Array(10), labels })).toThrow("for input 'x', got 10 values, which is 5 rows");
    expect(run({ x, labels: new Uint32Array(1) })).toThrow("for input 'labels', got 1 rows, where another input has 2");
    expect(run({ x, labels: new Float32Array(2) })).toThrow("for input 'labels', got Float32Array");
    expect(run({ x: new Float64Array(4), labels })).toThrow("for input 'x', got Float64Array");
    expect(run({ x: 'pixels', labels })).toThrow("for input 'x', got string");
  });

  it('reads a captured tensor anew each run, and says when it is gone', async () => {
    const weight = Tensor.from(device, new Float32Array(8).fill(2), [8], 'weight');
    using program = await compile(device, { x: vector }, ({ x }) => ({ y: mul({ a: x, b: weight }) }));
    const x = new Float32Array(8).fill(3);
    expect((await program.call({ x })).y[0]).toBe(6);
    weight.write(new Float32Array(8).fill(5));
    expect((await program.call({ x })).y[0]).toBe(15);
    weight.dispose();
    await expect(weight.read()).rejects.toThrow('tensor weight: used after dispose()');
    expect(() => program.run({ x })).toThrow('tensor weight: used after dispose()');
  });

  it('runs on zero samples', async () => {
    using program = await network({});
    const { logits } = await program.call({ ...inputsFor(1), x: new Float32Array(0), labels: new Uint32Array(0) });
    expect(logits).toEqual(new Float32Array(0));
  });

  it('is refused after dispose, by name', async () => {
    const program = await compile(device, { x: vector }, ({ x }) => ({ y: relu({ x }) }), { label: 'gone' });
    const { y } = program.run({ x: values(8, 1) });
    program.dispose();
    program.dispose();
    await expect(y.read()).rejects.toThrow('gone: used after dispose()');
    expect(() => program.run({ x: values(8, 1) })).toThrow('gone: used after dispose()');
  });
});

describe('tracing', () => {
  it('refuses operations outside a trace', () => {
    using tensor = Tensor.from(device, new Float32Array(4));
    expect(() => relu({ x: tensor })).toThrow('operations run inside a trace');
  });

  it('drops what nobody uses', async () => {
    using program = await compile(device, { x: vector }, ({ x }) => {
      mul({ a: x, b: x });
      return { y: relu({ x }) };
    });
    expect(program.dispatches).toBe(1);
  });

  it('keeps what changes an input in place', async () => {
    const hyper = Tensor.from(device, Float32Array.of(0.5, 0, 0, 0));
    using one = Tensor.from(device, Float32Array.of(1));
    using velocity = Tensor.zeros(device, vector);
    using program = await compile(device, { p: vector, g: vector }, ({ p, g }) => {
      sgd({ parameters: p, grads: g, velocity, hyper, loss: one, squares: one, share: one });
      return { p };
    });
    const ones = new Float32Array(8).fill(1);
    expect((await program.call({ p: ones, g: ones })).p).toEqual(new Float32Array(8).fill(0.5));
    hyper.dispose();
  });

  it('refuses values of another trace, missing inputs and constants that do not fit', async () => {
    let stray: Value;
    (await compile(device, { x: vector }, ({ x }) => ({ y: (stray = exp({ x })) }))).dispose();
    const traced = (body: (x: Value) => Value) => compile(device, { x: vector }, ({ x }) => ({ y: body(x) }));
    await expect(traced((x) => add({ a: x, b: stray }))).rejects.toThrow('add b: expected a tensor or a value of this trace, got a value of another');
    await expect(traced((x) => relu({ a: x } as never))).rejects.toThrow('relu: an input or attribute is missing, got inputs a');
    await expect(traced(() => undefined as never)).rejects.toThrow('output y: expected a tensor or a value of this trace, got undefined');
    await expect(traced((x) => add({ a: x, b: constant(vector, Float32Array.of(1)) }))).rejects.toThrow('constant: expected 8 values for f32[8], got Float32Array of 1');
    await expect(compile(device, { x: { dtype: 'f32', shape: [2.5] } }, ({ x }) => ({ x }))).rejects.toThrow("input 'x': expected whole lengths, got [2.5]");
    expect(() => new Rows(0)).toThrow('Rows: expected a maximum of 1 or more, got 0');
  });

  it('says while compiling that a launch would read and write the same memory', async () => {
    using tensor = Tensor.from(device, values(8, 1), [8], 'state');
    const compiled = compile(device, { x: vector }, ({ x }) => {
      store(add({ a: tensor, b: x }), tensor);
      return {};
    });
    await expect(compiled).rejects.toThrow("program/add: reads and writes 'state' in one launch; store() a copy({ x })");
  });

  it('stores one value in two tensors', async () => {
    const tensors = [1, 2].map(() => Tensor.zeros(device, vector)) as [Tensor, Tensor];
    using program = await compile(device, { x: vector }, ({ x }) => {
      const y = exp({ x });
      for (const tensor of tensors) store(y, tensor);
      return {};
    });
    program.run({ x: new Float32Array(8) });
    for (const tensor of tensors) expect(await tensor.read()).toEqual(new Float32Array(8).fill(1));
    tensors.forEach((tensor) => tensor.dispose());
  });

  it('folds grids of more than 65,535 workgroups', async () => {
    const size = 65_535 * 256 + 777;
    using program = await compile(device, { x: { dtype: 'f32', shape: [size] } }, ({ x }) => ({ y: negate({ x }) }));
    const { y } = await program.call({ x: Float32Array.from({ length: size }, (_, index) => index % 1000) });
    const wrong = y.findIndex((value, index) => value !== -(index % 1000) + 0);
    expect(wrong).toBe(-1);
  });

  it('gives the way to an operation without a gradient', async () => {
    const traced = compile(device, { labels: { dtype: 'u32', shape: [4] }, x: { dtype: 'f32', shape: [4, 2] } }, ({ x, labels }) => {
      const loss = mean({ x: crossEntropy({ logits: x, labels }) });
      const [dx] = gradients(loss, [x]);
      return { second: gradients(mean({ x: dx! }), [x])[0]! };
    });
    await expect(traced).rejects.toThrow(/cross-entropy-grad: has no gradient \(second derivatives are not supported\); reached by cross-entropy-grad <- /);
  });

  it('steps a whole arena of parameters in place, gradients computed straight into theirs', async () => {
    const shapes = new Map([['w', [2, 3]], ['b', [3]]]);
    const parameters = arena(device, shapes, 'parameters');
    const grads = arena(device, shapes, 'gradients');
    using velocity = Tensor.zeros(device, { dtype: 'f32', shape: parameters.whole.shape });
    using one = Tensor.from(device, Float32Array.of(1));
    const [w, b] = ['w', 'b'].map((name) => parameters.tensors.get(name)!) as [Tensor, Tensor];
    w.write(new Float32Array(6).fill(1));
    b.write(new Float32Array(3).fill(2));
    using program = await compile(device, { hyper: { dtype: 'f32', shape: [4] } }, ({ hyper }) => {
      const loss = mean({ x: add({ a: mul({ a: w, b: w }), b: reshape({ x: b }, { shape: [1, 3] }) }) });
      gradients(loss, [w, b]).forEach((grad, index) => store(grad!, grads.tensors.get(['w', 'b'][index]!)!));
      sgd({ parameters: parameters.whole, grads: grads.whole, velocity, hyper, loss, squares: one, share: one });
      return { loss };
    });
    const { loss } = await program.call({ hyper: Float32Array.of(0.5, 0, 0, 0) });
    expect(loss[0]).toBeCloseTo(3, 6);
    // d loss / d w = 2 w / 6, d loss / d b = 2 / 6
    for (const value of await w.read()) expect(value).toBeCloseTo(1 - 0.5 * (2 / 6), 6);
    for (const value of await b.read()) expect(value).toBeCloseTo(2 - 0.5 * (2 / 6), 6);
    parameters.whole.dispose();
    grads.whole.dispose();
  });
});
