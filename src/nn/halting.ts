import { ArgumentError, ShapeError } from '../errors.ts';
import { add, minimum, mul } from '../kernels/binary.ts';
import { concat } from '../kernels/concat.ts';
import { scalar } from '../kernels/define.ts';
import type { Value } from '../kernels/define.ts';
import { linear } from '../kernels/linear.ts';
import { slice } from '../kernels/slice.ts';
import { scale } from '../kernels/unary.ts';
import { describe } from '../tensor/spec.ts';
import { lecunNormal, zeros } from './initializers.ts';
import { sequential, within } from './layer.ts';
import type { Layer, ParameterSpec } from './layer.ts';

/** How a loop learns when to stop: PonderNet (Banino et al. 2021), or adaptive computation time (Graves 2016). */
export const HALTING = ['ponder', 'act'] as const;
export type Halting = (typeof HALTING)[number];

/** What goes round in a loop, side by side in columns, see `haltingStep`. */
export interface LoopColumns {
  /** Of the state. */
  readonly width: number;
  /** Of the input that the block sees anew in each step. */
  readonly input: number;
  readonly halting: Halting;
}

/** Columns of a loop: state, input, the probability of having halted; for `act` the mean of the states so far. */
export const columnsOf = ({ width, input, halting }: LoopColumns): number =>
  width + input + 1 + (halting === 'act' ? width : 0);

interface Loop {
  readonly state: Value;
  /** State and input: what the block takes. */
  readonly seen: Value;
  readonly input: Value;
  readonly halted: Value;
  readonly mean: Value | undefined;
}

/** @throws ArgumentError, while tracing ShapeError */
function columns(what: string, options: LoopColumns): (x: Value) => Loop {
  const { width, input, halting } = options;
  if (!HALTING.includes(halting)) {
    throw new ArgumentError(`${what}: expected halting of ${HALTING.join(', ')}, got '${String(halting)}'`);
  }
  return (x) => {
    if (x.shape.length !== 2 || x.shape[1] !== columnsOf(options)) {
      throw new ShapeError(`${what}: expected f32[rows, ${columnsOf(options)}], got ${describe(x)}`);
    }
    const at = (start: number, end: number): Value => slice({ x }, { axis: 1, start, end });
    const behind = width + input;
    return {
      state: at(0, width),
      seen: at(0, behind),
      input: at(width, behind),
      halted: at(behind, behind + 1),
      mean: halting === 'act' ? at(behind + 1, behind + 1 + width) : undefined,
    };
  };
}

/**
 * A step of a loop that learns when to stop. `block` takes state and input, `[rows, width + input]`, and gives the next
 * state `s_n`, `[rows, width]`, from which follows the chance to halt, `lambda_n = sigmoid(halt s_n)`. With state and
 * input go the probability of having halted, `c_n = c_(n-1) + p_n`, and for `act` the mean `m_n = m_(n-1) + p_n s_n`,
 * both 0 before the first step:
 *
 *     ponder   p_n = lambda_n (1 - c_(n-1))     Banino et al. 2021, section 2
 *     act      p_n = lambda_n                   Graves 2016, section 2; the remainder is the head's affair
 *
 * The columns are those of `columnsOf`. While tracing, throws `ShapeError` unless they, and what the block gives, are
 * as wide as said.
 */
export function haltingStep(block: readonly Layer[], options: LoopColumns): Layer {
  const { width, halting } = options;
  const inner = sequential(block);
  const parameters: Record<string, ParameterSpec> = {
    'halt.weight': { shape: [1, width], initialize: lecunNormal(width) },
    'halt.bias': { shape: [1], initialize: zeros },
  };
  for (const [local, spec] of Object.entries(inner.parameters)) parameters[`block.${local}`] = spec;
  const columnsIn = columns('haltingStep', options);
  return {
    type: 'haltingStep',
    options: { body: inner.options['layers'], ...options },
    parameters,
    forward(x, context) {
      const { seen, input, halted, mean } = columnsIn(x);
      const state = inner.forward(seen, within(context, 'block'));
      if (state.shape.length !== 2 || state.shape[1] !== width) {
        throw new ShapeError(`haltingStep: expected a block that gives f32[rows, ${width}], got ${describe(state)}`);
      }
      const halt = { weight: context.parameter('halt.weight'), bias: context.parameter('halt.bias') };
      const chance = linear({ x: state, ...halt }, { activation: 'sigmoid' });
      const now = halting === 'ponder' ? mul({ a: chance, b: rest(halted) }) : chance;
      const next = [state, input, add({ a: halted, b: now })];
      if (mean) next.push(add({ a: mean, b: mul({ a: state, b: now }) }));
      return next.reduce((a, b) => concat({ a, b }, { axis: 1 }));
    },
  };
}

/**
 * What a loop answers if it stops here: `[rows, classes + 1]`, logits and behind them the probability of having halted,
 * for networks with `halting`. For `ponder` the logits are `weight s_n + bias`; for `act` those of the mean state
 * `m_n + (1 - c_n) s_n`, where the last step has the remainder of the weight (Graves 2016, section 2). Since the
 * weights add up to 1, the output of the mean state is the mean of the outputs. Its probability is not let beyond 1.
 */
export function haltingHead(classes: number, options: LoopColumns): Layer {
  const { width, halting } = options;
  const columnsIn = columns('haltingHead', options);
  return {
    type: 'haltingHead',
    options: { classes, ...options },
    parameters: {
      weight: { shape: [classes, width], initialize: lecunNormal(width) },
      bias: { shape: [classes], initialize: zeros },
    },
    forward(x, { parameter }) {
      const { state, halted, mean } = columnsIn(x);
      const answering = mean ? add({ a: mean, b: mul({ a: state, b: rest(halted) }) }) : state;
      const logits = linear({ x: answering, weight: parameter('weight'), bias: parameter('bias') });
      return concat({ a: logits, b: halting === 'act' ? minimum({ a: halted, b: scalar(1, halted.dtype as 'f32') }) : halted }, { axis: 1 });
    },
  };
}

/** `1 - x` */
const rest = (x: Value): Value => scale({ x }, { by: -1, plus: 1 });
