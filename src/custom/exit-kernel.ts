import { ArgumentError } from '../errors.ts';
import type { ExitKernels } from '../kernels/exit-kernels.ts';
import { ExitRecord, ExitSettings } from '../kernels/exit-check.ts';
import { textOf } from './criterion.ts';
import { compilerCheck, createTextLinker, linkText, paramsOf, withToolchain } from './link.ts';
import type { LinkedKernel } from './toolchain/kernel.d.mts';
import { criterionOf } from './values.ts';
import type { ExitValues, OwnCriterion } from './values.ts';

const PATH = 'exitKernel';

export interface ExitKernelOptions {
  /** Takes the place of the built-in criteria in what the text imports. */
  readonly criterion?: OwnCriterion;
  /** Rows that a workgroup takes; its invocations, one row each, where left out. */
  readonly rowsPerWorkgroup?: number;
}

/** An exit kernel for `model.compile({ exitKernel, criterion })`. */
export interface ExitKernel extends ExitKernels {
  /**
   * The criterion to compile it with, for a kernel that does not decide by the built-in ones: values of its struct
   * `criterion`, or of the parameters of the criterion linked into it. @throws ArgumentError
   */
  criterion(values?: ExitValues): OwnCriterion;
}

/** What a kernel may bind: access, elements, and bytes of an element; of `criterion` any struct. */
const BINDINGS: Readonly<
  Record<string, { access: string; elements: readonly string[]; bytes: number } | { access: string }>
> = {
  settings: { access: 'read', elements: ['ExitSettings'], bytes: ExitSettings.size },
  classThresholds: { access: 'read', elements: ['f32'], bytes: 4 },
  criterion: { access: 'read' },
  records: { access: 'read_write', elements: ['ExitRecord'], bytes: ExitRecord.size },
  logits: { access: 'read', elements: ['f32', 'u32'], bytes: 4 },
  origin: { access: 'read', elements: ['u32'], bytes: 4 },
  stays: { access: 'read_write', elements: ['u32'], bytes: 4 },
};
const NEEDED = ['records', 'origin', 'stays'];

/**
 * An exit check written in WGSL, in the place of all of the library's: `@compute fn main` that decides for every live
 * row. It binds by name, in group 0, what it needs of
 *
 *     settings: ExitSettings (import package::lib::exit_settings::settings), of the exit that is checked;
 *     records: array<ExitRecord> (import package::lib::exit_record::records), one per row of the batch;
 *     logits: array<f32>, or array<u32> for their bits, [rows, classes]; origin: array<u32>, where in the batch a row
 *     is;
 *     stays: array<u32>, 1 for a row that goes on; criterion: a struct of parameters, or classThresholds: array<f32>;
 *     and as uniforms params: Params { classes: u32 } and live: Live (import package::lib::live::Live).
 *
 * It writes `stays[row]` of each live row and `records[origin[row]]`, as `package::lib::exit_decision` does: a row
 * leaves at the latest where `settings.always` is 1, one that has left stays out (`hasLeft`), and of a single row that
 * is not live `stays[0]` is 0. Unlike the library's, the kernel itself must see to it that logits that are not finite
 * do not leave early.
 * Grid: as many workgroups as rows need, folded (`package::lib::grid`).
 * @throws ArgumentError with the line of the text, `exitKernel:LINE: what`; what only the GPU's compiler can tell is a
 * `GpuError` of the same form when a classifier is compiled
 */
export function wgslExitKernel(
  text: string,
  { criterion, rowsPerWorkgroup }: ExitKernelOptions = {},
): Promise<ExitKernel> {
  return withToolchain((toolchain) => {
    const own = criterion && textOf(criterion);
    const source = { path: PATH, text };
    const kernel = linkText(
      toolchain,
      createTextLinker(toolchain, own?.modules),
      source,
      'exit kernel',
      own?.conditions,
    );
    const places = new Map(toolchain.declarations(source).map(({ name, place }) => [name, place]));
    const placeOf = (name: string): string => places.get(name) ?? `${PATH}:1`;
    checkBindings(kernel, placeOf);
    const [x, y, z] = kernel.workgroupSize;
    const rows = rowsPerWorkgroup ?? x * y * z;
    if (!(Number.isInteger(rows) && rows >= 1)) {
      throw new ArgumentError(`wgslExitKernel: expected rowsPerWorkgroup of 1 or more, got ${rows}`);
    }
    const params = paramsOf(kernel, own ? () => own.place : placeOf);
    if (!params && kernel.storage.some(({ name }) => name === 'criterion')) {
      throw new ArgumentError(`${placeOf('criterion')}: criterion: expected a struct of parameters`);
    }
    const kernels: ExitKernels = {
      builtIn: !own && !params,
      whole: { kernel, rowsPerWorkgroup: rows },
      check: compilerCheck(kernel),
      ...(params && { params }),
    };
    const made: ExitKernel = { ...kernels, criterion: (values) => criterionOf(made, values) };
    return made;
  });
}

/** @throws ArgumentError for a buffer that the engine does not bind, or one of another kind */
function checkBindings({ storage, params, live }: LinkedKernel, placeOf: (name: string) => string): void {
  for (const { name, access, element, size } of storage) {
    const wanted = BINDINGS[name];
    const refuse = (expected: string, got: string): ArgumentError =>
      new ArgumentError(`${placeOf(name)}: ${name}: expected ${expected}, got ${got}`);
    if (!wanted) throw refuse(`one of ${Object.keys(BINDINGS).join(', ')}`, 'a buffer that nobody binds');
    if (access !== wanted.access) throw refuse(`access ${wanted.access}`, access);
    if ('elements' in wanted && !(wanted.elements.includes(element) && wanted.bytes === size)) {
      throw refuse(`${wanted.elements.join(' or ')} of ${wanted.bytes} bytes`, `${element} of ${size} bytes`);
    }
  }
  const bound = storage.map(({ name }) => name);
  const missing = [...NEEDED.filter((name) => !bound.includes(name)), ...(live ? [] : ['live'])];
  if (missing.length > 0) {
    throw new ArgumentError(
      `${PATH}:1: expected the kernel to bind and use ${missing.join(', ')}; without, it cannot tell rows apart`,
    );
  }
  const odd = params?.struct.fields.find(
    ({ name, type, length }) => name !== 'classes' || type !== 'u32' || length !== undefined,
  );
  if (odd) {
    const what = "expected no field but classes: u32; parameters of one's own are a struct bound as criterion";
    throw new ArgumentError(`${placeOf('Params')}: Params.${odd.name}: ${what}`);
  }
}
