import { recomputed } from '../graph/trace.ts';
import type { Operand, Value } from '../kernels/define.ts';
import type { Random } from '../random.ts';

/** Fills a parameter's values before training. `fanIn`: how many inputs feed one output. */
export type Initializer = (random: Random, size: number) => Float32Array;

export interface ParameterSpec {
  readonly shape: readonly number[];
  readonly initialize: Initializer;
  /** Kept, saved and loaded like the others, but stepped by no optimiser: running statistics. */
  readonly trained?: false;
}

/** What a layer may use besides its input. */
export interface LayerContext {
  /** The parameter of that local name, e.g. `weight`. */
  parameter(name: string): Operand;
  /** Layers are computed again for their gradients, in parts, instead of being kept: see `recomputed`. */
  readonly recompute?: boolean;
  /** Present in a training program only: layers that behave otherwise there (dropout) look for it. */
  readonly training?: {
    /** `u32[1]`, another value each step. */
    readonly seed: Value;
    /** Numbers the layers that draw from the seed. */
    nextStream(): number;
  };
}

/**
 * A function with named parameters. A layer holds no GPU objects: the same layer serves tracing for training, for
 * inference and for counting multiply-accumulates.
 */
export interface Layer {
  /** Names the layer in parameter names: the first `conv` of a sequence is `conv1`. */
  readonly type: string;
  /** Arguments that make the same layer again, as JSON; what a model file stores. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly parameters: Readonly<Record<string, ParameterSpec>>;
  forward(x: Value, context: LayerContext): Value;
}

/** What layers one after the other are called: by type and position, `conv1`, `relu1`, `conv2`. */
export function layerNames(layers: readonly Layer[]): string[] {
  const counts = new Map<string, number>();
  return layers.map(({ type }) => {
    const count = (counts.get(type) ?? 0) + 1;
    counts.set(type, count);
    return `${type}${count}`;
  });
}

/** Layers one after the other. Their parameters begin with their names: `conv1.weight`, `conv2.weight`. */
export function sequential(layers: readonly Layer[]): Layer {
  const names = layerNames(layers);
  const named = layers.map((layer, index) => ({ name: names[index]!, layer }));
  const parameters: Record<string, ParameterSpec> = {};
  for (const { name, layer } of named) {
    for (const [local, spec] of Object.entries(layer.parameters)) parameters[`${name}.${local}`] = spec;
  }
  return {
    type: 'sequential',
    options: { layers: layers.map(({ type, options }) => ({ type, ...options })) },
    parameters,
    forward(x, context) {
      const run = (value: Value, part: typeof named): Value =>
        part.reduce((value, { name, layer }) => layer.forward(value, within(context, name)), value);
      if (!context.recompute) return run(x, named);
      // Of n layers about sqrt(n) parts of sqrt(n): what is kept between parts and within one is then the least.
      const length = Math.ceil(Math.sqrt(named.length));
      const parts = Array.from({ length: Math.ceil(named.length / length) }, (_, index) =>
        named.slice(index * length, (index + 1) * length));
      return parts.reduce((value, part) => recomputed(() => run(value, part)), x);
    },
  };
}

/** The context as a part sees it: its parameters by their local names. */
export const within = (context: LayerContext, prefix: string): LayerContext => ({
  ...context,
  parameter: (name) => context.parameter(`${prefix}.${name}`),
});
