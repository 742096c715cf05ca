import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { compile } from '../../src/graph/program.ts';
import { batchNormTraining } from '../../src/kernels/batch-norm-training.ts';
import type { BatchNormAttributes } from '../../src/kernels/batch-norm.ts';
import { constant } from '../../src/kernels/define.ts';
import type { Operand } from '../../src/kernels/define.ts';
import { sum } from '../../src/kernels/reduce.ts';
import { updateRunningStatistics } from '../../src/kernels/running-statistics.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { checkGradient, checkValue, expectClose, host, random } from '../op-table.ts';
import { batchNormTrainingRow as row, channelStatistics } from '../ops/normalization.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
type Inputs = { x: Operand; scale: Operand; shift: Operand };

describe('batchNormTraining', () => {
  it('values, statistics, and batches that are not full', async () => {
    for (const opCase of row.cases) await checkValue(device, batchNormTraining as never, row, opCase);
  });

  it('gradient, through the statistics as well', async () => {
    const y = (inputs: Inputs, attributes: BatchNormAttributes) => batchNormTraining(inputs, attributes).y;
    for (const opCase of row.cases) await checkGradient(device, y as never, row, opCase);
  });

  it('keeps its digits where the mean is a thousand deviations away', async () => {
    const shape = [70, 2, 32, 32];
    const rows = new Rows(100);
    const x = host(shape, random(shape, 3).data.map((value) => Math.fround(1000 + value)));
    using program = await compile(device, { x: { dtype: 'f32', shape: [100, 2, 32, 32], rows } }, ({ x }) => {
      const ones = constant({ dtype: 'f32', shape: [2] }, Float32Array.of(1, 1));
      const { mean, variance } = batchNormTraining({ x, scale: ones, shift: ones });
      return { mean, variance };
    });
    const got = await program.call({ x: Float32Array.from(x.data) });
    const { mean, variance } = channelStatistics(x);
    expectClose(got.mean, mean.data, 1, 'mean');
    expectClose(got.variance, variance.data, 64, 'variance');
  });

  it('refuses gradients through its statistics', async () => {
    const spec = { dtype: 'f32', shape: [4, 2] } as const;
    const channel = { dtype: 'f32', shape: [2] } as const;
    const traced = compile(device, { x: spec, scale: channel, shift: channel }, ({ x, scale, shift }) => ({
      grad: gradients(sum({ x: batchNormTraining({ x, scale, shift }).mean }), [x])[0]!,
    }));
    await expect(traced).rejects.toThrow('batch-norm-training: has no gradient through its outputs mean and variance');
  });
});

describe('updateRunningStatistics', () => {
  it('moves towards the live part of a batch, its variance unbiased', async () => {
    const rows = new Rows(6);
    const channel = { dtype: 'f32', shape: [3] } as const;
    using runningMean = Tensor.from(device, Float32Array.of(1, 2, 3));
    using runningVariance = Tensor.from(device, Float32Array.of(4, 5, 6));
    const specs = { x: { dtype: 'f32', shape: [6, 3, 2, 2], rows }, scale: channel, shift: channel } as const;
    using program = await compile(device, specs, ({ x, scale, shift }) => {
      const { y, mean, variance } = batchNormTraining({ x, scale, shift });
      updateRunningStatistics({ x, mean, variance, runningMean, runningVariance }, { momentum: 0.1 });
      return { y };
    });
    const channels = { scale: new Float32Array(3), shift: new Float32Array(3) };
    let [means, variances] = [[1, 2, 3], [4, 5, 6]];
    for (const samples of [6, 1, 4, 0]) {
      const x = random([samples, 3, 2, 2], samples, -1, 5);
      await program.call({ ...channels, x: Float32Array.from(x.data) });
      if (samples > 0) {
        const { mean, variance } = channelStatistics(x);
        const count = samples * 4;
        means = means.map((running, c) => 0.9 * running + 0.1 * mean.data[c]!);
        variances = variances.map((running, c) => 0.9 * running + (0.1 * variance.data[c]! * count) / (count - 1));
      }
      expectClose(await runningMean.read(), Float64Array.from(means), 8, 'mean');
      expectClose(await runningVariance.read(), Float64Array.from(variances), 8, 'variance');
    }
  });
});
