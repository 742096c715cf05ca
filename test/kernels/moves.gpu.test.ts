import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { compile } from '../../src/graph/program.ts';
import { concat, concatAll } from '../../src/kernels/concat.ts';
import type { Value } from '../../src/kernels/define.ts';
import { embedding } from '../../src/kernels/embedding.ts';
import { expand } from '../../src/kernels/expand.ts';
import { gather, gatherElements } from '../../src/kernels/gather.ts';
import { pad } from '../../src/kernels/pad.ts';
import { randomNormal, randomUniform } from '../../src/kernels/random-fill.ts';
import { range } from '../../src/kernels/range.ts';
import { sum } from '../../src/kernels/reduce.ts';
import { scatterAdd } from '../../src/kernels/scatter-add.ts';
import { slice } from '../../src/kernels/slice.ts';
import { split } from '../../src/kernels/split.ts';
import { tile } from '../../src/kernels/tile.ts';
import { transpose } from '../../src/kernels/transpose.ts';
import { triangle } from '../../src/kernels/triangle.ts';
import { mul } from '../../src/kernels/binary.ts';
import { Rows } from '../../src/tensor/spec.ts';
import type { Dtype, Spec, TypedArray } from '../../src/tensor/spec.ts';
import { checkGradient, checkValue, random, randomIndices } from '../op-table.ts';
import { expandRow, transposeRow } from '../ops/layouts.ts';
import { concatRow } from '../ops/moves.ts';
import { scatterAddRow } from '../ops/picks.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();

type Body = (inputs: Record<string, Value>) => Record<string, Value>;

async function run(specs: Record<string, Spec>, inputs: Record<string, TypedArray>, body: Body) {
  using program = await compile(device, specs, body);
  return program.call(inputs) as Promise<Record<string, TypedArray>>;
}

const lists = (results: Record<string, TypedArray>): Record<string, number[]> =>
  Object.fromEntries(Object.entries(results).map(([name, values]) => [name, [...values]]));

describe('bits move, of whatever dtype', () => {
  it.each<[Dtype, TypedArray]>([
    ['i32', Int32Array.of(-1, 2 ** 31 - 1, -(2 ** 31), 3, 4, 5)],
    ['u32', Uint32Array.of(2 ** 32 - 1, 1, 2 ** 31, 3, 4, 0x7fc00001)],
    ['f32', Float32Array.of(NaN, Infinity, -Infinity, 1e38, 1e-45, 5)],
  ])('%s', async (dtype, data) => {
    const [a, b, c, d, e, f] = data as unknown as number[];
    const missing = dtype === 'f32' ? NaN : 0;
    const results = await run({ x: { dtype, shape: [2, 3] } }, { x: data }, ({ x }) => {
      const indices = range({ start: -1, end: 4, step: 2 });
      return {
        transposed: transpose({ x: x! }),
        turned: slice({ x: x! }, { axis: 1, step: -1 }),
        expanded: expand({ x: slice({ x: x! }, { axis: 1, end: 1 }) }, { shape: [2, 2] }),
        tiled: tile({ x: x! }, { repeats: [1, 2] }),
        reflected: pad({ x: x! }, { axis: 1, before: 2, mode: 'reflect' }),
        filled: pad({ x: x! }, { axis: 0, after: 1, value: 7 }),
        gathered: gather({ x: x!, indices }, { axis: 1 }),
        triangle: triangle({ x: x! }),
      };
    });
    expect(lists(results)).toEqual({
      transposed: [a, d, b, e, c, f],
      turned: [c, b, a, f, e, d],
      expanded: [a, a, d, d],
      tiled: [a, b, c, a, b, c, d, e, f, d, e, f],
      reflected: [c, b, a, b, c, f, e, d, e, f],
      filled: [a, b, c, d, e, f, 7, 7, 7],
      gathered: [c, b, missing, f, e, missing],
      triangle: [a, 0, 0, d, e, 0],
    });
  });
});

describe('transpose', () => {
  it('takes more axes where some stay together', async () => {
    const inputs = { x: random([2, 1, 3, 2, 1, 2, 2], 1) };
    const attributes = { permutation: [4, 5, 6, 2, 3, 0, 1] };
    await checkValue(device, transpose as never, transposeRow, { inputs, attributes });
  });
});

