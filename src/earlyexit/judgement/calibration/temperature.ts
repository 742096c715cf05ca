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
 * to 1e-9 of it. In the inverse `b` of the temperature the mean negative log-likelihood is convex, with derivatives
 * `mean(E_p[z] - z_y)` and `mean(Var_p[z])`: Newton's steps, halving the interval where one would leave it. Where
 * logits are constant in each row, or there is one class, any temperature is as good, and it is 1.
 * @throws ArgumentError for logits that are not whole rows for the labels, a label that is no class, or no finite row
 */
export function fitTemperature(logits: Logits, labels: ArrayLike<number>): TemperatureScaling {
  const rows = finiteRows('fitTemperature', logits, labels);
  const { classes, samples, leftOut } = rows;
  const fit = { kind: 'temperature', samples: samples.length, leftOut } as const;
  const scaled = new Float64Array(classes);
  const probabilities = new Float64Array(classes);

  const derivatives = (inverse: number): { slope: number; curvature: number } => {
    let [slope, curvature] = [0, 0];
    for (const sample of samples) {
      const row = logits.subarray(sample * classes, (sample + 1) * classes);
      row.forEach((value, index) => (scaled[index] = value * inverse));
      softmaxRow(scaled, probabilities);
      // From the label's logit, so that constant rows give 0 and not its rounding.
      const own = row[labels[sample]!]!;
      let [mean, square] = [0, 0];
      probabilities.forEach((share, index) => {
        const distance = row[index]! - own;
        mean += share * distance;
        square += share * distance ** 2;
      });
      slope += mean / samples.length;
      curvature += (square - mean ** 2) / samples.length;
    }
    return { slope, curvature };
  };

  let [low, high] = [1 / WIDEST, WIDEST];
  if (derivatives(1).curvature === 0) return { ...fit, temperature: 1, bounded: false };
  if (derivatives(low).slope >= 0) return { ...fit, temperature: 1 / low, bounded: true };
  if (derivatives(high).slope <= 0) return { ...fit, temperature: 1 / high, bounded: true };
  let inverse = 1;
  for (let move = Infinity; Math.abs(move) > 1e-9 * inverse; ) {
    const { slope, curvature } = derivatives(inverse);
    if (slope < 0) low = inverse;
    else high = inverse;
    const newton = inverse - slope / curvature;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    move = next - inverse;
    inverse = next;
  }
  return { ...fit, temperature: 1 / inverse, bounded: false };
}
