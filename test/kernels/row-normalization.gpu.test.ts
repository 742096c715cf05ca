import { describe, expect, it } from 'vitest';
import { compile } from '../../src/graph/program.ts';
import { trace } from '../../src/graph/trace.ts';
import { lpNormalize } from '../../src/kernels/lp-normalize.ts';
import { groupNorm, layerNorm, rmsNorm } from '../../src/kernels/row-normalization.ts';
import { Rows } from '../../src/tensor/spec.ts';
import type { TypedArray } from '../../src/tensor/spec.ts';
import { checkValue, expectClose, host, random } from '../op-table.ts';
import { layerNormRow } from '../ops/normalization.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();

describe('normalisation of rows', () => {
  it.each([20, 300])('keeps what is not finite in its row of %i', async (length) => {
    const specs = { x: { dtype: 'f32', shape: [5, length], rows: new Rows(5) } } as const;
    using program = await compile(device, specs, ({ x }) => ({ layer: layerNorm({ x }), rms: rmsNorm({ x }) }));
    const x = Float32Array.from(random([5, length], 1).data);
    const sound = await program.call({ x });
    const inRow = (values: TypedArray): TypedArray => values.slice().fill(NaN, 2 * length, 3 * length);
    const poisoned = await program.call({ x: x.with(2 * length + 3, NaN) });
    expect(poisoned).toEqual({ layer: inRow(sound.layer), rms: inRow(sound.rms) });
    for (const infinity of [Infinity, -Infinity]) {
      const { layer } = await program.call({ x: x.with(2 * length, infinity) });
      expect(layer).toEqual(inRow(sound.layer));
    }
  });

  it.each([64, 1000])('loses no digits to a large mean, of %i elements', async (length) => {
    const { shape, data } = random([3, length], 2);
    const x = host(shape, data.map((value) => Math.fround(Math.fround(value * 64) + 65536)));
    await checkValue(device, layerNorm as never, { ...layerNormRow, ulps: () => 40 }, { inputs: { x } });
  });

  it('makes rows of one value 0, but for the bias', async () => {
    using program = await compile(device, { x: { dtype: 'f32', shape: [2, 3] } }, ({ x }) => ({
      layer: layerNorm({ x }),
      lp: lpNormalize({ x }),
    }));
    const { layer, lp } = await program.call({ x: Float32Array.of(7, 7, 7, 0, 0, 0) });
    expect(layer).toEqual(new Float32Array(6));
    expectClose(lp, Float64Array.of(...Array<number>(3).fill(1 / Math.sqrt(3)), 0, 0, 0), 4, 'lp');
  });

  it('says what it expects', () => {
    const x = { dtype: 'f32', shape: [4, 6, 5], rows: new Rows(4) } as const;
    const scale = { dtype: 'f32', shape: [6] } as const;
    const calling = (of: (x: never, scale: never) => unknown) => () =>
      trace({ x, scale }, (given) => (of(given['x'] as never, given['scale'] as never), {}));
    const wanted = 'expected groups that divide 6 channels of f32[rows, 6, 5], got 4';
    expect(calling((given) => groupNorm({ x: given }, { groups: 4 }))).toThrow(`group-norm: ${wanted}`);
    const scaled = calling((given, by) => layerNorm({ x: given, scale: by }));
    expect(scaled).toThrow('layer-norm: expected scale f32[5], got f32[6]');
    const overSamples = calling((given) => rmsNorm({ x: given }, { axis: 0 }));
    expect(overSamples).toThrow('rms-norm: expected an axis behind that of the samples');
    const bare = calling((given) => layerNorm({ x: given }, { epsilon: 0 }));
    expect(bare).toThrow('expected an epsilon greater than 0, got 0');
  });
});
