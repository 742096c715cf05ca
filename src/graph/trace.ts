import { ArgumentError, ShapeError } from '../errors.ts';
import { currentTracer, withTracer } from '../kernels/define.ts';
import { copy } from '../kernels/unary.ts';
import type { AnyOp, Operand, Tracer, Value } from '../kernels/define.ts';
import { describe, sizeOf, typedArray } from '../tensor/spec.ts';
import type { Dtype, Rows, Spec, TypedArray } from '../tensor/spec.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** One operation called in a trace. */
export interface Node {
  readonly op: AnyOp;
  readonly inputs: Readonly<Record<string, TracedValue>>;
  readonly outputs: Record<string, TracedValue>;
  readonly attributes: unknown;
  /** Segments are what lies between checkpoints; a program can be run one segment at a time. */
  readonly segment: number;
  /** Of what was traced in one `recomputed`: one object for all of it. */
  readonly region?: object;
}

/** Where a value's bytes come from. */
export type Origin =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'tensor'; readonly tensor: Tensor }
  | { readonly kind: 'constant'; readonly data: TypedArray }
  | { readonly kind: 'node'; readonly node: Node; readonly output: string }
  | { readonly kind: 'view'; readonly node: Node; readonly of: TracedValue }
  | { readonly kind: 'scratch' };

/** A value of a trace. */
export class TracedValue implements Value {
  readonly kind = 'value';
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly rows?: Rows;
  readonly origin: Origin;
  /** Set by `store()`: the tensor whose memory this value is computed into. */
  placed: Tensor | undefined;

  constructor(spec: Spec, origin: Origin) {
    this.dtype = spec.dtype;
    this.shape = spec.shape;
    if (spec.rows) this.rows = spec.rows;
    this.origin = origin;
  }

  /** The operation that made it; none for inputs, tensors and constants. */
  get node(): Node | undefined {
    return this.origin.kind === 'node' || this.origin.kind === 'view' ? this.origin.node : undefined;
  }

  /** The value whose memory this one is. */
  get root(): TracedValue {
    return this.origin.kind === 'view' ? this.origin.of.root : this;
  }
}

/** The list of operations that a function called, with everything it took from outside. */
export class Graph implements Tracer {
  readonly nodes: Node[] = [];
  readonly inputs = new Map<string, TracedValue>();
  readonly outputs = new Map<string, TracedValue>();
  readonly stored: TracedValue[] = [];
  segments = 1;
  /** What is traced now belongs to it. */
  region: object | undefined;
  #tensors = new Map<Tensor, TracedValue>();
  #own = new WeakSet<TracedValue>();

  emit(op: AnyOp, inputs: Record<string, Operand | undefined>, attributes: unknown): Record<string, Value> {
    const given: Record<string, TracedValue> = {};
    for (const [name, operand] of Object.entries(inputs)) {
      if (operand) given[name] = this.lift(operand, `${op.name} ${name}`);
    }
    const specs = this.#infer(op, given, attributes);
    const { region } = this;
    const segment = this.segments - 1;
    const node: Node = { op, inputs: given, outputs: {}, attributes, segment, ...(region && { region }) };
    for (const [output, spec] of Object.entries(specs)) {
      const origin: Origin = op.view ? { kind: 'view', node, of: given['x']! } : { kind: 'node', node, output };
      node.outputs[output] = this.#value(spec, origin);
    }
    this.nodes.push(node);
    return node.outputs;
  }

  /** @throws ShapeError if the data does not fit */
  constant(spec: Spec, data: TypedArray): TracedValue {
    if (data.constructor !== typedArray(spec.dtype, 0).constructor || data.length !== sizeOf(spec.shape)) {
      throw new ShapeError(
        `constant: expected ${sizeOf(spec.shape)} values for ${describe(spec)}, ` +
          `got ${data.constructor.name} of ${data.length}`,
      );
    }
    return this.#value(spec, { kind: 'constant', data });
  }

  /** @throws ShapeError if the lengths are no whole numbers, or the leading one does not fit the rows */
  input(name: string, spec: Spec): TracedValue {
    const { shape, rows } = spec;
    const whole = shape.every((length) => Number.isInteger(length) && length >= 0);
    if (!whole || (rows && (shape[0] ?? 0) % rows.max !== 0)) {
      throw new ShapeError(
        `input '${name}': expected whole lengths${rows ? `, the leading one a multiple of ${rows.max} rows` : ''}, ` +
          `got [${shape.join(', ')}]`,
      );
    }
    const value = this.#value(spec, { kind: 'input', name });
    this.inputs.set(name, value);
    return value;
  }

