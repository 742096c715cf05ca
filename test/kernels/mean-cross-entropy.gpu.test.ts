import { describe, expect, it } from 'vitest';
import { compile } from '../../src/graph/program.ts';
import { crossEntropy, meanCrossEntropy } from '../../src/kernels/cross-entropy.ts';
import { meanNll } from '../../src/kernels/nll.ts';
import { mean } from '../../src/kernels/reduce.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { checkGradient, checkValue, host, random } from '../op-table.ts';
import type { Host, OpRow } from '../op-table.ts';
import { crossEntropyRow, labelWeightsRow, nllRow } from '../ops/losses.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const total = (values: unknown): number => (values as Host).data.reduce((sum, value) => sum + value, 0);

/** Losses and weights summed; 0 / 0 where every row is ignored or of no weight. */
const row: OpRow = {
  cases: crossEntropyRow.cases.filter(({ inputs, attributes = {} }) => inputs['classWeights'] || 'ignore' in attributes),
  reference(inputs, attributes) {
    const classes = inputs['logits']!.shape[1]!;
    const classWeights = inputs['classWeights'] ?? host([classes], new Float64Array(classes).fill(1));
    const losses = crossEntropyRow.reference(inputs, attributes);
    const counted = labelWeightsRow.reference({ labels: inputs['labels']!, classWeights }, attributes);
    return host([], [total(losses) / total(counted)]);
  },
  ulps: (opCase) => crossEntropyRow.ulps(opCase) + 16,
  differentiable: ['logits'],
  mixesRows: true,
};
const sound = row.cases.filter(({ inputs, attributes = {} }) => Number.isFinite(total(row.reference(inputs, attributes))));

describe('meanCrossEntropy', () => {
  it('divides by the weights of the labels that count', async () => {
    expect(sound.length).toBeGreaterThan(10);
    for (const opCase of sound) await checkValue(device, meanCrossEntropy as never, row, opCase);
  });

  it('gradient', async () => {
    for (const opCase of sound) await checkGradient(device, meanCrossEntropy as never, row, opCase);
  });

  it('is the plain mean where every row counts alike', async () => {
    const rows = new Rows(8);
    const logits = { dtype: 'f32', shape: [8, 3], rows } as const;
    const labels = { dtype: 'u32', shape: [8], rows } as const;
    using program = await compile(device, { logits, labels }, (inputs) => ({
      got: meanCrossEntropy(inputs),
      wanted: mean({ x: crossEntropy(inputs) }),
    }));
    const given = { logits: Float32Array.from(random([5, 3], 1).data), labels: Uint32Array.of(0, 1, 2, 1, 0) };
    const { got, wanted } = await program.call(given);
    expect(got).toEqual(wanted);
  });
});

describe('meanNll', () => {
  const nllMean: OpRow = {
    ...nllRow,
    cases: nllRow.cases.slice(1),
    reference(inputs, attributes: { ignore?: number }) {
      const { x, label, weight } = inputs;
      const classes = x!.shape[1]!;
      const classWeights = weight ?? host([classes], new Float64Array(classes).fill(1));
      const counted = labelWeightsRow.reference({ labels: label!, classWeights }, attributes);
      return host([], [total(nllRow.reference(inputs, attributes)) / total(counted)]);
    },
    ulps: () => 32,
    mixesRows: true,
  };

  it('divides by the weights of the labels that count, of any shape', async () => {
    for (const opCase of nllMean.cases) await checkValue(device, meanNll as never, nllMean, opCase);
  });

  it('gradient', async () => {
    for (const opCase of nllMean.cases) await checkGradient(device, meanNll as never, nllMean, opCase);
  });

  it('is the plain mean where every label counts alike', async () => {
    const x = { dtype: 'f32', shape: [2, 3] } as const;
    using program = await compile(device, { x, label: { dtype: 'i32', shape: [2] } }, ({ x, label }) => ({
      y: meanNll({ x: x!, label: label! }),
    }));
    const { y } = await program.call({ x: Float32Array.of(-1, -2, -3, -4, -5, -6), label: Int32Array.of(0, 2) });
    expect([...y!]).toEqual([3.5]);
  });
});
