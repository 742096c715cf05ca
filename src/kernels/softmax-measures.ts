import { leadPerSample } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, isGradient, linearGrid } from './define.ts';
import type { Op, Operand } from './define.ts';
import { softmaxMeasureGradKernel } from './generated/softmax-measure-grad.ts';
import { softmaxMeasureKernel } from './generated/softmax-measure.ts';

const paramsOf = (logits: Spec) => ({ classes: logits.shape[1]!, rowsPerSample: leadPerSample(logits) });

const measureGrad = defineOp<{ logits: Operand; dy: Operand }, 'y', { readonly code: number }>({
  name: 'softmax-measure-grad',
  infer: ({ logits }) => ({ y: logits }),
  lower: ({ logits, dy }, { y }, { code }) => [
    dispatch(softmaxMeasureGradKernel, {
      bind: { logits, dy, dlogits: y },
      params: paramsOf(logits),
      overrides: { MEASURE: code },
      grid: linearGrid(leadPerSample(logits), 64),
    }),
  ],
  gradient: isGradient,
});

/** One member of the family. `code` is its number in `wgsl/softmax-measure.wgsl`. */
/* @__NO_SIDE_EFFECTS__ */
const measure = (name: string, code: number): Op<{ logits: Operand }, 'y', {}> =>
  defineOp<{ logits: Operand }>({
    name,
    infer({ logits }) {
      const { dtype, shape, rows } = logits;
      const fits = dtype === 'f32' && shape.length === 2 && shape[1] !== 0;
      if (!fits) throw expected(name, 'logits f32[rows, classes]', logits);
      return { y: { dtype: 'f32', shape: [shape[0]!], rows } };
    },
    lower: ({ logits }, { y }) => [
      dispatch(softmaxMeasureKernel, {
        bind: { logits, y },
        params: paramsOf(logits),
        overrides: { MEASURE: code },
        grid: linearGrid(leadPerSample(logits), 64),
      }),
    ],
    gradient: ({ logits, dy }) => ({ logits: () => measureGrad({ logits, dy }, { code }) }),
  });

/**
 * The greatest probability of each row's softmax. logits: `f32[rows, classes]`; result: `f32[rows]`. Of equal logits
 * the gradient takes the first. For all of this family, -Inf is a probability of 0; NaN or +Inf gives NaN.
 */
export const confidence = measure('confidence', 0);

/** The greatest minus the second greatest probability of each row's softmax, like `confidence`. */
export const margin = measure('margin', 1);

/** The entropy of each row's softmax in nats, `-sum p log p`, like `confidence`. */
export const entropy = measure('entropy', 2);