  #value(spec: Spec, origin: Origin): TracedValue {
    const value = new TracedValue(spec, origin);
    this.#own.add(value);
    return value;
  }

  #infer(op: AnyOp, inputs: Record<string, TracedValue>, attributes: unknown): Record<string, Spec> {
    try {
      return op.infer(inputs, attributes);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new ShapeError(
        `${op.name}: an input or attribute is missing, got inputs ${Object.keys(inputs).join(', ') || 'none'}`,
        { cause: error },
      );
    }
  }

  /**
   * The value that stands for an operand in this trace; a tensor keeps its memory and stands for whatever it holds when
   * run.
   */
  lift(operand: Operand, what: string): TracedValue {
    if (operand instanceof TracedValue && this.#own.has(operand)) return operand;
    if (operand?.kind === 'tensor') {
      const tensor = operand as unknown as Tensor;
      let value = this.#tensors.get(tensor);
      if (!value) this.#tensors.set(tensor, (value = this.#value(tensor, { kind: 'tensor', tensor })));
      return value;
    }
    const got =
      operand instanceof TracedValue
        ? 'a value of another: values do not outlive the function they were made in'
        : typeof operand;
    throw new ArgumentError(`${what}: expected a tensor or a value of this trace, got ${got}`);
  }

  store(value: Operand, tensor: Tensor): void {
    const given = this.lift(value, 'store');
    if (given.dtype !== tensor.dtype || given.rows || sizeOf(given.shape) !== sizeOf(tensor.shape)) {
      throw new ShapeError(`store: expected ${describe(tensor)} for '${tensor.label}', got ${describe(given)}`);
    }
    // What has memory already (a tensor, an input, what was stored before) is copied.
    const free = given.root.origin.kind === 'node' && !given.root.placed;
    const { root } = free ? given : (copy({ x: given }) as TracedValue);
    root.placed = tensor;
    this.stored.push(root);
  }

  /** Multiply-accumulates of one sample, for nodes of a forward pass. */
  macs(nodes: readonly Node[] = this.nodes): number {
    let total = 0;
    for (const { op, inputs, outputs, attributes } of nodes) {
      const rows = Object.values(outputs).find((value) => value.rows)?.rows?.max ?? 1;
      total += (op.macs?.(inputs, outputs, attributes) ?? 0) / rows;
    }
    return total;
  }
}

/** Calls `body` once over symbolic inputs and returns what it did. */
export function trace(
  specs: Readonly<Record<string, Spec>>,
  body: (inputs: Record<string, Value>) => Record<string, Operand>,
): Graph {
  const graph = new Graph();
  const inputs: Record<string, Value> = {};
  for (const [name, spec] of Object.entries(specs)) inputs[name] = graph.input(name, spec);
  withTracer(graph, () => {
    for (const [name, operand] of Object.entries(body(inputs))) {
      graph.outputs.set(name, graph.lift(operand, `output ${name}`));
    }
  });
  return graph;
}

/** @internal @throws ArgumentError outside a trace */
export function currentGraph(what: string): Graph {
  const tracer = currentTracer(what);
  if (tracer instanceof Graph) return tracer;
  throw new ArgumentError(`${what}: only inside the function given to compile()`);
}

/** Ends a segment: `Program.encode` can run up to here, and go on later or not at all. */
export function checkpoint(): void {
  currentGraph('checkpoint').segments++;
}

/**
 * What `body` computes is not kept for the gradients but computed again on the way back: less memory for more work, with
 * the same bits (Chen et al. 2016, "Training deep nets with sublinear memory cost"). Inside another such part it is part
 * of that one.
 */
export function recomputed<T>(body: () => T): T {
  const graph = currentGraph('recomputed');
  if (graph.region) return body();
  graph.region = {};
  try {
    return body();
  } finally {
    graph.region = undefined;
  }
}

/**
 * Has `value` computed straight into `tensor`'s memory (a gradient into its arena) instead of into memory of the
 * program: operations called after the one that computes it find the new values there.
 * @throws ShapeError
 */
export function store(value: Operand, tensor: Tensor): void {
  currentGraph('store').store(value, tensor);
}
