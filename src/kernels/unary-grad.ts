import { perSample } from '../tensor/spec.ts';
import { defineOp, dispatch, isGradient, linearGrid } from './define.ts';
import type { Op, Operand } from './define.ts';
import { unaryGradKernel } from './generated/unary-grad.ts';
import { specialKernel, unary } from './unary-family.ts';
import type { Attributes, Member, Settings } from './unary-family.ts';

/** `dy f'(x)` */
const unaryGrad = defineOp<{ x: Operand; dy: Operand }, 'y', Settings>({
  name: 'unary-grad',
  infer: ({ x }) => ({ y: x }),
  lower: ({ x, dy }, { y }, { code, alpha, beta }) => [
    dispatch(unaryGradKernel, {
      bind: { x, dy, dx: y },
      params: { sizePerSample: perSample(x), alpha, beta },
      overrides: { OP: code },
      grid: linearGrid(perSample(x), 256),
    }),
  ],
  gradient: isGradient,
});

/** The codes from here on are those of the variant `special`. */
const SPECIAL = 29;

/** A member of the unary family whose derivative is in `wgsl/unary-grad.wgsl`, under the code of its function. */
/* @__NO_SIDE_EFFECTS__ */
export function curve<A extends Attributes = {}>(
  name: string,
  member: Omit<Member<A>, 'gradient' | 'special'>,
): Op<{ x: Operand }, 'y', A> {
  return unary<A>(name, {
    ...member,
    gradient: ({ x, dy }, _, settings) => unaryGrad({ x, dy }, settings),
    ...(typeof member.code === 'number' && member.code >= SPECIAL && { special: specialKernel }),
  });
}
