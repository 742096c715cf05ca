import type { Optimizer } from '../../autograd/optimizer.ts';
import type { Augmentation } from '../../kernels/augment.ts';
import type { Model } from '../model.ts';
import type { HeadGradient } from './head-gradient.ts';
import type { PlannedPhase } from './phases.ts';
import { compileStep } from './step.ts';
import type { TrainingStep } from './step.ts';

interface Options {
  readonly batch: number;
  readonly optimizer: Optimizer;
  readonly headGradient: HeadGradient | undefined;
  readonly gradientNorms: boolean | undefined;
  readonly augmentation: Augmentation | undefined;
}

interface HeldStep {
  readonly of: PlannedPhase;
  readonly step: TrainingStep;
  /** Steps taken: what the optimiser's state has seen. */
  age: number;
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
    const found = needed.find(({ of }) => alike(of, phase));
    if (found) return found;
    const { weights, loss, trained } = phase;
    const trains = (name: string): boolean => trained.has(name);
    const step = await compileStep(this.#model, { ...this.#options, weights, loss, trains });
    const held = { of: phase, step, age: 0 };
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
