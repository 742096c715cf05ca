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

/** Over confidence, margin and entropy. */
export interface GateValues {
  readonly weight: readonly number[];
  readonly bias: number;
}

/** Of each row, the logarithm of the odds to leave. */
export const gateOddsOf = (logits: Logits, { weight, bias }: GateValues): number[] =>
  logits.map((z) => bias + sum(Object.values(MEASURES).map((measure, index) => weight[index]! * measure(z))));

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** `[exit][row]`: the chance of each row to leave there. */
export function exitChancesOf(exits: readonly Logits[], gates: readonly GateValues[]): number[][] {
  const leaves = gates.map((gate, index) => gateOddsOf(exits[index]!, gate).map(sigmoid));
  return exits.map((logits, exit) => logits.map((_, row) =>
    leaves.slice(0, exit).reduce((stays, of) => stays * (1 - of[row]!), leaves[exit]?.[row] ?? 1)));
}

/** `[gate][row]`: 1 where an exit up to the gate's is that with the least cross-entropy and cost, else 0. */
export function gateTargetsOf(exits: readonly Logits[], labels: readonly number[], costs: readonly number[]): number[][] {
  const best = labels.map((label, row) => {
    const losses = exits.map((logits, exit) => costs[exit]! - logSoftmax(logits[row]!)[label]!);
    return losses.indexOf(Math.min(...losses));
  });
  return exits.slice(0, -1).map((_, gate) => best.map((exit) => Number(exit <= gate)));
}

/** The mean binary cross-entropy of log odds against targets, both `[gate][row]`. */
export const gatesLossOf = (odds: readonly number[][], targets: readonly number[][]): number =>
  mean(odds.map((of, gate) => mean(of.map((x, row) => -Math.log(sigmoid(targets[gate]![row]! ? x : -x))))));

/** Of one exit: the mean cross-entropy of rows that count by their chances. */
export const chancedCrossEntropyOf = (
  logits: Logits,
  labels: readonly number[],
  chances: readonly number[],
  options: SmoothedOptions = {},
): number => mean(logits.map((z, row) => chances[row]! * crossEntropyOf([z], [labels[row]!], options)));

const crossEntropyAt = (logits: Logits, labels: readonly number[], row: number): number =>
  crossEntropyOf([logits[row]!], [labels[row]!]);

/** A step of a loop: the logits of each row, and its chance to halt there. */
export interface HaltingStep {
  readonly logits: Logits;
  readonly chances: readonly number[];
}

/** `priors`: of each step. */
export const ponderOf = (
  steps: readonly HaltingStep[],
  labels: readonly number[],
  { beta, priors }: { readonly beta: number; readonly priors: readonly number[] },
): number =>
  mean(labels.map((_, row) => {
    let [loss, stays] = [0, 1];
    steps.forEach(({ logits, chances }, index) => {
      const p = stays * (index === steps.length - 1 ? 1 : chances[row]!);
      if (p > 0) loss += p * (crossEntropyAt(logits, labels, row) + beta * Math.log(p / priors[index]!));
      stays *= 1 - chances[row]!;
    });
    return loss;
  }));

/** `logits` are those of the steps themselves, not of their means. */
export const actOf = (
  steps: readonly HaltingStep[],
  labels: readonly number[],
  { tau, epsilon }: { readonly tau: number; readonly epsilon: number },
): number =>
  mean(labels.map((label, row) => {
    let [total, taken] = [0, 0];
    let output = steps[0]!.logits[row]!.map(() => 0);
    for (const { logits, chances } of steps) {
      taken++;
      const halts = total + chances[row]! > 1 - epsilon || taken === steps.length;
      const weight = halts ? 1 - total : chances[row]!;
      output = output.map((value, index) => value + weight * logits[row]![index]!);
      if (halts) return crossEntropyOf([output], [label]) + tau * (taken + weight);
      total += weight;
    }
    return NaN;
  }));
