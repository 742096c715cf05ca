import type { Device } from '../device/device.ts';
import { ArgumentError } from '../errors.ts';
import { adam as adamStep } from '../kernels/adam.ts';
import type { OptimizerAttributes, OptimizerInputs } from '../kernels/optimizer-step.ts';
import { sgd as sgdStep } from '../kernels/sgd.ts';
import { Tensor } from '../tensor/tensor.ts';

/** Steps whole arenas of parameters; its state lives on the GPU beside them. */
export interface Optimizer {
  readonly name: string;
  /** Numbers in `hyper(step)`. */
  readonly hyperSize: number;
  /** Hyperparameters of step 1, 2, ...: an input of the training program, so that schedules recompile nothing. */
  hyper(step: number, options?: HyperOptions): Float32Array;
  /** As JSON, for the record. */
  readonly options: Readonly<Record<string, unknown>>;
  /** State for an arena of the shape of `parameters`, all zero. */
  createState(device: Device, parameters: Tensor): readonly Tensor[];
  /** Appends the step to the trace: of whole arenas, or of the same part of each; `inputs.hyper` is what `hyper` gave. */
  step(
    parameters: Tensor,
    grads: Tensor,
    state: readonly Tensor[],
    inputs: OptimizerInputs,
    attributes: OptimizerAttributes,
  ): void;
}

export interface HyperOptions {
  /** Steps that the state has seen, this one included, where it was made later than for step 1. */
  readonly age?: number;
  /** Multiplies the learning rate. */
  readonly factor?: number;
}

/** A learning rate, or a function of the step, counted from 1. */
export type Schedule = number | ((step: number) => number);

/** From `start` at the first of `steps` steps to 0 behind the last, along half a cosine (Loshchilov & Hutter 2017). */
export const cosine = (start: number, steps: number): Schedule =>
  function cosine(step) {
    return 0.5 * start * (1 + Math.cos((Math.PI * Math.min(step - 1, steps)) / steps));
  };

/** `start`, multiplied by `factor` after each `every` steps. */
export const stepDecay = (start: number, { every, factor }: { every: number; factor: number }): Schedule =>
  function stepDecay(step) {
    return start * factor ** Math.floor((step - 1) / every);
  };

/** Over the first `steps` steps from `1 / steps` of `schedule` up to all of it (Goyal et al. 2017, section 2.2). */
export const warmUp = (schedule: Schedule, steps: number): Schedule =>
  function warmUp(step) {
    return at(schedule, step) * Math.min(1, step / steps);
  };

const described = (schedule: Schedule): Record<string, unknown> => ({
  learningRate: at(schedule, 1),
  ...(typeof schedule === 'function' && { schedule: schedule.name || 'function' }),
});

const at = (schedule: Schedule, step: number): number => (typeof schedule === 'number' ? schedule : schedule(step));

const stateLike = (device: Device, parameters: Tensor, labels: readonly string[]): Tensor[] =>
  labels.map((label) => Tensor.zeros(device, { dtype: 'f32', shape: parameters.shape }, label));

/** @throws ArgumentError naming the first option out of its range */
function check(
  optimizer: string,
  ranges: Readonly<Record<string, readonly [value: number, least: number, below: number]>>,
): void {
  for (const [name, [value, least, below]] of Object.entries(ranges)) {
    if (value >= least && value < below) continue;
    throw new ArgumentError(`${optimizer}: expected ${name} from ${least} to below ${below}, got ${value}`);
  }
}

/** SGD with (Nesterov) momentum and L2 weight decay; see `kernels/sgd.ts` for the formula. @throws ArgumentError */
export function sgd(
  options: { learningRate?: Schedule; momentum?: number; nesterov?: boolean; weightDecay?: number } = {},
): Optimizer {
  const { learningRate = 0.01, momentum = 0.9, nesterov = false, weightDecay = 0 } = options;
  const rate = at(learningRate, 1);
  check('sgd', {
    learningRate: [rate, 0, Infinity],
    momentum: [momentum, 0, 1],
    weightDecay: [weightDecay, 0, Infinity],
  });
  return {
    name: 'sgd',
    hyperSize: 4,
    options: { ...described(learningRate), momentum, nesterov, weightDecay },
    hyper: (step, { factor = 1 } = {}) =>
      Float32Array.of(factor * at(learningRate, step), momentum, weightDecay, Number(nesterov)),
    createState: (device, parameters) => stateLike(device, parameters, ['velocity']),
    step: (parameters, grads, [velocity], inputs, attributes) =>
      void sgdStep({ parameters, grads, velocity: velocity!, ...inputs }, attributes),
  };
}

/** Adam with decoupled weight decay; see `kernels/adam.ts` for the formula. @throws ArgumentError */
export function adam(
  options: { learningRate?: Schedule; beta1?: number; beta2?: number; epsilon?: number; weightDecay?: number } = {},
): Optimizer {
  const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  const rate = at(learningRate, 1);
  check('adam', {
    learningRate: [rate, 0, Infinity],
    beta1: [beta1, 0, 1],
    beta2: [beta2, 0, 1],
    epsilon: [epsilon, Number.MIN_VALUE, Infinity],
    weightDecay: [weightDecay, 0, Infinity],
  });
  return {
    name: 'adam',
    hyperSize: 7,
    options: { ...described(learningRate), beta1, beta2, epsilon, weightDecay },
    hyper(step, { age = step, factor = 1 } = {}) {
      const corrections = [beta1, beta2].map((beta) => 1 / (1 - beta ** age));
      return Float32Array.of(factor * at(learningRate, step), beta1, beta2, epsilon, ...corrections, weightDecay);
    },
    createState: (device, parameters) => stateLike(device, parameters, ['moment1', 'moment2']),
    step: (parameters, grads, [moment1, moment2], inputs, attributes) =>
      void adamStep({ parameters, grads, moment1: moment1!, moment2: moment2!, ...inputs }, attributes),
  };
}
