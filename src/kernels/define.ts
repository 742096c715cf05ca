import { ArgumentError, ShapeError } from '../errors.ts';
import { describe } from '../tensor/spec.ts';
import type { Dtype, Rows, Spec, TypedArray } from '../tensor/spec.ts';
import { inHalf } from './kernel.ts';
import type { Kernel } from './kernel.ts';

/** What an operation takes: a tensor on the device, or a value of the trace under way. */
export interface Operand extends Spec {
  readonly kind: 'tensor' | 'value';
}

/** A symbolic result inside a trace. */
export interface Value extends Operand {
  readonly kind: 'value';
}

/** The live-rows count of a stage, bound as storage by the kernel that decides it. */
export interface LiveCount {
  readonly kind: 'live';
  readonly rows: Rows;
}
export const liveCountOf = (rows: Rows): LiveCount => ({ kind: 'live', rows });

/**
 * Workgroups along one axis: fixed, or `ceil(live samples * perSample / tile)`. Kept as data, not as a function, so
 * that the host can size a grid to the rows it knows of, and a kernel can do the same for an indirect dispatch.
 */
export type Extent = number | { readonly perSample: number; readonly tile: number };

/** Up to three axes, or one long axis folded to x <= 65,535 and y = the rest (`lib/grid.wgsl` undoes the fold). */
export type Grid = readonly [x: Extent, y?: Extent, z?: Extent] | { readonly folded: Extent };

/** One invocation for each `tile` elements out of `perSample` per live sample. */
export const linearGrid = (perSample: number, tile: number): Grid => ({ folded: { perSample, tile } });

/** One launch of a kernel, before buffers are known. */
export interface Dispatch {
  readonly kernel: Kernel;
  readonly bind: Readonly<Record<string, Value | LiveCount>>;
  readonly params?: object;
  readonly overrides?: Readonly<Record<string, number | boolean>>;
  readonly grid: Grid;
  /** Whose live count bounds the kernel; none: one row, always live. */
  readonly rows?: Rows;
}

type Launch<Storage extends string, Params, Overrides> = {
  readonly bind: Readonly<Record<Storage, Value | LiveCount>>;
  readonly overrides?: Partial<Overrides>;
  readonly grid: Grid;
  readonly rows?: Rows;
} & (undefined extends Params ? { readonly params?: undefined } : { readonly params: Params });

/**
 * A typed launch. `rows` is that of the first bound value that has one; where values of several meet, give it. Of values
 * in f16 the kernel's form for these.
 * @throws ShapeError if it has none
 */
export function dispatch<Storage extends string, Params, Overrides>(
  kernel: Kernel<Storage, Params, Overrides>,
  launch: Launch<Storage, Params, Overrides>,
): Dispatch {
  const bound = Object.values<Value | LiveCount>(launch.bind);
  const rows = launch.rows ?? bound.find((value) => value.kind === 'value' && value.rows)?.rows;
  return { ...launch, kernel: fitting(kernel, launch.bind), rows } as unknown as Dispatch;
}

function fitting(kernel: Kernel, bind: Readonly<Record<string, Value | LiveCount>>): Kernel {
  const isHalf = (name: string): boolean => (bind[name] as Partial<Value>).dtype === 'f16';
  const given = kernel.storage.flatMap(({ name, element }) => (isHalf(name) && element !== 'f16' ? [name] : []));
  if (given.length === 0) return kernel;
  const half = inHalf(kernel);
  const wanted = kernel.f16?.bindings ?? [];
  // What is bound only because something must be is bound elsewhere too.
  const others = given.filter((name) => wanted.every((each) => bind[each] !== bind[name]));
  if (half && wanted.every(isHalf) && others.length === 0) return half;
  throw new ShapeError(
    `kernel ${kernel.name}: expected ${half ? `f16 as ${wanted.join(', ')} alike` : 'no f16'}, got it as ` +
      `${given.join(', ')}; cast() to f32 first`,
  );
}

