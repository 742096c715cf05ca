import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { compile } from '../../src/graph/program.ts';
import { add } from '../../src/kernels/binary.ts';
import type { Value } from '../../src/kernels/define.ts';
import { gradientScale, stopGradient } from '../../src/kernels/gradient-scale.ts';
import { linear } from '../../src/kernels/linear.ts';
import { sum } from '../../src/kernels/reduce.ts';
import { sign } from '../../src/kernels/unary.ts';
import { tanh } from '../../src/kernels/unary.ts';
import { random } from '../op-table.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const matrix = (seed: number): Float32Array => Float32Array.from(random([4, 4], seed).data);
const given = { x: matrix(1), trunk: matrix(2), head1: matrix(3), head2: matrix(4) };
const spec = { dtype: 'f32', shape: [4, 4] } as const;

/** The gradients of a trunk that two heads share, with what is put between it and the second head. */
async function trunkAndHeads(between: (x: Value) => Value) {
  const specs = { x: spec, trunk: spec, head1: spec, head2: spec };
  using program = await compile(device, specs, ({ x, trunk, head1, head2 }) => {
    const shared = tanh({ x: linear({ x, weight: trunk }) });
    const first = sum({ x: tanh({ x: linear({ x: shared, weight: head1 }) }) });
    const second = sum({ x: tanh({ x: linear({ x: between(shared), weight: head2 }) }) });
    const names = ['trunk', 'head1', 'head2'] as const;
    const grads = gradients(add({ a: first, b: second }), [trunk, head1, head2]);
    return { value: second, ...Object.fromEntries(names.map((name, index) => [name, grads[index]!])) } as Record<
      'value' | (typeof names)[number],
      Value
    >;
  });
  return program.call(given);
}

describe('gradientScale', () => {
  it('changes what a head sends into the trunk, and neither its value nor its own gradient', async () => {
    const whole = await trunkAndHeads((x) => x);
    const none = await trunkAndHeads(stopGradient);
    const third = await trunkAndHeads((x) => gradientScale({ x }, { by: 0.3 }));
    for (const scaled of [none, third]) expect({ ...scaled, trunk: 0 }).toEqual({ ...whole, trunk: 0 });
    whole.trunk.forEach((grad, index) => {
      const ofFirst = none.trunk[index]!;
      expect(Math.abs(grad - ofFirst)).toBeGreaterThan(1e-4);
      expect(third.trunk[index]! - ofFirst).toBeCloseTo(0.3 * (grad - ofFirst), 5);
    });
  });

  it('stops before operations that have no gradient, and computes none of what would be dropped', async () => {
    const specs = { x: spec, trunk: spec, head1: spec };
    const gradientOf = (cut: (x: Value) => Value) =>
      compile(device, specs, ({ x, trunk, head1 }) => {
        const signs = sign({ x: linear({ x, weight: trunk }) });
        const [before, behind] = gradients(sum({ x: add({ a: cut(signs), b: head1 }) }), [trunk, head1]);
        expect(before).toBeUndefined();
        return { grad: behind! };
      });
    await expect(gradientOf((x) => x)).rejects.toThrow('sign: has no gradient');
    using program = await gradientOf(stopGradient);
    const { head2: _, ...inputs } = given;
    expect((await program.call(inputs)).grad).toEqual(new Float32Array(16).fill(1));
  });
});
