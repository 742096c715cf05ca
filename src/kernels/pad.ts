import { ArgumentError } from '../errors.ts';
import { perSample } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { alongAxis, axisBehindSamples, withLength } from './axes.ts';
import { bitsOf } from './bits.ts';
import { defineOp, dispatch, expected, isGradient, linearGrid } from './define.ts';
import type { Dispatch, Op, Operand, Value } from './define.ts';
import { padGradKernel } from './generated/pad-grad.ts';
import { padKernel } from './generated/pad.ts';

export interface PadAttributes {
  /** Negative: counted from the last. Not the axis of the samples. */
  readonly axis: number;
  /** Positions added before the first one, or, if negative, first positions left out; 0 where left out. */
  readonly before?: number;
  /** The same behind the last position. */
  readonly after?: number;
  /**
   * What the positions added show: `value`, or x turned around at its first and last position (which are not shown a
   * second time), the nearest position, or x from its other end on. `'constant'` where left out.
   */
  readonly mode?: (typeof MODES)[number];
  /** In mode constant; 0 where left out. */
  readonly value?: number;
}

const MODES = ['constant', 'reflect', 'edge', 'wrap'] as const;

/** Their numbers in `wgsl/pad.wgsl` are their places; `spread` is the gradient of taking every n-th position. */
const MOVES = [...MODES, 'spread'] as const;

interface Moved {
  readonly before: number;
  readonly mode?: (typeof MOVES)[number];
  /** Bits. */
  readonly fill?: number;
  readonly step?: number;
}

/** x along `axis`, from `before` positions before its first on, as far as y goes. */
export function shifted(x: Value, y: Value, axis: number, moved: Moved): Dispatch {
  const { before, mode = 'constant', fill = 0, step = 1 } = moved;
  const { outerPerSample, stride: behind, count } = alongAxis(y, axis);
  return dispatch(padKernel, {
    bind: { x, y },
    params: { outerPerSample, xLength: alongAxis(x, axis).count, yLength: count, behind, before, step, fill },
    overrides: { MODE: MOVES.indexOf(mode) },
    grid: linearGrid(perSample(y), 256),
  });
}

/** Zeros everywhere in y. `nothing`: scratch of no samples, which is bound and not read. */
export const zeros = (y: Value, nothing: Value): Dispatch =>
  dispatch(padKernel, {
    bind: { x: nothing, y },
    params: { outerPerSample: 1, xLength: 0, yLength: perSample(y), behind: 1, before: 0, step: 1, fill: 0 },
    grid: linearGrid(perSample(y), 256),
  });

function check(x: Spec, { axis, before = 0, after = 0, mode = 'constant', value = 0 }: PadAttributes): number {
  const at = axisBehindSamples('pad', x, axis);
  const length = x.shape[at]!;
  if (!MODES.includes(mode)) {
    throw new ArgumentError(`pad: expected a mode of constant, reflect, edge or wrap, got ${mode}`);
  }
  if (!Number.isInteger(before) || !Number.isInteger(after) || length + before + after < 0) {
    throw new ArgumentError(`pad: expected whole numbers that leave out at most ${length}, got ${before} and ${after}`);
  }
  // Turned around once, x shows all but the position that it is turned around at; of nothing there is nothing to show.
  const most = mode === 'reflect' || length === 0 ? Math.max(length - 1, 0) : Infinity;
  if (mode !== 'constant' && (Math.min(before, after) < 0 || Math.max(before, after) > most)) {
    const wanted = `${most === Infinity ? '0 or more' : `0 to ${most}`} on each side of ${length} positions`;
    throw new ArgumentError(`pad: expected ${wanted} in mode ${mode}, got ${before} and ${after}`);
  }
  bitsOf('pad', x.dtype, value);
  return at;
}

/**
 * More positions around x, of any shape and dtype, along one axis.
 * @throws ArgumentError where more are left out than there are, for a value that the dtype cannot hold, and, in modes
 * other than constant, where some are left out or, in mode reflect, as many added as there are
 */
export const pad: Op<{ x: Operand }, 'y', PadAttributes> = defineOp({
  name: 'pad',
  half: ['x'],
  infer({ x }, attributes) {
    const at = check(x, attributes);
    const { before = 0, after = 0 } = attributes;
    return { y: withLength(x, at, x.shape[at]! + before + after) };
  },
  lower: ({ x }, { y }, { axis, before = 0, mode, value = 0 }) => [
    shifted(x, y, axis, { before, fill: bitsOf('pad', x.dtype, value), ...(mode && { mode }) }),
  ],
  gradient: ({ x, dy }, attributes) => ({
    x() {
      const { axis, before = 0, after = 0, mode = 'constant' } = attributes;
      if (mode === 'constant') return pad({ x: dy }, { axis, before: -before, after: -after });
      return padGrad({ dy }, { like: x, axis, before, mode });
    },
  }),
});

interface PadGradAttributes {
  readonly like: Spec;
  readonly axis: number;
  readonly before: number;
  readonly mode: 'reflect' | 'edge' | 'wrap';
}

/** What was shown in several positions gets the sum of their gradients. */
const padGrad = defineOp<{ dy: Operand }, 'y', PadGradAttributes>({
  name: 'pad-grad',
  infer({ dy }, { like: { shape, rows } }) {
    if (dy.dtype !== 'f32') throw expected('pad-grad', 'f32[...]', dy);
    return { y: { dtype: 'f32', shape, rows } };
  },
  lower({ dy }, { y }, { axis, before, mode }) {
    const { outerPerSample, stride: behind, count } = alongAxis(y, axis);
    return [
      dispatch(padGradKernel, {
        bind: { dy, dx: y },
        params: { outerPerSample, xLength: count, yLength: alongAxis(dy, axis).count, behind, before },
        overrides: { MODE: MOVES.indexOf(mode) },
        grid: linearGrid(perSample(y), 64),
      }),
    ];
  },
  gradient: isGradient,
});