export interface LowerContext {
  /** A temporary that lives only inside this operation. */
  scratch(spec: Spec): Value;
  /**
   * One of several ways to compute the same: what was measured to be the fastest on this device, else the first that it
   * can run. `shapes` names those for which the answer may be the same; never the number of samples, unless all ways
   * give the same bits.
   */
  choose(shapes: string, variants: Variants): Dispatch[];
}

/** The launches of each way, by its name. */
export type Variants = Readonly<Record<string, () => Dispatch[]>>;

export interface NoGradient {
  readonly none: string;
}
/** Says that an operation has no gradient, and why; backward reaching it throws `NoGradientError` while tracing. */
/* @__NO_SIDE_EFFECTS__ */
export const none = (why: string): NoGradient => ({ none: why });
export const isGradient = /* @__PURE__ */ none('it is itself a gradient, and derivatives of derivatives are not built');

/** How one operation gives the result of two, with the same bits. */
export interface Absorbed {
  /** The one that takes the other where left out. */
  readonly op?: unknown;
  readonly attributes: unknown;
  /** Of `absorb` those besides the first's, of `takes` all. */
  readonly inputs?: Readonly<Record<string, Value>>;
}

/** The operation that alone uses a result, as `absorb` sees it. */
export interface Following {
  readonly op: string;
  /** The input that is the result. */
  readonly through: string;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly attributes: unknown;
}

/** The operation whose result another alone uses, as `takes` sees it. */
export type Preceding = Omit<Following, 'through'>;

type Inputs = Readonly<Record<string, Operand | undefined>> | object;
type Specs<I> = { readonly [K in keyof I]: Spec };
type Values<I> = { readonly [K in keyof I]: Value };
type OutputGrads<O extends string> = { readonly [K in O as K extends 'y' ? 'dy' : never]: Value } & {
  readonly [K in O as K extends 'y' ? never : `d${K}`]?: Value;
};

/**
 * The gradient rule: given inputs, outputs and the gradients of the outputs (`dy` for `y`), one thunk per
 * differentiable input; only those that somebody needs are called. A rule emits by calling operations. A thunk without
 * a result contributes nothing: the gradient is zero.
 */
export type GradientRule<I, O extends string, A> = (
  values: Values<I> & { readonly [K in O]: Value } & OutputGrads<O>,
  attributes: A,
) => { readonly [K in keyof I]?: () => Value | undefined };

/** One operation, whole: shapes, kernels, gradient, cost. */
export interface OpDefinition<I extends Inputs, O extends string, A> {
  readonly name: string;
  /** Shapes and dtypes of the outputs. Throws `ShapeError`. */
  infer(inputs: Specs<I>, attributes: A): { readonly [K in O]: Spec };
  /** The launches that compute the outputs. */
  lower(inputs: Values<I>, outputs: { readonly [K in O]: Value }, attributes: A, context: LowerContext): Dispatch[];
  readonly gradient: GradientRule<I, O, A> | NoGradient;
  /** Of the inputs that are f32, those that may as well be f16, all of them alike; what would be f32 is f16 then. */
  readonly half?: readonly string[] | 'all' | undefined;
  /** Takes the operation that alone uses the result `y` into the launches of this one; undefined where it cannot. */
  absorb?(next: Following, attributes: A, inputs: Values<I>): Absorbed | undefined;
  /** The other way round, where the second knows how: takes the operation whose result it alone uses as `through`. */
  takes?(before: Preceding, through: string, attributes: A, inputs: Values<I>): Absorbed | undefined;
  /** The output is the memory of input `x`, unchanged but for its shape, or changed in place, which uses `x` up. */
  readonly view?: 'unchanged' | 'in place';
  /** Multiply-accumulates for the shapes given (at the maximum of rows); 0 where left out. */
  macs?(inputs: Specs<I>, outputs: { readonly [K in O]: Spec }, attributes: A): number;
}

/** A definition with its types forgotten, as the graph handles it. */
export type AnyOp = OpDefinition<Record<string, Operand>, string, unknown>;

type Result<O extends string> = [O] extends ['y'] ? Value : { readonly [K in O]: Value };

