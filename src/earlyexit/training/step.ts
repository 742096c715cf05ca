import { gradients } from '../../autograd/backward.ts';
import type { Optimizer } from '../../autograd/optimizer.ts';
import { partOf, runsOf } from '../../autograd/runs.ts';
import { ArgumentError } from '../../errors.ts';
import { compile } from '../../graph/program.ts';
import type { Program } from '../../graph/program.ts';
import { store } from '../../graph/trace.ts';
import { accumulate } from '../../kernels/accumulate.ts';
import { add } from '../../kernels/binary.ts';
import { meanCrossEntropy } from '../../kernels/cross-entropy.ts';
import { augment } from '../../kernels/augment.ts';
import type { Augmentation } from '../../kernels/augment.ts';
import type { Operand, Value } from '../../kernels/define.ts';
import { pad } from '../../kernels/pad.ts';
import { sum } from '../../kernels/reduce.ts';
import { reshape } from '../../kernels/reshape.ts';
import { slice } from '../../kernels/slice.ts';
import { scale, sqrt, square } from '../../kernels/unary.ts';
import { Rows } from '../../tensor/spec.ts';
import { arena, Tensor } from '../../tensor/tensor.ts';
import type { Model } from '../model.ts';
import { traceExits } from './forward.ts';
import type { HeadGradient } from './head-gradient.ts';
import { crossEntropies } from './losses.ts';
import type { LossContext, LossTerm } from './losses.ts';
import type { ScheduleContext } from './schedules.ts';
import { Weighing } from './weighing.ts';
import type { Weights } from './weighing.ts';

export interface StepOptions {
  readonly batch: number;
  /** Per exit. */
  readonly weights: Weights;
  readonly optimizer: Optimizer;
  /** The cross-entropies alone where left out. */
  readonly loss?: readonly LossTerm[];
  /** Which parameters are stepped, by name; all where left out. */
  readonly trains?: (parameter: string) => boolean;
  readonly headGradient?: HeadGradient | undefined;
  /** Has the gradients that the heads send into the trunk measured; not where left out. */
  readonly gradientNorms?: boolean | undefined;
  /** Random changes of the images; none where left out. */
  readonly augmentation?: Augmentation | undefined;
  /** A gradient longer than this is shortened to it. */
  readonly clipNorm?: number | undefined;
  /** The optimiser takes the sum of the gradients of several runs, see `Part`. */
  readonly accumulates?: boolean | undefined;
  /** Activations are computed again for the gradients instead of being kept: less memory, more work, the same bits. */
  readonly recompute?: boolean | undefined;
  /** What schedules look at; needed where there are any. */
  readonly schedule?: ScheduleContext | undefined;
}

/** What one run is of a step of several. */
export interface Part {
  readonly first: boolean;
  /** Of the samples of the step. */
  readonly share: number;
  readonly last: boolean;
}

/** Far from the streams of dropouts, which count up from 0. */
const AUGMENT_STREAM = 0xffffffff;

export interface StepInputs {
  readonly x: Float32Array;
  readonly y: Uint32Array;
  readonly hyper: Float32Array;
  readonly seed: Uint32Array;
  /** Which step it is, counted from 1, for schedules. */
  readonly step?: number;
  /** Where the step accumulates. */
  readonly part?: Part;
}

export interface TrainingStep extends Disposable {
  /** The optimiser's, as `createState` made it. */
  readonly state: readonly Tensor[];
  /** Its dispatches and memory, and what `profile()` takes; weights that follow a schedule are those of the last run. */
  readonly program: Program<'x' | 'y' | 'hyper' | 'seed'>;
  /**
   * What the results of a run are: `loss of exit 1`, .., `loss term 2 (entropy-penalty)`, ..,
   * `gradient norm of exit 1`, .., `gradient norm` if it is clipped, `total loss`.
   */
  readonly names: readonly string[];
  /** One step in one submit. The result, called once, waits for the losses, as many as there are names. */
  run(inputs: StepInputs): () => Promise<Float32Array>;
}

/** Names a result: the length of the whole gradient, before it is clipped. */
export const GRADIENT_NORM = 'gradient norm';
/** Names a result: the length of the gradient that the exit sends into the trunk; none of an exit of weight 0. */
export const gradientNormOf = (exit: number): string => `gradient norm of exit ${exit}`;

/**
 * One training step as one program: forward, the terms of the loss, backward, and the optimiser over the arena, or over
 * those parts of it that are trained and that the loss depends on.
 * @throws ArgumentError if nothing is left to train
 */