describe('parts', () => {
  const x: Spec = { dtype: 'f32', shape: [2, 7] };
  const data = Float32Array.from({ length: 14 }, (_, index) => index);

  it('of one length, or of those given, some of them empty', async () => {
    const results = await run({ x }, { x: data }, ({ x }) => {
      const [a, b, c, d] = split({ x: x! }, { axis: 1, parts: 4 });
      const [e, f, g] = split({ x: x! }, { axis: -1, parts: [3, 0, 4] });
      return { a: a!, b: b!, c: c!, d: d!, e: e!, f: f!, g: g! };
    });
    expect(lists(results)).toEqual({
      a: [0, 1, 7, 8],
      b: [2, 3, 9, 10],
      c: [4, 5, 11, 12],
      d: [6, 13],
      e: [0, 1, 2, 7, 8, 9],
      f: [],
      g: [3, 4, 5, 6, 10, 11, 12, 13],
    });
  });

  it('of nothing', async () => {
    const results = await run({ x: { dtype: 'f32', shape: [0] } }, { x: new Float32Array(0) }, ({ x }) => {
      const [a, b] = split({ x: x! }, { axis: 0, parts: [0, 0] });
      return { a: a!, b: concatAll([a!, b!, x!], { axis: 0 }) };
    });
    expect(lists(results)).toEqual({ a: [], b: [] });
  });

  it('put together again are the whole, and copied once, two in a launch', async () => {
    using program = await compile(device, { x }, ({ x }) => ({
      y: concatAll(split({ x: x! }, { axis: 1, parts: 7 }), { axis: 1 }),
    }));
    expect(program.dispatches).toBe(7 + 4);
    expect((await program.call({ x: data })).y).toEqual(data);
  });

  it('alone, and with gradients', async () => {
    const parts = (inputs: Record<string, Value>) => concatAll(Object.values(inputs), { axis: 1 });
    for (const count of [1, 5]) {
      const given = Array.from({ length: count }, (_, part) => [`p${part}`, random([3, part + 1, 2], part)] as const);
      const inputs = Object.fromEntries(given);
      const opCase = { inputs, attributes: { axis: 1 }, samples: 3, batched: Object.keys(inputs) };
      await checkValue(device, parts as never, concatRow, opCase);
      await checkGradient(device, parts as never, { ...concatRow, differentiable: Object.keys(inputs) }, opCase);
    }
  });

  it('are named as they were given', () => {
    expect(() => concat.infer({ a: x, b: x, c: { ...x, shape: [3, 7] } } as never, { axis: 1 })).toThrow(
      /^concat: expected a and b of one dtype, .* alike but for axis 1, got f32\[2, 7\] and f32\[3, 7\]$/,
    );
  });
});

describe('expand', () => {
  it('gives every sample what depends on none', async () => {
    for (const samples of [1, 3]) {
      const rows = new Rows(samples + 2, 'samples');
      const z: Spec = { dtype: 'f32', shape: [samples + 2, 2, 3], rows };
      const inputs = { x: Float32Array.of(1, 2, 3), z: new Float32Array(samples * 6).fill(2) };
      const results = await run({ x: { dtype: 'f32', shape: [1, 3] }, z }, inputs, ({ x, z }) => {
        const y = expand({ x: x! }, { shape: [rows.max, 2, 3], rows });
        const [dx] = gradients(sum({ x: mul({ a: y, b: z! }) }), [x!]);
        return { y: mul({ a: y, b: z! }), dx: dx! };
      });
      expect(lists(results)).toEqual({
        y: Array.from({ length: 2 * samples }, () => [2, 4, 6]).flat(),
        dx: [4 * samples, 4 * samples, 4 * samples],
      });
    }
  });

  it('of a single sample keeps to that sample', async () => {
    const attributes = { shape: [1, 4, 3] };
    const opCase = { inputs: { x: random([1, 1, 3], 1) }, attributes, samples: 1, batched: ['x'] };
    const rows = new Rows(1);
    await checkGradient(device, expand as never, expandRow, opCase);
    using program = await compile(device, { x: { dtype: 'f32', shape: [1, 1, 3], rows } }, ({ x }) => {
      const y = expand({ x: x! }, { shape: [1, 4, 3] });
      return { dx: gradients(sum({ x: y }), [x!])[0]! };
    });
    expect([...(await program.call({ x: new Float32Array(3) })).dx]).toEqual([4, 4, 4]);
  });
});

describe('scatter-add', () => {
  it('adds up over the live samples', async () => {
    const opCase = {
      inputs: { x: random([7, 2], 1), indices: randomIndices([5, 3], 2, 7), updates: random([5, 3, 2], 3) },
      attributes: { axis: 0 }, samples: 5, batched: ['indices', 'updates'],
    };
    await checkValue(device, scatterAdd as never, { ...scatterAddRow, mixesRows: true }, opCase);
    await checkGradient(device, scatterAdd as never, scatterAddRow, opCase);
  });

  it('counts integers, and drops what is out of range', async () => {
    const specs = { x: { dtype: 'i32', shape: [3] }, indices: { dtype: 'i32', shape: [8] } } as const;
    const indices = Int32Array.of(0, 2, 2, -1, -3, 3, -4, 2);
    const results = await run(specs, { x: Int32Array.of(10, 20, 30), indices }, ({ x, indices }) => ({
      y: scatterAdd({ x: x!, indices: indices!, updates: range({ start: -1, end: 7 }) }, { axis: 0 }),
    }));
    expect([...results['y']!]).toEqual([10 - 1 + 3, 20, 30 + 0 + 1 + 2 + 6]);
  });

  it('adds up in the order of the positions, from x on', async () => {
    const updates = Float32Array.from(random([300], 4, -1e3, 1e3).data);
    const of = (length: number, dtype: Dtype): Spec => ({ dtype, shape: [length] });
    const specs = { x: of(1, 'f32'), indices: of(300, 'u32'), updates: of(300, 'f32') };
    const inputs = { x: Float32Array.of(0.1), indices: new Uint32Array(300), updates };
    const results = await run(specs, inputs, ({ x, indices, updates }) => ({
      y: scatterAdd({ x: x!, indices: indices!, updates: updates! }, { axis: 0 }),
    }));
    expect(results['y']![0]).toBe(updates.reduce((total, value) => Math.fround(total + value), Math.fround(0.1)));
  });
});

