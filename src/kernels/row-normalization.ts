import { ArgumentError } from '../errors.ts';
import { describe, perSample, sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { axisBehindSamples } from './axes.ts';
import { mul } from './binary.ts';
import { checkChannels, checkEpsilon, EPSILON } from './channels.ts';
import { defineOp, dispatch, expected, isGradient, linearGrid } from './define.ts';
import type { Op, Operand, Value } from './define.ts';
import { rowNormalizationGradKernel, rowNormalizationGradWideKernel } from './generated/row-normalization-grad.ts';
import { rowNormalizationKernel, rowNormalizationWideKernel } from './generated/row-normalization.ts';
import { sum } from './reduce.ts';
import { reshape } from './reshape.ts';

/** What is normalised together, and what scale and bias belong to. */
interface Rows {
  /** Elements of a row, side by side. */
  readonly count: number;
  /** The shape of scale and bias. */
  readonly parameter: readonly number[];
  /** Elements side by side that have one of them in common. */
  readonly inner: number;
}

interface Inputs<T> {
  readonly x: T;
  /** All 1 where left out. */
  readonly scale?: T;
  /** All 0 where left out. */
  readonly bias?: T;
}

export interface NormalizationAttributes {
  /** Added to the variance, or to the mean square; 1e-5 where left out. */
  readonly epsilon?: number;
}

export interface LayerNormAttributes extends NormalizationAttributes {
  /** The first of the axes that are normalised over, all to the last; -1 where left out. */
  readonly axis?: number;
}

export interface GroupNormAttributes extends NormalizationAttributes {
  /** How many groups of as many channels each. */
  readonly groups: number;
}

/** From so many elements on some invocations share a row; how many: by its length alone. */
const WIDE = 256;
const lanesFor = (count: number): number => (count < WIDE ? 1 : count < 4096 ? 16 : 64);

/** What both kernels take. */
function launchOf(x: Value, { count, parameter, inner }: Rows, rms: boolean, epsilon: number) {
  const rowsPerSample = count ? perSample(x) / count : 0;
  const lanes = lanesFor(count);
  return {
    wide: lanes > 1,
    lanes,
    params: { rowsPerSample, count, channels: sizeOf(parameter), inner, epsilon },
    overrides: { RMS: rms },
    grid: linearGrid(rowsPerSample, 64 / lanes),
  };
}

/** One member of the family. `rowsOf` throws for what has no such rows. */
const normalization = <A extends NormalizationAttributes>(
  name: string,
  rms: boolean,
  rowsOf: (x: Spec, attributes: A) => Rows,
): Op<Inputs<Operand>, 'y', A> => {
  const op: Op<Inputs<Operand>, 'y', A> = defineOp<Inputs<Operand>, 'y', A>({
    name,
    half: ['x', 'scale', 'bias'],
    infer({ x, scale, bias }, attributes) {
      if (x.dtype !== 'f32') throw expected(name, 'f32[...]', x);
      checkEpsilon(name, attributes.epsilon);
      const { parameter } = rowsOf(x, attributes);
      for (const [input, spec] of Object.entries({ scale, bias })) {
        const fits = !spec || (spec.dtype === 'f32' && spec.shape.join() === parameter.join() && !spec.rows);
        if (!fits) throw expected(name, `${input} f32[${parameter.join(', ')}]`, spec);
      }
      return { y: x };
    },
    lower({ x, scale, bias }, { y }, attributes) {
      const { wide, lanes, overrides, ...launch } = launchOf(x, rowsOf(x, attributes), rms, attributes.epsilon ?? EPSILON);
      const all = { ...overrides, SCALE: scale !== undefined, BIAS: bias !== undefined };
      // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
      const bind = { x, scale: scale ?? x, bias: bias ?? x, y };
      return [
        wide
          ? dispatch(rowNormalizationWideKernel, { bind, ...launch, overrides: { ...all, LANES: lanes } })
          : dispatch(rowNormalizationKernel, { bind, ...launch, overrides: all }),
      ];
    },
    gradient({ x, scale, dy }, attributes): Record<'x' | 'scale' | 'bias', () => Value> {
      const { epsilon = EPSILON } = attributes;
      const rows = rowsOf(x, attributes);
      const { parameter, inner } = rows;
      const ofParameter = (grad: Value): Value => {
        const channels = sizeOf(parameter);
        const byChannel = reshape({ x: grad }, { shape: [sizeOf(x.shape) / channels / inner, channels, inner] });
        return reshape({ x: sum({ x: byChannel }, { axes: [0, 2] }) }, { shape: parameter });
      };
      return {
        x: () => normalizationGrad({ x, dy, ...(scale && { scale }) }, { rows, rms, epsilon }),
        scale: () => ofParameter(mul({ a: dy, b: op({ x }, attributes) as Value })),
        bias: () => ofParameter(dy),
      };
    },
  });
  return op;
};

const normalizationGrad = defineOp<
  { x: Operand; dy: Operand; scale?: Operand },
  'y',
  { readonly rows: Rows; readonly rms: boolean; readonly epsilon: number }
>({
  name: 'row-normalization-grad',
  infer: ({ x }) => ({ y: x }),
  lower({ x, dy, scale }, { y }, { rows, rms, epsilon }) {
    const { wide, lanes, overrides, ...launch } = launchOf(x, rows, rms, epsilon);
    const all = { ...overrides, SCALE: scale !== undefined };
    const bind = { x, scale: scale ?? x, dy, dx: y };
    return [
      wide
        ? dispatch(rowNormalizationGradWideKernel, { bind, ...launch, overrides: { ...all, LANES: lanes } })
        : dispatch(rowNormalizationGradKernel, { bind, ...launch, overrides: all }),
    ];
  },
  gradient: isGradient,
});

const trailing = (op: string) => (x: Spec, { axis = -1 }: LayerNormAttributes): Rows => {
  const parameter = x.shape.slice(axisBehindSamples(op, x, axis));
  return { count: sizeOf(parameter), parameter, inner: 1 };
};

/** @throws ShapeError, ArgumentError */
function grouped(op: string, x: Spec, groups: number): Rows {
  checkChannels(op, x);
  const channels = x.shape[1]!;
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    throw new ArgumentError(`${op}: expected groups that divide ${channels} channels of ${describe(x)}, got ${groups}`);
  }
  const inner = sizeOf(x.shape.slice(2));
  return { count: (channels / groups) * inner, parameter: [channels], inner };
}

