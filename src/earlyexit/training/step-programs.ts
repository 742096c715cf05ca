import type { Tensor } from '../../tensor/tensor.ts';
import type { Model } from '../model.ts';
import type { PlannedPhase } from './phases.ts';
import { compileStep } from './step.ts';
import type { StepOptions, TrainingStep } from './step.ts';

/** What all programs of a training have in common. */
type Options = Omit<StepOptions, 'weights' | 'loss' | 'trains'>;

export interface HeldStep {
  readonly of: PlannedPhase;
  readonly step: TrainingStep;
  /** Steps taken: what the optimiser's state has seen. */
  age: number;
}

export interface ProgramState {
  readonly of: PlannedPhase;
  readonly age: number;
  readonly state: readonly Tensor[];
}

/**
 * The programs of a training. Phases of one structure, such as every second one of `alternating`, share a program and
 * with it the optimiser's state, which is fresh where the structure is new. A program that no phase ahead needs goes.
 */
export class StepPrograms {
  readonly #model: Model;
  readonly #options: Options;
  #held: HeldStep[] = [];

  constructor(model: Model, options: Options) {
    this.#model = model;
    this.#options = options;
  }

  /** The program of the first phase; the others are yet to come. */
  async of([phase, ...ahead]: readonly [PlannedPhase, ...PlannedPhase[]]): Promise<HeldStep> {
    const needed = this.#held.filter(({ of }) => [phase, ...ahead].some((other) => alike(of, other)));
    for (const held of this.#held) if (!needed.includes(held)) held.step[Symbol.dispose]();
    this.#held = needed;
    return needed.find(({ of }) => alike(of, phase)) ?? this.#hold(phase);
  }

  /** What the optimisers have seen: of each program a phase that it is of, its steps, and its state. */
  get states(): readonly ProgramState[] {
    return this.#held.map(({ of, age, step: { state } }) => ({ of, age, state }));
  }

  /** Goes on from there. @throws ShapeError if the state is another optimiser's */
  async restore(states: readonly { of: PlannedPhase; age: number; state: readonly Float32Array[] }[]): Promise<void> {
    for (const { of, age, state } of states) {
      const held = await this.#hold(of);
      held.age = age;
      held.step.state.forEach((tensor, index) => tensor.write(state[index] ?? new Float32Array()));
    }
  }

  async #hold(phase: PlannedPhase): Promise<HeldStep> {
    const { weights, loss, trained } = phase;
    const trains = (name: string): boolean => trained.has(name);
    const step = await compileStep(this.#model, { ...this.#options, weights, loss, trains });
    const held: HeldStep = { of: phase, step, age: 0 };
    this.#held.push(held);
    return held;
  }

  [Symbol.dispose](): void {
    for (const { step } of this.#held) step[Symbol.dispose]();
  }
}

const same = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index]);

const alike = (a: PlannedPhase, b: PlannedPhase): boolean =>
  same(a.weights, b.weights) && same(a.loss, b.loss) && same([...a.trained], [...b.trained]);
