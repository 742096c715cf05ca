import { leadPerSample } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, isGradient, linearGrid } from './define.ts';
import type { Op, Operand, Value } from './define.ts';
import { softmaxMeasureGradKernel, softmaxMeasureGradWideKernel } from './generated/softmax-measure-grad.ts';
import {
  softmaxMeasureKernel,
  softmaxMeasureQuadsKernel,
  softmaxMeasureWideKernel,
} from './generated/softmax-measure.ts';
import { lanesFor, WIDE } from './lanes.ts';

/** What all kernels take, and the lanes that share a row. */
function launchOf(logits: Value, code: number) {
  const width = logits.shape[1]!;
  const rowsPerSample = leadPerSample(logits);
  const LANES = width < WIDE ? 1 : lanesFor(width);
  return {
    LANES,
    params: { width, rowsPerSample },
    overrides: { MEASURE: code },
    grid: linearGrid(rowsPerSample, softmaxMeasureKernel.workgroupSize[0] / LANES),
  };
}

const measureGrad = defineOp<{ logits: Operand; dy: Operand }, 'y', { readonly code: number }>({
  name: 'softmax-measure-grad',
  infer: ({ logits }) => ({ y: logits }),
  lower({ logits, dy }, { y }, { code }) {
    const { LANES, ...all } = launchOf(logits, code);
    const launch = { ...all, bind: { logits, dy, dlogits: y } };
    if (LANES === 1) return [dispatch(softmaxMeasureGradKernel, launch)];
    return [dispatch(softmaxMeasureGradWideKernel, { ...launch, overrides: { ...launch.overrides, LANES } })];
  },
  gradient: isGradient,
});

/** One member of the family. `code` is its number in `wgsl/lib/softmax-row.wgsl`. */
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
    lower({ logits }, { y }) {
      const { LANES, ...all } = launchOf(logits, code);
      const launch = { ...all, bind: { logits, y } };
      if (LANES === 1) return [dispatch(softmaxMeasureKernel, launch)];
      const { width, rowsPerSample } = launch.params;
      const overrides = { ...launch.overrides, LANES };
      if (width % 4) return [dispatch(softmaxMeasureWideKernel, { ...launch, overrides })];
      const params = { width: width / 4, rowsPerSample };
      return [dispatch(softmaxMeasureQuadsKernel, { ...launch, params, overrides })];
    },
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