export async function compileStep(model: Model, options: StepOptions): Promise<TrainingStep> {
  const { network, device, parameters } = model;
  const { batch, optimizer, loss = [crossEntropies()], trains = () => true, headGradient, gradientNorms } = options;
  const { augmentation, clipNorm, accumulates = false, recompute = false, schedule } = options;
  const shapes = new Map([...parameters.trained].map(([name, { shape }]) => [name, shape]));
  const trained = new Set([...shapes.keys()].filter(trains));
  const grads = arena(device, shapes, 'gradients');
  // Of the losses of several runs; an arena's size is a multiple of 4.
  const seen = accumulates ? Tensor.zeros(device, { dtype: 'f32', shape: [4] }, 'sum of losses') : undefined;
  const sums = accumulates ? Tensor.zeros(device, grads.whole, 'sum of gradients') : undefined;
  const state = optimizer.createState(device, parameters.whole);
  const part = Tensor.from(device, Float32Array.of(1, 1), [2], 'part of the step');
  const share = Tensor.from(device, Float32Array.of(1), [1], 'share of the update');
  const weighing = new Weighing(device, options.weights);
  const rows = new Rows(batch, 'samples');
  const dispose = (): void => {
    for (const held of [grads.whole, sums, seen, ...state, part, share, weighing]) held?.dispose();
  };

  /** One run whose loss is not finite spoils the step, whichever of them it is. */
  const lossSoFar = (total: Value): Operand => {
    if (!seen) return total;
    const padded = pad({ x: reshape({ x: total }, { shape: [1] }) }, { axis: 0, after: 3 });
    accumulate({ sum: seen, grads: padded, weights: part });
    return slice({ x: seen }, { axis: 0, end: 1 });
  };

  /** Steps what is trained and has a gradient; a head of weight 0 has none. `sent`: the gradients at `observed`. */
  const update = (total: Value, hyper: Value, observed: readonly Value[]): Update => {
    const stepped = new Set<string>();
    const names = [...trained];
    const wanted = gradients(total, [...names.map((name) => parameters.get(name)), ...observed]);
    names.forEach((name, index) => {
      const grad = wanted[index];
      if (!grad) return;
      store(grad, grads.tensors.get(name)!);
      stepped.add(name);
    });
    if (stepped.size === 0) {
      throw new ArgumentError('train: expected parameters that are trained and that the loss depends on, got none');
    }
    const runs = runsOf(parameters.trained, parameters.whole, stepped);
    const partsOf = (whole: Tensor): Tensor[] => runs.map((run) => partOf(whole, run));
    const ours = partsOf(parameters.whole);
    const theirs = partsOf(sums ?? grads.whole);
    const states = state.map(partsOf);
    if (sums) partsOf(grads.whole).forEach((of, run) => accumulate({ sum: theirs[run]!, grads: of, weights: part }));
    const squares = clipNorm ? theirs.map((x) => sum({ x: square({ x }) })).reduce((a, b) => add({ a, b })) : undefined;
    const inputs = { hyper, loss: lossSoFar(total), squares: squares ?? share, share };
    runs.forEach((_, run) => {
      const parts = states.map((of) => of[run]!);
      optimizer.step(ours[run]!, theirs[run]!, parts, inputs, clipNorm ? { maxNorm: clipNorm } : {});
    });
    return { sent: wanted.slice(names.length), norm: squares ? { [GRADIENT_NORM]: sqrt({ x: squares }) } : {} };
  };

  const program = await compile(
    device,
    {
      x: { dtype: 'f32', shape: [batch, ...network.input], rows },
      y: { dtype: 'u32', shape: [batch], rows },
      hyper: { dtype: 'f32', shape: [optimizer.hyperSize] },
      seed: { dtype: 'u32', shape: [1] },
    },
    ({ x, y, hyper, seed }) => {
      const { exits } = weighing;
      const images = augmentation ? augment({ x, seed }, { ...augmentation, stream: AUGMENT_STREAM }) : x;
      const traced = traceExits(model, images, { exits, trained, headGradient, seed, recompute });
      const logits = traced.map((exit) => exit.logits);
      const halting = network.halting ? traced.map((exit) => exit.halting!) : undefined;
      const weightedSum: LossContext['weightedSum'] = (of, among) => weighing.sum(of, among);
      const weigh: LossContext['weigh'] = (of, by) => weighing.term(of, by);
      const parameter: LossContext['parameter'] = (name) => parameters.get(name);
      const context = { network, logits, halting, labels: y, exits, weightedSum, weigh, parameter };
      const { total, ...losses } = traceLoss(loss, context);
      const { sent, norm } = update(total, hyper, gradientNorms ? traced.map(({ head }) => head) : []);
      const norms: Record<string, Value> = {};
      sent.forEach((grad, index) => {
        const by = Math.abs(traced[index]!.factor);
        if (grad) norms[gradientNormOf(index + 1)] = scale({ x: lengthOf(grad) }, { by });
      });
      return { ...losses, ...norms, ...norm, 'total loss': total };
    },
    { label: `${network.name} step` },
  ).catch((error: unknown) => {
    dispose();
    throw error;
  });
  return {
    program,
    names: Object.keys(program.outputs()),
    state,
    run({ step, part: of, ...inputs }) {
      if (step !== undefined && schedule) weighing.write(step, schedule);
      if (of) {
        part.write(Float32Array.of(Number(of.first), of.share));
        share.write(Float32Array.of(Number(of.last)));
      }
      const read = program.submit(inputs);
      return async () => Float32Array.from(Object.values(await read()), (values) => values[0]!);
    },
    [Symbol.dispose]() {
      program.dispose();
      dispose();
    },
  };
}

interface Update {
  readonly sent: readonly (Value | undefined)[];
  readonly norm: Readonly<Record<string, Value>>;
}

const lengthOf = (x: Value): Value => sqrt({ x: sum({ x: square({ x }) }) });

/** The loss of each exit and, where there are several, the terms, by name; and their sum. */
function traceLoss(
  loss: readonly LossTerm[],
  context: Omit<LossContext, 'report'>,
): Record<string, Value> & { total: Value } {
  const { logits, labels } = context;
  const reported = new Map<number, Value>();
  const report = (exit: number, value: Value): void => void reported.set(exit, value);
  const values = loss.map((term) => term.trace({ ...context, report }));
  const terms = values.filter((value) => value !== undefined);
  if (terms.length === 0) {
    throw new ArgumentError('train: expected a loss with a term for this network and these weights, got none');
  }
  const results: Record<string, Value> = {};
  logits.forEach((of, index) => {
    results[`loss of exit ${index + 1}`] = reported.get(index + 1) ?? meanCrossEntropy({ logits: of, labels });
  });
  values.forEach((value, index) => {
    if (value && terms.length > 1) results[`loss term ${index + 1} (${loss[index]!.name})`] = value;
  });
  return { ...results, total: terms.reduce((a, b) => add({ a, b })) };
}
