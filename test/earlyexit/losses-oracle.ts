/** Early-exit losses in double precision, written from their formulas. */
export type Logits = readonly (readonly number[])[];

export function logSoftmax(z: readonly number[], temperature = 1): number[] {
  const scaled = z.map((value) => value / temperature);
  const greatest = Math.max(...scaled);
  const logTotal = greatest + Math.log(scaled.reduce((sum, value) => sum + Math.exp(value - greatest), 0));
  return scaled.map((value) => value - logTotal);
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

export interface SmoothedOptions {
  readonly smoothing?: number;
  readonly classWeights?: readonly number[];
  readonly ignore?: number;
}

/** The weighted mean, as PyTorch has it. */
export function crossEntropyOf(logits: Logits, labels: readonly number[], options: SmoothedOptions = {}): number {
  const { smoothing = 0, classWeights, ignore } = options;
  const weightOf = (label: number): number => classWeights?.[label] ?? 1;
  const rows = logits.map((z, row) => ({ logs: logSoftmax(z), label: labels[row]! }));
  const counted = rows.filter(({ label }) => label !== ignore);
  const losses = counted.map(({ logs, label }) => {
    const target = (index: number): number => (index === label ? 1 - smoothing : 0) + smoothing / logs.length;
    return -sum(logs.map((log, index) => weightOf(index) * target(index) * log));
  });
  return sum(losses) / sum(counted.map(({ label }) => weightOf(label)));
}

export const entropyOf = (logits: Logits): number =>
  mean(logits.map((z) => -sum(logSoftmax(z).map((log) => Math.exp(log) * log))));

const MEASURES = {
  confidence: (z: readonly number[]) => Math.exp(Math.max(...logSoftmax(z))),
  margin(z: readonly number[]) {
    const [first, second] = logSoftmax(z).map(Math.exp).sort((a, b) => b - a);
    return first! - second!;
  },
  entropy: (z: readonly number[]) => entropyOf([z]),
};

export interface CostOptions {
  readonly threshold: number;
  readonly softness: number;
  readonly measure: keyof typeof MEASURES;
}

/** `costs`: per exit, in shares of the full network. */
export function expectedCostOf(exits: readonly Logits[], costs: readonly number[], options: CostOptions): number {
  const { threshold, softness, measure } = options;
  return mean(exits[0]!.map((_, row) => {
    let [cost, stays] = [0, 1];
    exits.forEach((logits, index) => {
      const distance = (MEASURES[measure](logits[row]!) - threshold) * (measure === 'entropy' ? -1 : 1);
      const leaves = index === exits.length - 1 ? 1 : 1 / (1 + Math.exp(-distance / softness));
      cost += stays * leaves * costs[index]!;
      stays *= 1 - leaves;
    });
    return cost;
  }));
}

/** `T^2 KL(target || logits)` */
export const distillationOf = (logits: Logits, target: Logits, temperature: number): number =>
  temperature ** 2 * mean(logits.map((z, row) => {
    const [ours, theirs] = [logSoftmax(z, temperature), logSoftmax(target[row]!, temperature)];
    return sum(theirs.map((log, index) => Math.exp(log) * (log - ours[index]!)));
  }));