/** A definition that can be called inside a trace: `softmax({ x })`. */
export type Op<I extends Inputs, O extends string, A> = OpDefinition<I, O, A> &
  ({} extends A
    ? (inputs: I, attributes?: A) => Result<O>
    : (inputs: I, attributes: A) => Result<O>);

/** Who listens to operations being called; the graph implements it. */
export interface Tracer {
  emit(op: AnyOp, inputs: Record<string, Operand | undefined>, attributes: unknown): Record<string, Value>;
  constant(spec: Spec, data: TypedArray): Value;
}

let current: Tracer | undefined;

/**
 * Runs `body` with `tracer` receiving every operation called in it. Tracing is synchronous, hence one variable is
 * enough.
 */
export function withTracer<T>(tracer: Tracer, body: () => T): T {
  const outer = current;
  current = tracer;
  try {
    return body();
  } finally {
    current = outer;
  }
}

/** @throws ArgumentError outside a trace */
export function currentTracer(what: string): Tracer {
  if (current) return current;
  throw new ArgumentError(`${what}: operations run inside a trace; call it in the function given to compile()`);
}

/**
 * Makes a callable operation. `I`: inputs by name (`bias?: Operand` for optional ones), `O`: output names, `A`:
 * attributes. Bundlers may leave out a call whose result nobody uses, and so the operations that nobody calls.
 */
/* @__NO_SIDE_EFFECTS__ */
export function defineOp<I extends Inputs, O extends string = 'y', A = {}>(
  given: OpDefinition<I, O, A>,
): Op<I, O, A> {
  const definition = given.half ? { ...given, infer: inferHalf(given as unknown as AnyOp) as typeof given.infer } : given;
  const call = (inputs: I, attributes: A = {} as A): unknown => {
    const outputs = currentTracer(definition.name).emit(
      definition as unknown as AnyOp,
      inputs as Record<string, Operand | undefined>,
      attributes,
    );
    const names = Object.keys(outputs);
    return names.length === 1 && names[0] === 'y' ? outputs['y'] : outputs;
  };
  // A function's own `name` is read-only but configurable.
  Object.defineProperty(call, 'name', { value: definition.name });
  const { name: _, ...rest } = definition;
  return Object.assign(call, rest) as unknown as Op<I, O, A>;
}

type AnyInfer = (inputs: Readonly<Record<string, Spec | undefined>>, attributes: unknown) => Record<string, Spec>;

/** `infer` as if f16 were f32. */
function inferHalf({ name, infer, half }: AnyOp): AnyInfer {
  return (inputs, attributes) => {
    const entries = Object.entries(inputs);
    if (entries.every(([, spec]) => spec?.dtype !== 'f16')) return infer(inputs as never, attributes);
    const wanted = half === 'all' ? Object.keys(inputs) : half!;
    const mixed = entries.filter(([input, spec]) => spec && wanted.includes(input) !== (spec.dtype === 'f16'));
    if (mixed.length > 0) {
      throw expected(name, `f16 as all of ${wanted.join(', ')}, or as none`, ...entries.map(([, spec]) => spec));
    }
    const to = (dtype: Dtype, specs: [string, Spec | undefined][], from: Dtype): Record<string, Spec> =>
      Object.fromEntries(specs.map(([key, spec]) => [key, spec?.dtype === from ? { ...spec, dtype } : spec!]));
    return to('f16', Object.entries(infer(to('f32', entries, 'f16'), attributes)), 'f32');
  };
}

/** Calls `make` when first asked: for operations with several results, of which several rules need one each. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** A value known while tracing, uploaded once when the program is compiled. */
export const constant = (spec: Spec, data: TypedArray): Value => currentTracer('constant').constant(spec, data);

/** One number, which broadcasts. */
export const scalar = (value: number, dtype: 'f32' | 'f16' = 'f32'): Value =>
  constant({ dtype, shape: [1] }, Float32Array.of(value));

/** The common complaint: `softmax: expected f32[rows, cols], got i32[4]`. */
export function expected(op: string, what: string, ...got: (Spec | undefined)[]): ShapeError {
  return new ShapeError(
    `${op}: expected ${what}, got ${got.map((spec) => (spec ? describe(spec) : 'nothing')).join(' and ')}`,
  );
}
