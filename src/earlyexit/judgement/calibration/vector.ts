import { finiteRows, softmaxRow } from './logits.ts';
import type { Logits } from './logits.ts';
import { minimize } from './newton.ts';
import type { Fit } from './temperature.ts';

/** Logits `z` become `scale z + bias`, class by class; labels may change. */
export interface VectorScaling extends Fit {
  readonly kind: 'vector';
  /** One per class. */
  readonly scale: readonly number[];
  readonly bias: readonly number[];
}

/** Pulls towards scale 1 and bias 0, so that there is a least value where labels can be told without an error. */
const PULL = 1e-6;

/**
 * Scale and bias of greatest likelihood (vector scaling; Guo et al. 2017, "On calibration of modern neural networks",
 * section 4.2), with a penalty of `1e-6 / 2 (|scale - 1|^2 + |bias|^2)` on the mean negative log-likelihood. Fits two
 * numbers per class: of few samples it learns the samples. A step takes `samples (2 classes)^2` multiply-adds.
 * @throws ArgumentError for logits that are not whole rows for the labels, a label that is no class, or no finite row
 */
export function fitVector(logits: Logits, labels: ArrayLike<number>): VectorScaling {
  const { classes, samples, leftOut } = finiteRows('fitVector', logits, labels);
  const size = 2 * classes;
  const start = new Float64Array(size).fill(1, 0, classes);
  const scaled = new Float64Array(classes);
  const probabilities = new Float64Array(classes);
  const rowOf = (sample: number): Logits => logits.subarray(sample * classes, (sample + 1) * classes);
  const scoreRow = (row: Logits, at: Float64Array) => {
    row.forEach((value, index) => (scaled[index] = at[index]! * value + at[classes + index]!));
    return softmaxRow(scaled, probabilities);
  };

  const value = (at: Float64Array): number => {
    let sum = 0;
    for (const sample of samples) {
      const { greatest, logSum } = scoreRow(rowOf(sample), at);
      sum += logSum - (scaled[labels[sample]!]! - greatest);
    }
    const far = at.reduce((total, number, index) => total + (number - start[index]!) ** 2, 0);
    return sum / samples.length + (PULL / 2) * far;
  };

  const derivatives = (at: Float64Array) => {
    const gradient = at.map((number, index) => PULL * (number - start[index]!));
    const hessian = new Float64Array(size * size);
    for (let index = 0; index < size; index++) hessian[index * size + index] = PULL;
    // Of the scaled logits by the parameters: the logit, and 1.
    const inner = new Float64Array(size).fill(1);
    for (const sample of samples) {
      const row = rowOf(sample);
      scoreRow(row, at);
      inner.set(row);
      for (let i = 0; i < size; i++) {
        const one = i % classes;
        const outer = inner[i]! / samples.length;
        gradient[i]! += outer * (probabilities[one]! - Number(one === labels[sample]));
        for (let j = 0; j <= i; j++) {
          const other = j % classes;
          const curvature = probabilities[one]! * (Number(one === other) - probabilities[other]!);
          hessian[i * size + j]! += outer * inner[j]! * curvature;
        }
      }
    }
    return { gradient, hessian };
  };

  const found = [...minimize({ value, derivatives }, start)];
  const fit = { samples: samples.length, leftOut };
  return { kind: 'vector', scale: found.slice(0, classes), bias: found.slice(classes), ...fit };
}
