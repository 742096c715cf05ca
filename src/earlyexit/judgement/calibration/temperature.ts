import { finiteRows, softmaxRow } from './logits.ts';
import type { Logits } from './logits.ts';

/** What a calibrator was fitted on. */
export interface Fit {
  readonly samples: number;
  /** Samples beside them whose logits or scores were not finite. */
  readonly leftOut: number;
}

/** Logits are divided by a temperature. The label stays; above 1 the exit was too sure. */
export interface TemperatureScaling extends Fit {
  readonly kind: 'temperature';
  readonly temperature: number;
  /**
   * The likelihood still rises where the search ends: all labels are right (1/20) or hardly any is (20), and the data
   * do not say what the temperature is.
   */
  readonly bounded: boolean;
}

/** Temperatures from one over this to this. */
const WIDEST = 20;

/**
 * The temperature of greatest likelihood (Guo et al. 2017, "On calibration of modern neural networks", section 4.2),
 * to 1e-9 of it. In the inverse of the temperature the negative log-likelihood is convex, with slope
 * `sum(E_p[z] - z_y)` and curvature `sum(Var_p[z])`: Newton's steps find where the slope is 0, and where one would
 * leave the interval known to hold that, it is halved. Where logits are constant in each row, or there is one class,
 * any temperature is as good, and it is 1.
 * @throws ArgumentError for logits that are not whole rows for the labels, a label that is no class, or no finite row
 */
export function fitTemperature(logits: Logits, labels: ArrayLike<number>): TemperatureScaling {
  const { classes, samples, leftOut } = finiteRows('fitTemperature', logits, labels);
  const scaled = new Float64Array(classes);
  const probabilities = new Float64Array(classes);
  const derivatives = (inverse: number): { slope: number; curvature: number } => {
    let [slope, curvature] = [0, 0];
    for (const sample of samples) {
      const row = logits.subarray(sample * classes, (sample + 1) * classes);
      row.forEach((value, index) => (scaled[index] = value * inverse));
      softmaxRow(scaled, probabilities);
      // From the label's logit on, so that constant rows give 0 and not its rounding.
      const own = row[labels[sample]!]!;
      let [mean, square] = [0, 0];
      for (let index = 0; index < classes; index++) {
        const distance = row[index]! - own;
        mean += probabilities[index]! * distance;
        square += probabilities[index]! * distance ** 2;
      }
      slope += mean;
      curvature += square - mean ** 2;
    }
    return { slope, curvature };
  };

  const result = (temperature: number, bounded: boolean): TemperatureScaling => ({
    kind: 'temperature',
    temperature,
    bounded,
    samples: samples.length,
    leftOut,
  });
  let [low, high] = [1 / WIDEST, WIDEST];
  const [atLow, atHigh] = [low, high].map((inverse) => derivatives(inverse).slope) as [number, number];
  if (atLow === 0 && atHigh === 0) return result(1, false);
  if (atLow >= 0) return result(WIDEST, true);
  if (atHigh <= 0) return result(1 / WIDEST, true);
  for (let inverse = 1; ; ) {
    const { slope, curvature } = derivatives(inverse);
    if (slope < 0) low = inverse;
    else high = inverse;
    const newton = inverse - slope / curvature;
    const next = newton >= low && newton <= high ? newton : Math.sqrt(low * high);
    if (Math.abs(next - inverse) <= 1e-9 * inverse) return result(1 / next, false);
    inverse = next;
  }
}
