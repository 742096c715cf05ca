import type { WgslCriterion } from '../earlyexit/criteria.ts';
import { ArgumentError } from '../errors.ts';
import type { ExitKernels } from '../kernels/exit-kernels.ts';
import { writeStruct } from '../kernels/kernel.ts';

/** Values of the fields of a struct: a number, or a list of them for a vector or an array. */
export type ParamValues = Readonly<Record<string, number | readonly number[]>>;

/** One for all exits, or one for each exit but the last. */
export type ExitValues = ParamValues | readonly ParamValues[];

/** A criterion in WGSL with values of its parameters. */
export interface OwnCriterion extends WgslCriterion {
  /** The same criterion with other values, for `classifier.setCriterion`: nothing is compiled. @throws ArgumentError */
  with(values: ExitValues): OwnCriterion;
}

/** @throws ArgumentError for a value that is missing, unknown or not of its field's type */
export function criterionOf(kernels: ExitKernels, given: ExitValues | undefined): OwnCriterion {
  return {
    kind: 'wgsl',
    kernels,
    values: checkValues(kernels, given),
    with(others) {
      // Of what it is called on: temperatures stay.
      return { ...this, values: checkValues(kernels, others) };
    },
  };
}

/** A list of them in any case. */
function checkValues({ params }: ExitKernels, given: ExitValues | undefined): readonly ParamValues[] {
  const values = given === undefined ? [] : ([given].flat() as ParamValues[]);
  if (!params) {
    if (values.length === 0) return values;
    throw new ArgumentError(
      'criterion: expected no values, since the text reads no parameters; declare a struct Params and take it',
    );
  }
  const names = params.fields.map(({ name }) => name);
  if (values.length === 0) throw new ArgumentError(`${params.name}: expected values of ${names.join(', ')}, got none`);
  const view = new DataView(new ArrayBuffer(params.size));
  for (const each of values) {
    const unknown = Object.keys(each ?? {}).find((name) => !names.includes(name));
    if (unknown !== undefined) {
      throw new ArgumentError(`${params.name}.${unknown}: no such field; expected ${names.join(', ')}`);
    }
    writeStruct(params, view, 0, each ?? {});
  }
  return values;
}
