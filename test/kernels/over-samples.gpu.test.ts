import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { compile } from '../../src/graph/program.ts';
import { linear } from '../../src/kernels/linear.ts';
import { matmul } from '../../src/kernels/matmul.ts';
import { logSumExp, max, mean, min, prod, sum } from '../../src/kernels/reduce.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { checkGradient, checkValue, host, random } from '../op-table.ts';
import type { OpCase, OpRow } from '../op-table.ts';
import { factors, linearRow, matmulRow } from '../ops/products.ts';
import { reduceRows } from '../ops/reduce.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();

async function check(op: unknown, row: OpRow, cases: readonly OpCase[]): Promise<void> {
  for (const opCase of cases) {
    // What sums over the samples has no result for each of them.
    await checkValue(device, op as never, { ...row, mixesRows: true }, opCase);
    await checkGradient(device, op as never, row, opCase);
  }
}

// The op table has results that belong to samples; these combine the live ones, of a program made for more.
describe('over the live samples', () => {
  const shapes = [
    { shape: [1, 3], axes: [0] },
    { shape: [65, 10], axes: [0] },
    { shape: [300, 4], axes: [0] },
    { shape: [6, 5, 50], samples: 3, axes: [0, 2] },
    { shape: [7, 3], axes: [0, 1] },
    { shape: [2, 2, 300], axes: undefined },
  ];
  const cases = shapes.map(({ shape, axes, samples = shape[0]! }, seed): OpCase => ({
    inputs: { x: random(shape, seed, 0.5, 1.5) },
    attributes: axes ? { axes } : {},
    samples,
    batched: ['x'],
  }));
  it.each(Object.entries({ sum, mean, max, min, prod, logSumExp }))('%s', async (name, op) => {
    await check(op, reduceRows[name as keyof typeof reduceRows], cases);
  });

  it('of no samples, sum and mean are 0', async () => {
    const rows = new Rows(4);
    const spec = { dtype: 'f32', shape: [4, 3], rows } as const;
    using program = await compile(device, { x: spec }, ({ x }) => ({
      sum: sum({ x: x! }, { axes: [0] }),
      mean: mean({ x: x! }),
    }));
    const results = await program.call({ x: new Float32Array(0) });
    expect(results).toEqual({ sum: new Float32Array(3), mean: new Float32Array(1) });
  });

  it('forgets the samples of a larger run before', async () => {
    const rows = new Rows(600);
    const spec = { dtype: 'f32', shape: [600, 3], rows } as const;
    const make = () =>
      compile(device, { x: spec }, ({ x }) => ({
        product: matmul({ a: x!, b: x! }, { transposeA: true }),
        sum: sum({ x: x! }, { axes: [0] }),
        mean: mean({ x: x! }),
        max: max({ x: x! }, { axes: [0] }),
        gradient: gradients(mean({ x: x! }), [x!])[0]!,
      }));
    using used = await make();
    using fresh = await make();
    const x = Float32Array.from(random([600, 3], 5, 0.5, 1.5).data);
    await used.call({ x: x.map((value) => value + 7) });
    const few = x.slice(0, 3 * 260);
    expect(await used.call({ x: few })).toEqual(await fresh.call({ x: few }));
  });

  it('matmul along k', async () => {
    const products = [[10, 1, 3], [84, 63, 20], [3, 65, 70]] as const;
    const attributes = { transposeA: true };
    await check(matmul, matmulRow, products.map(([m, k, n]) => ({
      inputs: factors(m, k, n, attributes), attributes, samples: k, batched: ['a', 'b'],
    })));
  });
});

describe('linear', () => {
  it('does without a bias', async () => {
    const inputs = { x: random([65, 33], 1), weight: random([8, 33], 2) };
    const bias = host([8], new Float64Array(8));
    const row: OpRow = {
      ...linearRow,
      reference: (given, attributes) => linearRow.reference({ ...given, bias }, attributes),
      differentiable: ['x', 'weight'],
    };
    const opCase = { inputs, attributes: { activation: 'relu' }, samples: 65, batched: ['x'] };
    await checkValue(device, linear as never, row, opCase);
    await checkGradient(device, linear as never, row, opCase);
  });
});
