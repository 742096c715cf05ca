import { gradients } from '../../autograd/backward.ts';
import { pixelsPerImage } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { ArgumentError } from '../../errors.ts';
import { compile } from '../../graph/program.ts';
import type { Program } from '../../graph/program.ts';
import { add, maximum, minimum, mul, sub } from '../../kernels/binary.ts';
import { constant } from '../../kernels/define.ts';
import type { Value } from '../../kernels/define.ts';
import { klDivergence } from '../../kernels/kl-divergence.ts';
import { sum } from '../../kernels/reduce.ts';
import { slice } from '../../kernels/slice.ts';
import { entropy } from '../../kernels/softmax-measures.ts';
import { negate, scale, sign } from '../../kernels/unary.ts';
import { Random } from '../../random.ts';
import { Rows, sizeOf } from '../../tensor/spec.ts';
import type { Classifier, Prediction } from '../classifier.ts';
import type { Criterion } from '../criteria.ts';
import type { Model } from '../model.ts';
import { checkFits, macsToExit } from '../network.ts';
import { meanOf } from './answers.ts';
import { checkBatch, isRight } from './scores.ts';
import { measureWorstCase } from './worst-case.ts';
import type { WorstCase, WorstCaseOptions } from './worst-case.ts';

export interface SlowDownOptions {
  /** How far a pixel may move, as a share of the pixel range: 1/255 or more, at most 1; whole levels count. */
  readonly epsilon: number;
  /** Of the search; 20 where left out. */
  readonly steps?: number;
  /** How far a step moves a pixel, as a share of the pixel range; 2.5 epsilon / steps where left out. */
  readonly stepSize?: number;
  /** Where in the ball the search of each image begins; 1 where left out. */
  readonly seed?: number;
  /** Images searched together; 64 where left out. */
  readonly batch?: number;
  readonly signal?: AbortSignal | undefined;
}

/** How deep samples go, in the mean of all of them. */
export interface MeanDepth {
  /** Counted from 1. */
  readonly exit: number;
  /** Multiply-accumulates, heads on the way counted. */
  readonly macs: number;
  /** Share that leaves before the last exit. */
  readonly early: number;
  /** Share of right answers. */
  readonly accuracy: number;
}

export interface SlowDownReport {
  readonly samples: number;
  /** As asked for and completed. */
  readonly epsilon: number;
  readonly steps: number;
  readonly stepSize: number;
  readonly before: MeanDepth;
  readonly after: MeanDepth;
  /** What no input exceeds, however long it was searched for. */
  readonly bound: WorstCase;
  /** The inputs found, with the labels of those they were made from. */
  readonly inputs: Dataset;
}

/**
 * Searches inputs that avoid the exits, near those given, and says how deep samples go before and after, by the
 * criterion given or stored, and what the bound is. The search makes exits unsure, whatever the criterion: what it does
 * not find may still exist, which is why the bound stands beside it.
 * @throws ArgumentError, also for a network with one exit; DeviceLostError, the signal's reason
 */
export async function slowDown(
  model: Model,
  dataset: Dataset,
  options: SlowDownOptions & { readonly criterion?: Criterion } & Pick<WorstCaseOptions, 'policy'>,
): Promise<SlowDownReport> {
  const { criterion, policy, batch = 64, signal } = options;
  const { epsilon, steps, stepSize } = completed(options);
  const inputs = await searchSlowDown(model, dataset, options);
  const exits = typeof policy === 'object' ? { exits: policy.exits } : {};
  using classifier = await model.compile({ ...(criterion && { criterion }), ...exits, batch });
  const before = await depthOf(classifier, dataset, signal);
  const after = await depthOf(classifier, inputs, signal);
  const bound = await measureWorstCase(model, inputs, { policy, signal });
  return { samples: dataset.labels.length, epsilon, steps, stepSize, before, after, bound, inputs };
}

/**
 * Images within `epsilon` of those given, pixel by pixel (L-infinity), at which the early exits are as unsure as
 * projected gradient ascent with signs finds (Madry et al. 2018, "Towards deep learning models resistant to adversarial
 * attacks", section 2.1), from a random start. What it raises is `unsureness`, after Hong et al. 2021, "A Panda? No,
 * It's a Sloth: Slowdown attacks on adaptive multi-exit neural network inference". Images are bytes in the end, as
 * those given were: within the ball and the pixel range to the last bit.
 * @throws ArgumentError, DeviceLostError, the signal's reason
 */
