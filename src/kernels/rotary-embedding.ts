import { ArgumentError } from '../errors.ts';
import { isFloat, perSample, sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { axisBehindSamples } from './axes.ts';
import { defineOp, dispatch, expected, linearGrid } from './define.ts';
import type { Op, Operand, Value } from './define.ts';
import { rotaryEmbeddingKernel } from './generated/rotary-embedding.ts';

export interface RotaryEmbeddingAttributes {
  /** Pairs are neighbours; else the second of a pair stands half the dimensions behind the first. */
  readonly interleaved?: boolean;
  /** How many numbers of each vector are turned, an even number; all where left out. */
  readonly dimensions?: number;
  /** The axis of the positions, -2 where left out: `[batch, heads, t, d]`; 1 for `[batch, t, heads, d]`. */
  readonly axis?: number;
  /** Turns the other way: back. */
  readonly inverse?: boolean;
}

interface Inputs<T> {
  x: T;
  cos: T;
  sin: T;
  positions?: T;
}

const NAME = 'rotary-embedding';

function launchParams({ x, cos, sin, positions }: Inputs<Spec>, attributes: RotaryEmbeddingAttributes) {
  const { dimensions = x.shape.at(-1)!, axis = -2 } = attributes;
  const at = axisBehindSamples(NAME, x, axis);
  const count = x.shape[at]!;
  const shared = cos.shape.length === 2;
  const length = cos.shape.at(-2)!;
  const belongs = (spec: Spec): boolean => spec.rows === x.rows && spec.shape[0] === x.shape[0] && at > 0;
  const tablesFit =
    sin.shape.join() === cos.shape.join() && sin.rows === cos.rows &&
    cos.shape.at(-1) === dimensions / 2 && length > 0 &&
    (shared ? !cos.rows : cos.shape.length === 3 && belongs(cos) && !positions) && (positions || length >= count);
  const positionsFit =
    !positions ||
    (!isFloat(positions) && positions.shape.at(-1) === count &&
      (positions.shape.length === 1 ? !positions.rows : positions.shape.length === 2 && belongs(positions)));
  if (![x, cos, sin].every(isFloat) || !tablesFit || !positionsFit) {
    const tables = `cos and sin f32[length, ${dimensions / 2}] or, without positions, f32[batch, t, ${dimensions / 2}]`;
    const given = positions ? [x, cos, sin, positions] : [x, cos, sin];
    throw expected(NAME, `x f32[batch, ..., t, d], ${tables}, and positions u32[t] or u32[batch, t]`, ...given);
  }
  return {
    sizePerSample: perSample(x),
    size: x.shape.at(-1)!,
    inner: sizeOf(x.shape.slice(at + 1, -1)),
    count,
    vectors: sizeOf(x.shape.slice(1, -1)),
    dimensions,
    length,
    tableStride: shared ? 0 : length,
    hasPositions: Number(Boolean(positions)),
    positionStride: positions?.shape.length === 2 ? count : 0,
  };
}

/**
 * Rotary position embedding (Su et al. 2021, RoFormer): turns each pair of numbers of a vector by the angle that its
 * table has for the vector's position. x: `f32[batch, ..., t, d]`; cos, sin: `f32[length, dimensions / 2]`, of whose
 * rows `positions`, `u32[t]` or `u32[batch, t]`, names one for each vector (the first t where left out; the last one
 * stands for positions beyond it), or `f32[batch, t, dimensions / 2]`. Result: like x. Only x has a gradient.
 */
export const rotaryEmbedding: Op<Inputs<Operand>, 'y', RotaryEmbeddingAttributes> = defineOp({
  name: NAME,
  half: ['x', 'cos', 'sin'],
  infer(inputs, attributes) {
    const { x } = inputs;
    const { dimensions = x.shape.at(-1) ?? 0, axis = -2 } = attributes;
    if (dimensions % 2 !== 0 || !(dimensions > 0 && dimensions <= x.shape.at(-1)!)) {
      const most = x.shape.at(-1);
      throw new ArgumentError(`${NAME}: expected an even number of dimensions up to ${most}, got ${dimensions}`);
    }
    if (axis === -1 || axis === x.shape.length - 1) {
      throw new ArgumentError(`${NAME}: expected an axis of positions in front of the last one, got ${axis}`);
    }
    launchParams(inputs as Inputs<Spec>, attributes);
    return { y: x };
  },
  lower: (inputs, { y }, attributes) => {
    const { x, cos, sin, positions } = inputs as Inputs<Value>;
    const params = launchParams(inputs as Inputs<Spec>, attributes);
    const { interleaved = false, inverse = false } = attributes;
    return [
      dispatch(rotaryEmbeddingKernel, {
        // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
        bind: { x, cosines: cos, sines: sin, positions: positions ?? x, y },
        params,
        overrides: { INTERLEAVED: interleaved, INVERSE: inverse },
        grid: linearGrid(params.sizePerSample, 64),
        ...(x.rows && { rows: x.rows }),
      }),
    ];
  },
  gradient: ({ cos, sin, positions, dy }, attributes) => ({
    x() {
      const tables = { x: dy, cos, sin, ...(positions && { positions }) };
      return rotaryEmbedding(tables, { ...attributes, inverse: !attributes.inverse });
    },
  }),
});
