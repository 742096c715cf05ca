import type { Value } from '../../kernels/define.ts';
import { slice } from '../../kernels/slice.ts';
import type { LayerContext } from '../../nn/layer.ts';
import type { Model } from '../model.ts';
import { branch } from './head-gradient.ts';
import type { Branch, HeadGradient } from './head-gradient.ts';

export interface ForwardOptions {
  /** Exits, counted from 1, that the loss depends on. */
  readonly exits: readonly number[];
  /** By name. */
  readonly trained: ReadonlySet<string>;
  readonly headGradient: HeadGradient | undefined;
  /** `u32[1]`, another value each step. */
  readonly seed: Value;
  readonly recompute: boolean;
}

export interface TracedExit extends Branch {
  /** `f32[rows, classes]` */
  readonly logits: Value;
  /** `f32[rows, 1]`, of a network with `halting`. */
  readonly halting?: Value;
}

/**
 * Traces the network as training runs it. Parts that are frozen, or that the loss does not depend on, work as they do
 * when classifying: without dropout, and leaving their statistics alone.
 */
export function traceExits(model: Model, x: Value, options: ForwardOptions): TracedExit[] {
  const { exits, trained, headGradient, seed, recompute } = options;
  const { network, parameters } = model;
  let stream = 0;
  const training: LayerContext = { ...model.context, recompute, training: { seed, nextStream: () => stream++ } };
  const contextOf = (part: string, counts: boolean): LayerContext => {
    const own = [...parameters.trained.keys()].filter((name) => name.startsWith(`${part}.`));
    const frozen = own.length > 0 && !own.some((name) => trained.has(name));
    return counts && !frozen ? training : model.context;
  };
  const deepest = Math.max(...exits);
  let value = x;
  return network.stages.map((_, index) => {
    const exit = index + 1;
    const part = network.parts[index]!;
    value = network.body(exit, value, contextOf(part.body, exit <= deepest));
    const branched = branch(value, exit, network.stages.length, headGradient);
    value = branched.trunk;
    const given = network.exit(exit, branched.head, contextOf(part.exit, exits.includes(exit)));
    if (!network.halting) return { ...branched, logits: given };
    const at = network.classes;
    const [logits, halting] = [slice({ x: given }, { axis: 1, end: at }), slice({ x: given }, { axis: 1, start: at })];
    return { ...branched, logits, halting };
  });
}