/**
 * Layer normalisation (Ba et al. 2016): `(x - mean) / sqrt(variance + epsilon) * scale + bias`, mean and variance taken
 * over the axes from `axis` on, the variance divided by their number of elements. x: f32 of any shape; scale, bias: of
 * the shape of these axes. For all of this family a row with NaN becomes NaN, and no other.
 */
export const layerNorm = normalization('layer-norm', false, trailing('layer-norm'));

/**
 * Root mean square normalisation (Zhang and Sennrich 2019): `x / sqrt(mean(x^2) + epsilon) * scale + bias`, like
 * `layerNorm`; the paper has no bias.
 */
export const rmsNorm = normalization('rms-norm', true, trailing('rms-norm'));

/**
 * Group normalisation (Wu and He 2018): like `layerNorm`, over groups of channels and all that is behind them. x:
 * `f32[samples, channels, ...]`; scale, bias: `f32[channels]`.
 */
export const groupNorm = normalization('group-norm', false, (x, { groups }: GroupNormAttributes) =>
  grouped('group-norm', x, groups));

/** Instance normalisation (Ulyanov et al. 2016): `groupNorm` of each channel by itself. */
export const instanceNorm = normalization<NormalizationAttributes>('instance-norm', false, (x) =>
  grouped('instance-norm', x, x.shape[1] ?? 0));