export async function searchSlowDown(model: Model, dataset: Dataset, options: SlowDownOptions): Promise<Dataset> {
  const { batch = 64, seed = 1, signal } = options;
  const { network } = model;
  const { epsilon, steps, stepSize } = completed(options);
  checkFits(network, dataset, 'slowDown');
  checkBatch(batch, 'slowDown');
  if (network.stages.length === 1) {
    throw new ArgumentError(`slowDown: expected early exits to avoid, got the one exit of ${network.name}`);
  }
  const random = new Random(seed);
  const radius = wholeLevels(epsilon);
  const size = pixelsPerImage(dataset.shape);
  // A copy, which `slice` of a file's bytes in Node is not.
  const found = new Uint8Array(dataset.images);
  using ascent = await compileAscent(model, batch, stepSize * LEVELS);
  for (let start = 0; start < found.length; start += batch * size) {
    signal?.throwIfAborted();
    const images = found.subarray(start, start + batch * size);
    const low = Float32Array.from(images, (pixel) => Math.max(pixel - radius, 0));
    const high = Float32Array.from(images, (pixel) => Math.min(pixel + radius, LEVELS));
    const pixels = low.map((least, at) => random.between(least, high[at]!));
    let state = ascent.run({ pixels, low, high });
    for (let step = 1; step < steps; step++) state = ascent.run(state);
    const moved = await state.pixels.read();
    // What a network that computes NaN has led to NaN stays where it was.
    moved.forEach((value, at) => Number.isFinite(value) && (images[at] = Math.round(value)));
  }
  return { ...dataset, name: `${dataset.name}/slowed-down`, images: found };
}

/** @throws ArgumentError */
function completed({ epsilon, steps = 20, stepSize = Math.min((2.5 * epsilon) / steps, 1) }: SlowDownOptions) {
  const check = (good: boolean, what: string, got: number): void => {
    if (!good) throw new ArgumentError(`slowDown: expected ${what}, got ${got}`);
  };
  check(wholeLevels(epsilon) >= 1 && epsilon <= 1, 'an epsilon from 1/255 to 1, a share of the pixel range', epsilon);
  check(Number.isInteger(steps) && steps >= 1, 'steps of 1 or more', steps);
  check(stepSize > 0 && stepSize <= 1, 'a stepSize above 0 and at most 1, a share of the pixel range', stepSize);
  return { epsilon, steps, stepSize };
}

/** Of a share such as 0.1, or 8 / 255, which times 255 need not be 8. */
const wholeLevels = (share: number): number => Math.floor(share * LEVELS + 1e-9);

async function depthOf(classifier: Classifier, dataset: Dataset, signal: AbortSignal | undefined): Promise<MeanDepth> {
  const { model: { network }, exits } = classifier;
  const predictions = await classifier.classifyBatch(dataset.images, { signal });
  const mean = (of: (prediction: Prediction, sample: number) => number): number =>
    meanOf(predictions.map(of));
  return {
    exit: mean(({ exit }) => exit),
    macs: mean(({ exit }) => macsToExit(network.macs, exit, exits)),
    early: mean(({ exit }) => Number(exit < exits.at(-1)!)),
    accuracy: mean((prediction, sample) => Number(isRight(prediction, dataset.labels[sample]!))),
  };
}

/** The greatest value of a pixel. */
const LEVELS = 255;

/** One step as one program, whose results are the inputs of the next. */
const compileAscent = (
  model: Model,
  batch: number,
  step: number,
): Promise<Program<'pixels' | 'low' | 'high', 'pixels' | 'low' | 'high'>> => {
  const rows = new Rows(batch, 'samples');
  const image = { dtype: 'f32', shape: [batch, ...model.network.input], rows } as const;
  return compile(model.device, { pixels: image, low: image, high: image }, ({ pixels, low, high }) => {
    const [gradient] = gradients(unsureness(model, pixels), [pixels]);
    const moved = add({ a: pixels, b: scale({ x: sign({ x: gradient! }) }, { by: step }) });
    return { pixels: minimum({ a: maximum({ a: moved, b: low }), b: high }), low, high };
  }, { label: `${model.network.name} slow-down` });
};

/**
 * How unsure the early exits are, summed over samples and exits: the entropy of each exit's softmax, less the
 * divergence of the uniform distribution from it. The entropy is what thresholds look at, but flat where an exit is
 * sure; the divergence, the cross-entropy with uniform labels of Hong et al. but for a constant, is steep there.
 * Together they slowed more samples down than either alone. Of a network that decides by halting scores: minus the
 * probabilities of having halted.
 * @param pixels `f32[rows, channels, height, width]`, 0 to 255
 */
export function unsureness({ network, context, normalization: { mean, std } }: Model, pixels: Value): Value {
  const { classes, halting, stages } = network;
  const perChannel = (values: readonly number[]): Value =>
    constant({ dtype: 'f32', shape: [values.length, 1, 1] }, Float32Array.from(values));
  const scaled = mul({ a: pixels, b: perChannel(std.map((deviation) => 1 / (LEVELS * deviation))) });
  let value = add({ a: scaled, b: perChannel(mean.map((centre, channel) => -centre / std[channel]!)) });
  const terms = stages.slice(0, -1).map((_, index) => {
    value = network.body(index + 1, value, context);
    const given = network.exit(index + 1, value, context);
    return halting ? negate({ x: slice({ x: given }, { axis: 1, start: classes }) }) : nearUniform(given);
  });
  return terms.map((x) => sum({ x })).reduce((a, b) => add({ a, b }));
}

/** `H(p) - KL(u || p)` of each row, p its softmax, u the uniform distribution. */
function nearUniform(logits: Value): Value {
  const { dtype, shape, rows } = logits;
  const uniform = constant({ dtype, shape, ...(rows && { rows }) }, new Float32Array(sizeOf(shape)));
  return sub({ a: entropy({ logits }), b: klDivergence({ logits, target: uniform }) });
}
