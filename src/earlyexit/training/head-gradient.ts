import { gradientScale } from '../../kernels/gradient-scale.ts';
import type { Value } from '../../kernels/define.ts';

/**
 * What each head sends into the trunk: a factor per exit (0: the head learns, the trunk does not hear of it), or
 * `equilibrium`: what reaches the trunk at an exit is the mean, and not the sum, of what this exit and all later ones
 * send (gradient equilibrium, Li et al. 2019, "Improved techniques for training adaptive deep networks").
 */
export type HeadGradient = 'equilibrium' | readonly number[];

export interface Branch {
  /** What the head takes. */
  readonly head: Value;
  /** What the next stage takes. */
  readonly trunk: Value;
  /** What the gradient at `head` is multiplied by on its way into the trunk. */
  readonly factor: number;
}

/** The output of stage `exit` (from 1) of `exits` as its head and the next stage see it. */
export function branch(x: Value, exit: number, exits: number, gradient: HeadGradient = []): Branch {
  const remaining = exits - exit + 1;
  const balanced = gradient === 'equilibrium';
  const factor = balanced ? 1 / remaining : (gradient[exit - 1] ?? 1);
  return {
    // A value of its own, at which what the head sends can be told from what the next stage sends.
    head: gradientScale({ x }, { by: factor }),
    trunk: balanced && exit < exits ? gradientScale({ x }, { by: (remaining - 1) / remaining }) : x,
    factor,
  };
}
