import { ArgumentError } from '../errors.ts';
import { exitCheckSources } from '../kernels/generated/exit-sources.ts';
import { compilerCheck, createTextLinker, librarySource, linkText, paramsOf, withToolchain } from './link.ts';
import type { Toolchain } from './toolchain.ts';
import type { Declaration, LinkedKernel, Source } from './toolchain/kernel.d.mts';
import { criterionOf } from './values.ts';
import type { ExitValues, OwnCriterion } from './values.ts';

/** Where a text of one's own is, as messages show it and as the linker knows it. */
const PATH = 'criterion';
const SIGNATURE = 'fn leave(s: ExitScores, p: Params) -> bool, or without p where it needs no parameters';

/** A criterion's text, checked, and what takes the place of the built-in criteria where it is linked in. */
export interface CriterionText {
  readonly modules: Readonly<Record<string, Source>>;
  readonly conditions: Readonly<Record<string, boolean>>;
  /** Where its parameters are declared. */
  readonly place: string;
}

const texts = new WeakMap<object, CriterionText>();

/** The text that a criterion was made of. @throws ArgumentError for one that `wgslCriterion` did not make */
export function textOf(criterion: OwnCriterion): CriterionText {
  const text = texts.get(criterion.kernels);
  if (text) return text;
  throw new ArgumentError('wgslExitKernel: expected a criterion that wgslCriterion() made');
}

/**
 * A criterion written in WGSL, linked into the exit checks:
 *
 *     struct Params { floor: f32, slope: f32 }
 *     fn leave(s: ExitScores, p: Params) -> bool { return s.confidence > p.floor + p.slope * f32(s.exit); }
 *
 * `leave` says whether a row leaves at an exit that is not the last; rows whose logits are not all finite never get to
 * it. `ExitScores` has `label: u32`, `confidence`, `margin` and `entropy: f32` (nats), `streak: u32` (exits in a row
 * that gave this label), `change: f32` (of the confidence since the exit before; 3e38 at the first), `exit: u32`
 * (counted from 1), `classes: u32`, `finite: bool` and `halting: f32` (0 of networks without halting scores). `Params`
 * may have fields of f32, u32 and i32, vectors of them and arrays of fixed size; without it `leave` takes the scores
 * alone. More can be imported from `package::lib`, and other functions declared.
 * @param values of `Params`, one for all exits or one for each exit but the last
 * @throws ArgumentError with the line of the text, `criterion:LINE: what`; what only the GPU's compiler can tell is a
 * `GpuError` of the same form when a classifier is compiled
 */
export function wgslCriterion(text: string, values?: ExitValues): Promise<OwnCriterion> {
  return withToolchain((toolchain) => {
    const own = readCriterion(toolchain, text);
    const linker = createTextLinker(toolchain, own.modules);
    const kernels = Object.entries(exitCheckSources).flatMap(([name, source]) => {
      const link = (variant?: string): LinkedKernel => {
        const conditions = { ...own.conditions, ...(variant && { [variant]: true }) };
        return linkText(
          toolchain,
          linker,
          { path: `${name}.wgsl`, text: source },
          variant ? `${name}-${variant}` : name,
          conditions,
        );
      };
      const plain = link();
      return [plain, ...toolchain.variantsOf(plain.opening).map(link)];
    });
    const params = paramsOf(kernels[0]!, () => own.place);
    const linked = Object.fromEntries(kernels.map((kernel) => [kernel.name, kernel]));
    // The text is the same in all of them; one that every device can compile is asked for what is wrong with it.
    const check = compilerCheck(kernels.find(({ features }) => features.length === 0)!);
    const exitKernels = { builtIn: false, linked, check, ...(params && { params }) };
    texts.set(exitKernels, own);
    return criterionOf(exitKernels, values);
  });
}

function readCriterion(toolchain: Toolchain, text: string): CriterionText {
  // On the line of the text's own first: the lines that messages name stay right.
  const source = { path: PATH, text: `import package::lib::exit_scores::ExitScores; ${text}` };
  const declared = toolchain.declarations(source);
  const find = (kind: string, name: string): Declaration | undefined =>
    declared.find((each) => each.kind === kind && each.name === name);
  const [leave, params] = [find('fn', 'leave'), find('struct', 'Params')];
  const buffer = declared.find(({ kind }) => kind === 'buffer');
  if (!leave) throw new ArgumentError(`${PATH}:1: expected ${SIGNATURE}; got no function leave`);
  const { takes, gives, place } = leave;
  const wanted = takes.length === 2 ? ['ExitScores', 'Params'] : ['ExitScores'];
  if (takes.join() !== wanted.join() || gives !== 'bool') {
    throw new ArgumentError(
      `${place}: expected ${SIGNATURE}; got fn leave(${takes.join(', ')})${gives && ` -> ${gives}`}`,
    );
  }
  if (takes.length === 2 && !params) {
    throw new ArgumentError(`${place}: leave takes Params, expected a struct of that name in the text`);
  }
  if (takes.length === 1 && params) {
    throw new ArgumentError(`${params.place}: Params is declared but leave does not take it; expected ${SIGNATURE}`);
  }
  if (buffer) {
    const what = 'expected no buffers in a criterion; what the host sets belongs in Params';
    throw new ArgumentError(`${buffer.place}: ${buffer.name}: ${what}`);
  }
  return {
    modules: { 'package::criterion': source, 'package::lib::exit_criterion': librarySource('own-criterion')! },
    conditions: { params: takes.length === 2 },
    place: params?.place ?? place,
  };
}
