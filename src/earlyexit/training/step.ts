import { gradients } from '../../autograd/backward.ts';
import type { Optimizer } from '../../autograd/optimizer.ts';
import { partOf, runsOf } from '../../autograd/runs.ts';
import { ArgumentError } from '../../errors.ts';
import { compile } from '../../graph/program.ts';
import { store } from '../../graph/trace.ts';
import { add } from '../../kernels/binary.ts';
import { meanCrossEntropy } from '../../kernels/cross-entropy.ts';
import { augment } from '../../kernels/augment.ts';
import type { Augmentation } from '../../kernels/augment.ts';
import type { Value } from '../../kernels/define.ts';
import { sum } from '../../kernels/reduce.ts';
import { scale, sqrt, square } from '../../kernels/unary.ts';
import { Rows } from '../../tensor/spec.ts';
import { arena } from '../../tensor/tensor.ts';
import type { Model } from '../model.ts';
import { traceExits } from './forward.ts';
import type { HeadGradient } from './head-gradient.ts';
import { crossEntropies } from './losses.ts';
import type { LossContext, LossTerm } from './losses.ts';
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
}

/** Far from the streams of dropouts, which count up from 0. */
const AUGMENT_STREAM = 0xffffffff;

export interface StepInputs {
  readonly x: Float32Array;
  readonly y: Uint32Array;
  readonly hyper: Float32Array;
  readonly seed: Uint32Array;
  /** Of all exits; for those that follow a schedule. */
  readonly weights?: readonly number[];
}

export interface TrainingStep extends Disposable {
  readonly dispatches: number;
  readonly memory: string;
  /**
   * What the results of a run are: `loss of exit 1`, .., `loss term 2 (entropy-penalty)`, ..,
   * `gradient norm of exit 1`, .., `total loss`.
   */
  readonly names: readonly string[];
  /** One step in one submit. The result, called once, waits for the losses, as many as there are names. */
  run(inputs: StepInputs): () => Promise<Float32Array>;
}

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
  const { augmentation } = options;
  const shapes = new Map([...parameters.trained].map(([name, { shape }]) => [name, shape]));
  const trained = new Set([...shapes.keys()].filter(trains));
  const grads = arena(device, shapes, 'gradients');
  const state = optimizer.createState(device, parameters.whole);
  const weighing = new Weighing(device, options.weights);
  const rows = new Rows(batch, 'samples');
  const dispose = (): void => [grads.whole, ...state, weighing].forEach((held) => held.dispose());

  /** Steps what is trained and has a gradient; a head of weight 0 has none. Returns the gradients at `observed`. */
  const update = (total: Value, hyper: Value, observed: readonly Value[]): (Value | undefined)[] => {
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
    for (const run of runsOf(parameters.trained, parameters.whole, stepped)) {
      const [ours, theirs, ...states] = [parameters.whole, grads.whole, ...state].map((whole) => partOf(whole, run));
      optimizer.step(ours!, theirs!, states, hyper);
    }
    return wanted.slice(names.length);
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
      const traced = traceExits(model, images, { exits, trained, headGradient, seed });
      const logits = traced.map((exit) => exit.logits);
      const weightedSum: LossContext['weightedSum'] = (of, among) => weighing.sum(of, among);
      const { total, ...losses } = traceLoss(loss, { network, logits, labels: y, exits, weightedSum });
      const sent = update(total, hyper, gradientNorms ? traced.map(({ head }) => head) : []);
      const norms: Record<string, Value> = {};
      sent.forEach((grad, index) => {
        const by = Math.abs(traced[index]!.factor);
        if (grad) norms[gradientNormOf(index + 1)] = scale({ x: lengthOf(grad) }, { by });
      });
      return { ...losses, ...norms, 'total loss': total };
    },
    { label: `${network.name} step` },
  ).catch((error: unknown) => {
    dispose();
    throw error;
  });
  return {
    dispatches: program.dispatches,
    memory: program.memory,
    names: Object.keys(program.outputs()),
    run({ weights, ...inputs }) {
      if (weights) weighing.write(weights);
      const read = program.submit(inputs);
      return async () => Float32Array.from(Object.values(await read()), (values) => values[0]!);
    },
    [Symbol.dispose]() {
      program.dispose();
      dispose();
    },
  };
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
