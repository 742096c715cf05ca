import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { compile } from '../../src/graph/program.ts';
import { attentionWeights } from '../../src/kernels/attention-weights.ts';
import { attention, attentionStages } from '../../src/kernels/attention.ts';
import { cacheAppend } from '../../src/kernels/cache-append.ts';
import type { Value } from '../../src/kernels/define.ts';
import { sum } from '../../src/kernels/reduce.ts';
import type { TypedArray } from '../../src/tensor/spec.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { checkGradient, checkValue, random } from '../op-table.ts';
import type { OpRow } from '../op-table.ts';
import { attentionCases, attentionMaskRow, attentionRow, hiddenWeightsRow, stages } from '../ops/attention.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const f32 = (...shape: number[]) => ({ dtype: 'f32', shape }) as const;

describe('weights of attention', () => {
  it('are 0 for keys that are not seen, and so are their gradients', async () => {
    for (const opCase of hiddenWeightsRow.cases) {
      await checkValue(device, attentionWeights as never, hiddenWeightsRow, opCase);
      await checkGradient(device, attentionWeights as never, hiddenWeightsRow, opCase);
    }
  });

  it('have a gradient by a mask of numbers, summed where it is repeated', async () => {
    for (const opCase of attentionMaskRow.cases) {
      await checkGradient(device, attentionWeights as never, attentionMaskRow, opCase);
    }
  });

  it.each([40, 300])('of %i keys do not look at scores of those that are not seen, and do at others', async (keys) => {
    const specs = { x: f32(1, 1, 4, keys), mask: { dtype: 'u32', shape: [4, keys] } } as const;
    const body = ({ x, mask }: Record<string, Value>): Record<string, Value> => {
      const y = attentionWeights({ x: x!, mask: mask! }, { softcap: 3 });
      return { y, dx: gradients(sum({ x: y }), [x!])[0]! };
    };
    using program = await compile(device, specs, body);
    const x = Float32Array.from(random([4 * keys], 1).data);
    const mask = new Uint32Array(4 * keys).fill(1);
    mask.set([0, 0, 0], 1);
    mask.fill(0, 2 * keys, 3 * keys);
    const clean = await program.call({ x, mask });
    for (const poison of [NaN, Infinity, -Infinity]) {
      const poisoned = x.slice();
      poisoned.fill(poison, 1, 4).fill(poison, 2 * keys, 3 * keys);
      expect(await program.call({ x: poisoned, mask })).toEqual(clean);
    }
    expect(clean['y']!.slice(2 * keys, 3 * keys)).toEqual(new Float32Array(keys));
    x[3 * keys + 7] = NaN;
    const { y, dx } = await program.call({ x, mask });
    expect(y!.slice(0, 3 * keys)).toEqual(clean['y']!.slice(0, 3 * keys));
    expect(y!.slice(3 * keys)).toEqual(new Float32Array(keys).fill(NaN));
    expect(dx!.slice(3 * keys)).toEqual(new Float32Array(keys).fill(NaN));
  });
});

describe('attention', () => {
  it('shows what is on its way', async () => {
    const row: OpRow = { ...attentionRow, reference: stages };
    const [, , capped] = attentionCases;
    await checkValue(device, attentionStages as never, row, capped!);
  });

  it('one step at a time over a cache gives the bits of all steps at once', async () => {
    const [heads, kvHeads, steps, room, d] = [4, 2, 6, 9, 8];
    const whole = { q: f32(1, heads, steps, d), k: f32(1, kvHeads, steps, d), v: f32(1, kvHeads, steps, d) };
    const data = Object.fromEntries(
      Object.entries(whole).map(([name, { shape }], seed) => [name, Float32Array.from(random(shape, seed).data)]),
    ) as Record<keyof typeof whole, Float32Array>;
    using atOnce = await compile(device, whole, ({ q, k, v }) => ({ y: attention({ q, k, v }, { causal: true }) }));
    const { y } = await atOnce.call(data);

    using keys = Tensor.zeros(device, f32(1, kvHeads, room, d));
    using values = Tensor.zeros(device, f32(1, kvHeads, room, d));
    const u32 = { dtype: 'u32', shape: [1] } as const;
    const one = f32(1, kvHeads, 1, d);
    const single = { q: f32(1, heads, 1, d), k: one, v: one, position: u32, lengths: u32 };
    using step = await compile(device, single, ({ q, k, v, position, lengths }) => ({
      y: attention({
        q,
        k: cacheAppend({ x: keys, update: k, position }),
        v: cacheAppend({ x: values, update: v, position }),
        lengths,
      }),
    }));
    const at = (of: Float32Array | TypedArray, i: number): Float32Array =>
      Float32Array.from(of).filter((_, index) => Math.floor(index / d) % steps === i);
    for (let i = 0; i < steps; i++) {
      const inputs = { q: at(data.q, i), k: at(data.k, i), v: at(data.v, i) };
      const { y: now } = await step.call({ ...inputs, position: Uint32Array.of(i), lengths: Uint32Array.of(i + 1) });
      expect(now).toEqual(at(y, i));
    }
  });

  it('computes no more than it is asked for', async () => {
    const specs = { q: f32(1, 4, 3, 8), k: f32(1, 2, 5, 8), v: f32(1, 2, 5, 8) };
    const launches = async (of: typeof attentionStages | typeof attention): Promise<number> => {
      const body = ({ q, k, v }: Record<string, Value>): Record<string, Value> => {
        const made = of({ q: q!, k: k!, v: v! });
        return { y: 'kind' in made ? made : made.y };
      };
      using program = await compile(device, specs, body);
      return program.dispatches;
    };
    expect(await launches(attention)).toBe(3);
    expect(await launches(attentionStages)).toBe(3);
  });
});
