/** What the cases should come to, in double precision and the plainest loops. */
import type { Results, Work, WorkOf } from './cases.ts';
import { shapeAfter, sizeOf, trunkOf } from './network.ts';
import type { Layer, Network, Shape } from './network.ts';

/** Of training nothing is known beforehand but the first loss: the steps that follow are compared among the peers. */
export function expectedResults(work: Work): Results {
  switch (work.kind) {
    case 'matmul':
      return { y: matmul(work) };
    case 'conv':
      return { y: forward([work.layer], work.input, work.batch, Float64Array.from(work.x)) };
    case 'softmax':
      return { y: softmax(rowsOf(work.x, work.classes)) };
    case 'scores':
      return scores(rowsOf(work.x, work.classes));
    case 'infer':
      return { logits: infer(work.network, work.batch, work.x) };
    case 'train':
      return { losses: [meanLoss(rowsOf(infer(work.network, work.batch, work.x), 10), work.y)] };
    case 'read':
      return { y: work.x.map((value) => -value) };
    case 'exits':
    case 'gated':
      return exits(work);
  }
}

function matmul({ m, n, k, a, b }: WorkOf<'matmul'>): Float64Array {
  const y = new Float64Array(m * n);
  for (let row = 0; row < m; row++) {
    for (let inner = 0; inner < k; inner++) {
      const factor = a[row * k + inner]!;
      for (let column = 0; column < n; column++) y[row * n + column]! += factor * b[inner * n + column]!;
    }
  }
  return y;
}

function probabilities(row: ArrayLike<number>): Float64Array {
  const logits = Float64Array.from(row);
  const greatest = logits.reduce((a, b) => Math.max(a, b));
  const powers = logits.map((value) => Math.exp(value - greatest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

function softmax(rows: readonly ArrayLike<number>[]): Float64Array {
  const classes = rows[0]!.length;
  const y = new Float64Array(rows.length * classes);
  rows.forEach((row, index) => y.set(probabilities(row), index * classes));
  return y;
}

function scores(rows: readonly ArrayLike<number>[]): { entropy: number[]; margin: number[]; label: number[] } {
  const judged = rows.map((row) => {
    const p = probabilities(row);
    const [first, second] = p.toSorted().toReversed() as unknown as [number, number];
    const entropy = -p.reduce((sum, each) => (each > 0 ? sum + each * Math.log(each) : sum), 0);
    return { entropy, margin: first - second, label: p.indexOf(first) };
  });
  return {
    entropy: judged.map(({ entropy }) => entropy),
    margin: judged.map(({ margin }) => margin),
    label: judged.map(({ label }) => label),
  };
}

const infer = (network: Network, batch: number, x: Float32Array): Float64Array =>
  forward(trunkOf(network), network.input, batch, Float64Array.from(x));

function exits({ network: { input, stages }, x, leavesAt }: WorkOf<'exits' | 'gated'>): Results {
  const bodies = stages.slice(0, leavesAt).flatMap(({ body }) => body);
  const logits = forward([...bodies, ...stages[leavesAt - 1]!.exit], input, 1, Float64Array.from(x));
  const { entropy, label } = scores([logits]);
  return { entropy, label };
}

const meanLoss = (rows: readonly ArrayLike<number>[], labels: Uint32Array): number =>
  rows.reduce((sum, row, index) => sum - Math.log(probabilities(row)[labels[index]!]!), 0) / rows.length;

function rowsOf(values: Float32Array | Float64Array, length: number): (Float32Array | Float64Array)[] {
  return Array.from({ length: values.length / length }, (_, row) => values.subarray(row * length, (row + 1) * length));
}

function forward(layers: readonly Layer[], input: Shape, batch: number, x: Float64Array): Float64Array {
  let shape = input;
  for (const layer of layers) {
    const next = shapeAfter(layer, shape);
    const y = new Float64Array(batch * sizeOf(next));
    for (let row = 0; row < batch; row++) {
      const from = x.subarray(row * sizeOf(shape), (row + 1) * sizeOf(shape));
      apply(layer, from, shape, y.subarray(row * sizeOf(next), (row + 1) * sizeOf(next)), next);
    }
    [x, shape] = [y, next];
  }
  return x;
}

/** One layer on one sample. */
function apply(layer: Layer, x: Float64Array, shape: Shape, y: Float64Array, next: Shape): void {
  const [channels, height, width] = shape as [number, number, number];
  const [, outHeight, outWidth] = next as [number, number, number];
  const activate = (value: number): number => ('relu' in layer && layer.relu ? Math.max(0, value) : value);
  switch (layer.type) {
    case 'flatten':
      return y.set(x);
    case 'planeMean':
      for (let plane = 0; plane < channels; plane++) {
        const values = x.subarray(plane * height * width, (plane + 1) * height * width);
        y[plane] = values.reduce((a, b) => a + b) / values.length;
      }
      return;
    case 'linear':
      for (let out = 0; out < layer.output; out++) {
        let sum = layer.bias[out]!;
        for (let into = 0; into < layer.input; into++) sum += x[into]! * layer.weight[out * layer.input + into]!;
        y[out] = activate(sum);
      }
      return;
    case 'maxPool':
      for (let index = 0; index < y.length; index++) {
        const column = index % outWidth;
        const row = Math.floor(index / outWidth) % outHeight;
        const at = (Math.floor(index / (outWidth * outHeight)) * height + 2 * row) * width + 2 * column;
        y[index] = Math.max(x[at]!, x[at + 1]!, x[at + width]!, x[at + width + 1]!);
      }
      return;
    case 'conv':
      for (let index = 0; index < y.length; index++) {
        const left = (index % outWidth) * layer.stride - layer.padding;
        const top = (Math.floor(index / outWidth) % outHeight) * layer.stride - layer.padding;
        const out = Math.floor(index / (outWidth * outHeight));
        let sum = layer.bias[out]!;
        for (let channel = 0; channel < channels; channel++) {
          for (let tap = 0; tap < layer.kernel ** 2; tap++) {
            const row = top + Math.floor(tap / layer.kernel);
            const column = left + (tap % layer.kernel);
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            const weight = layer.weight[(out * channels + channel) * layer.kernel ** 2 + tap]!;
            sum += x[(channel * height + row) * width + column]! * weight;
          }
        }
        y[index] = activate(sum);
      }
  }
}

/**
 * How far results are from what is expected: the greatest difference over the greatest magnitude, of each name, the
 * worst of them; Infinity where one is missing or not a number. Of a list that is expected in part, that part counts.
 */
export function distance(results: Results, expected: Results): number {
  const distances = Object.entries(expected).map(([name, wanted]) => {
    const got = results[name] ?? [];
    let [furthest, greatest] = [0, Number.MIN_VALUE];
    for (let index = 0; index < wanted.length; index++) {
      const apart = Math.abs(got[index]! - wanted[index]!);
      furthest = apart >= 0 ? Math.max(furthest, apart) : Infinity;
      greatest = Math.max(greatest, Math.abs(wanted[index]!));
    }
    return furthest / greatest;
  });
  return Math.max(...distances);
}
