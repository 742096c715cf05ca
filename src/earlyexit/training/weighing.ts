import type { Device } from '../../device/device.ts';
import { ArgumentError } from '../../errors.ts';
import { add, mul } from '../../kernels/binary.ts';
import type { Value } from '../../kernels/define.ts';
import { scale } from '../../kernels/unary.ts';
import { Tensor } from '../../tensor/tensor.ts';
import type { ScheduleContext, TermSchedule, WeightSchedule } from './schedules.ts';

/** Per exit. Numbers are folded into the program; schedules become scalars on the GPU, written before each step. */
export type Weights = readonly (number | WeightSchedule)[];

/** @throws ArgumentError naming schedule, step and exit if a weight is not 0 or more */
export function weightsAt(weights: Weights, step: number, context: ScheduleContext): number[] {
  return weights.map((weight, index) => {
    if (typeof weight === 'number') return weight;
    const value = weight(step, index + 1, context);
    if (value >= 0 && value < Infinity) return value;
    const name = weight.name || 'the schedule';
    const where = `from ${name} for exit ${index + 1} at step ${step}`;
    throw new ArgumentError(`train: expected weights of 0 or more, got ${value} ${where}`);
  });
}

const SCALAR = { dtype: 'f32', shape: [] } as const;

/** The weights of exits and terms in one program. */
export class Weighing {
  #device: Device;
  #weights: Weights;
  #live: ReadonlyMap<number, Tensor>;
  #terms: { readonly schedule: TermSchedule; readonly tensor: Tensor }[] = [];

  constructor(device: Device, weights: Weights) {
    this.#device = device;
    this.#weights = weights;
    const scheduled = weights.flatMap((weight, index) => (typeof weight === 'number' ? [] : [index + 1]));
    this.#live = new Map(scheduled.map((exit) => [exit, Tensor.zeros(device, SCALAR, `weight of exit ${exit}`)]));
  }

  /** Exits, counted from 1, whose weight is not always 0. */
  get exits(): number[] {
    return this.#weights.flatMap((weight, index) => (weight === 0 ? [] : [index + 1]));
  }

  /** `sum_i w_i of(i)` over those of `exits` that weigh anything; `undefined` if none does. */
  sum(of: (exit: number) => Value, exits: readonly number[] = this.exits): Value | undefined {
    const parts = exits.filter((exit) => this.#weights[exit - 1] !== 0).map((exit) => this.#weigh(exit, of(exit)));
    return parts.length > 0 ? parts.reduce((a, b) => add({ a, b })) : undefined;
  }

  #weigh(exit: number, x: Value): Value {
    const live = this.#live.get(exit);
    if (live) return mul({ a: x, b: live });
    const by = this.#weights[exit - 1] as number;
    return by === 1 ? x : scale({ x }, { by });
  }

  /** `by x`, for a scalar x. */
  term(x: Value, by: number | TermSchedule): Value {
    if (typeof by === 'number') return scale({ x }, { by });
    const tensor = Tensor.zeros(this.#device, SCALAR, `weight ${by.name}`);
    this.#terms.push({ schedule: by, tensor });
    return mul({ a: x, b: tensor });
  }

  /** Has the schedules say, from the next submit on, what they say of step `step`. @throws ArgumentError */
  write(step: number, context: ScheduleContext): void {
    if (this.#live.size > 0) {
      const weights = weightsAt(this.#weights, step, context);
      for (const [exit, tensor] of this.#live) tensor.write(Float32Array.of(weights[exit - 1]!));
    }
    for (const { schedule, tensor } of this.#terms) {
      const value = schedule(step, context);
      if (!Number.isFinite(value)) {
        const from = `${schedule.name || 'the schedule'} at step ${step}`;
        throw new ArgumentError(`train: expected a finite weight of a term, got ${value} from ${from}`);
      }
      tensor.write(Float32Array.of(value));
    }
  }

  dispose(): void {
    for (const tensor of [...this.#live.values(), ...this.#terms.map((term) => term.tensor)]) tensor.dispose();
  }
}