describe('an embedding', () => {
  it('learns from the live samples alone', async () => {
    const rows = new Rows(6);
    const specs = { weight: { dtype: 'f32', shape: [5, 2] }, indices: { dtype: 'u32', shape: [6, 2], rows } } as const;
    using program = await compile(device, specs, ({ weight, indices }) => {
      const y = embedding({ weight: weight!, indices: indices! });
      return { y, dw: gradients(sum({ x: y }), [weight!])[0]! };
    });
    const weight = Float32Array.from({ length: 10 }, (_, index) => index);
    await program.call({ weight, indices: new Uint32Array(12).fill(3) });
    const results = await program.call({ weight, indices: Uint32Array.of(4, 0, 4, 9) });
    expect(lists(results)).toEqual({ y: [8, 9, 0, 1, 8, 9, NaN, NaN], dw: [1, 1, 0, 0, 0, 0, 0, 0, 2, 2] });
  });
});

describe('gather', () => {
  it('takes a u32 for what it is, and a negative i32 from the end', async () => {
    const specs = { u: { dtype: 'u32', shape: [2] }, i: { dtype: 'i32', shape: [2] } } as const;
    const inputs = { u: Uint32Array.of(2 ** 32 - 1, 1), i: Int32Array.of(-1, 1) };
    const results = await run(specs, inputs, ({ u, i }) => {
      const x = range({ start: 5, end: 8 });
      return {
        u: gather({ x, indices: u! }, { axis: 0, fill: -9 }),
        i: gather({ x, indices: i! }, { axis: 0 }),
        each: gatherElements({ x, indices: i! }, { axis: 0 }),
      };
    });
    expect(lists(results)).toEqual({ u: [-9, 6], i: [7, 6], each: [7, 6] });
  });
});

describe('range', () => {
  it.each([
    [{ end: 4 }, [0, 1, 2, 3]],
    [{ start: 10, end: 4, step: -3 }, [10, 7]],
    [{ start: 1, end: 2, step: 0.25, dtype: 'f32' }, [1, 1.25, 1.5, 1.75]],
    [{ start: 4, end: 2, dtype: 'u32' }, []],
  ] as const)('%o', async (attributes, expected) => {
    expect([...(await run({}, {}, () => ({ y: range(attributes) })))['y']!]).toEqual(expected);
  });

  it.each([
    { end: 3, step: 0 },
    { end: Infinity },
    { start: -1, end: 3, dtype: 'u32' },
    { end: 1, step: 0.5 },
  ] as const)('refuses %o', async (attributes) => {
    const says = /^range: expected numbers that \w32 holds, an end and a step other than 0, got start/;
    await expect(run({}, {}, () => ({ y: range(attributes) }))).rejects.toThrow(says);
  });
});

describe('random fills', () => {
  const rows = new Rows(3);
  const make: Body = ({ seed, x }) => ({
    uniform: randomUniform({ seed: seed! }, { shape: [3, 500], rows }),
    other: randomUniform({ seed: seed! }, { shape: [1500], stream: 1 }),
    normal: randomNormal({ seed: seed! }, { shape: x!.shape, rows: x!.rows, mean: 2, deviation: 3 }),
    x: sum({ x: x! }, { axes: [1] }),
  });
  const specs = { seed: { dtype: 'u32', shape: [1] }, x: { dtype: 'f32', shape: [3, 500], rows } } as const;

  it('are drawn by place, by stream and by seed', async () => {
    using program = await compile(device, specs, make);
    const draw = (seed: number, samples: number) =>
      program.call({ seed: Uint32Array.of(seed), x: new Float32Array(samples * 500) });
    const [all, few, again] = [await draw(1, 3), await draw(1, 1), await draw(2, 3)];
    expect(few.uniform).toEqual(all.uniform.slice(0, 500));
    expect(few.normal).toEqual(all.normal.slice(0, 500));
    expect(new Set([...all.uniform, ...all.other, ...again.uniform]).size).toBeGreaterThan(4490);

    const mean = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0) / 1500;
    const [uniform, normal] = [[...all.uniform], [...all.normal]];
    expect(uniform.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(Math.abs(mean(uniform) - 0.5)).toBeLessThan(0.03);
    expect(Math.abs(mean(normal) - 2)).toBeLessThan(0.3);
    expect(Math.abs(mean(normal.map((value) => (value - 2) ** 2)) - 9)).toBeLessThan(1.5);
  });
});
