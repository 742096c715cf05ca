import { ArgumentError } from '../errors.ts';
import { perSample, sizeOf } from '../tensor/spec.ts';
import type { Rows } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Op, Operand } from './define.ts';
import { randomFillKernel } from './generated/random-fill.ts';

interface FillAttributes {
  readonly shape: readonly number[];
  /** Whose samples the leading axis is for. */
  readonly rows?: Rows | undefined;
  /** Tells these draws apart from those of others that share the seed, dropouts too: a number that none of them has. */
  readonly stream?: number;
}

export interface UniformAttributes extends FillAttributes {
  /** 0 where left out. */
  readonly low?: number;
  /** 1 where left out. */
  readonly high?: number;
}

export interface NormalAttributes extends FillAttributes {
  /** 0 where left out. */
  readonly mean?: number;
  /** Standard deviation; 1 where left out. */
  readonly deviation?: number;
}

/** One member of the family: `first + span * draw`. */
const fill = <A extends FillAttributes>(
  name: string,
  isNormal: boolean,
  line: (attributes: A) => { readonly first: number; readonly span: number },
): Op<{ seed: Operand }, 'y', A> =>
  defineOp<{ seed: Operand }, 'y', A>({
    name,
    infer({ seed }, attributes) {
      const { shape, rows } = attributes;
      if (seed.dtype !== 'u32' || seed.rows || sizeOf(seed.shape) !== 1) throw expected(name, 'seed u32[1]', seed);
      const whole = shape.every((length) => Number.isInteger(length) && length >= 0);
      if (!whole || (rows && (shape[0] ?? 1) % rows.max !== 0)) {
        const wanted = `whole lengths${rows ? `, the leading one a multiple of ${rows.max} rows` : ''}`;
        throw new ArgumentError(`${name}: expected a shape of ${wanted}, got [${shape.join(', ')}]`);
      }
      const { first, span } = line(attributes);
      if (!Number.isFinite(first) || !(span >= 0 && span < Infinity)) {
        const got = `${first} and ${first + span}`;
        throw new ArgumentError(`${name}: expected finite numbers in ascending order, got ${got}`);
      }
      return { y: { dtype: 'f32', shape, rows } };
    },
    lower: ({ seed }, { y }, attributes) => [
      dispatch(randomFillKernel, {
        bind: { seed, y },
        params: { sizePerSample: perSample(y), stream: attributes.stream ?? 0, ...line(attributes) },
        overrides: { NORMAL: isNormal },
        grid: linearGrid(perSample(y), 64),
      }),
    ],
    gradient: none('what is drawn depends on a seed, which is a whole number'),
  });

/**
 * Uniform numbers in [low, high). seed: `u32[1]`, another one for other numbers; result: f32 of `shape`. Each is one of
 * 2^24 that lie evenly apart. From the counter-based generator of `dropout`: the same seed, stream and place give the
 * same bits on every adapter from 0 to 1; between other bounds the last bit may differ, and `high` itself be rounded
 * to.
 */
export const randomUniform = fill<UniformAttributes>('random-uniform', false, ({ low = 0, high = 1 }) => ({
  first: low,
  span: high - low,
}));

/**
 * Normally distributed numbers (Box and Muller 1958), at most 5.8 standard deviations from the mean. Otherwise like
 * `randomUniform`; but adapters round a logarithm and a cosine differently, so that the last bits are the same on one
 * adapter only.
 */
export const randomNormal = fill<NormalAttributes>('random-normal', true, ({ mean = 0, deviation = 1 }) => ({
  first: mean,
  span: deviation,
}));
