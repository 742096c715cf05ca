import { beforeEach, describe, expect, it } from 'vitest';
import { compile } from '../../src/graph/program.ts';
import { tune } from '../../src/graph/tune.ts';
import { defineOp, dispatch, linearGrid, none } from '../../src/kernels/define.ts';
import type { Dispatch, Operand, Value } from '../../src/kernels/define.ts';
import { unaryKernel } from '../../src/kernels/generated/unary.ts';
import { matmul } from '../../src/kernels/matmul.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
beforeEach(() => device.fastest.clear());

const SIZE = 64;
const square = { dtype: 'f32', shape: [SIZE, SIZE] } as const;
const product = ({ a, b }: Record<'a' | 'b', Value>): Record<string, Value> => ({ y: matmul({ a, b }) });

describe('tune: matmul', () => {
  it('names the fastest of what is offered, for the class of shapes that programs ask with', async () => {
    const [tuned, ...others] = await tune(device, { a: square, b: square }, product);
    expect(others).toEqual([]);
    const names = tuned!.variants.map(({ name }) => name);
    expect(names).toContain('registers');
    expect(names).toContain('tiled');
    for (const variant of tuned!.variants) expect(variant.ms, variant.dropped).toBeGreaterThan(0);
    expect(names).toContain(tuned!.fastest);
    expect([...device.fastest]).toEqual([[tuned!.key, tuned!.fastest]]);

    device.fastest.set(tuned!.key, 'tiled');
    using program = await compile(device, { a: square, b: square }, product);
    expect(program.launches.map(({ dispatch: { kernel } }) => kernel.name)).toEqual(['matmul-tiled']);
  });

  it('leaves what is known', async () => {
    const [tuned] = await tune(device, { a: square, b: square }, product);
    device.fastest.set(tuned!.key, 'registers');
    expect(await tune(device, { a: square, b: square }, product)).toEqual([]);
    expect(device.fastest.get(tuned!.key)).toBe('registers');
  });

  it('stops at a signal with its reason, and names nothing', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(tune(device, { a: square, b: square }, product, { signal })).rejects.toThrow('enough');
    expect(device.fastest.size).toBe(0);
  });
});

describe('tune: variants that are no use', () => {
  const [COPY, NEGATE] = [0, 18];
  const launch = (x: Value, y: Value, code: number, kernel = unaryKernel): Dispatch[] => [
    dispatch(kernel, {
      bind: { x, y },
      params: { sizePerSample: SIZE, alpha: 0, beta: 0 },
      overrides: { OP: code },
      grid: linearGrid(SIZE, 256),
    }),
  ];
  /** `x`, at best. */
  const same = defineOp<{ x: Operand }>({
    name: 'same',
    infer: ({ x }) => ({ y: x }),
    lower: ({ x }, { y }, _, { choose }) =>
      choose('any', {
        right: () => launch(x, y, COPY),
        wrong: () => launch(x, y, NEGATE),
        broken: () => launch(x, y, COPY, { ...unaryKernel, name: 'broken', code: 'fn main( {' }),
      }),
    gradient: none('it is here to be tuned'),
  });

  it('are dropped, and why is said', async () => {
    const x = { dtype: 'f32', shape: [SIZE] } as const;
    const [tuned] = await tune(device, { x }, ({ x }) => ({ y: same({ x }) }));
    expect(tuned).toEqual({
      key: 'same any',
      variants: [
        { name: 'right', ms: expect.any(Number) },
        { name: 'wrong', dropped: 'its results are not those of right' },
        { name: 'broken', dropped: expect.stringContaining('broken') },
      ],
      fastest: 'right',
    });
    expect(device.fastest.get('same any')).toBe('right');
  });
});
