import { ArgumentError, NoGradientError } from '../errors.ts';
import { currentGraph } from '../graph/trace.ts';
import type { Graph, Node, TracedValue } from '../graph/trace.ts';
import { add } from '../kernels/binary.ts';
import { constant } from '../kernels/define.ts';
import type { GradientRule, Operand, Value } from '../kernels/define.ts';
import { describe, sizeOf } from '../tensor/spec.ts';

/**
 * Reverse-mode differentiation: appends to the trace the operations that compute d loss / d parameter, for each parameter;
 * `undefined` where the loss does not depend on it.
 * The walk goes once over the nodes from the loss back; only what lies between the parameters and the loss is differentiated.
 *
 * @param loss a scalar of the trace under way
 * @throws NoGradientError if the way to a parameter passes an operation without a gradient
 * @throws ArgumentError if the loss is no scalar
 */
export function gradients(loss: Value, parameters: readonly Operand[]): (Value | undefined)[] {
  const graph = currentGraph('gradients');
  const target = graph.lift(loss, 'gradients');
  if (loss.dtype !== 'f32' || sizeOf(loss.shape) !== 1 || loss.rows) {
    throw new ArgumentError(`gradients: expected a scalar loss f32[1], got ${describe(loss)}; take its mean({ x }) first`);
  }
  const targets = parameters.map((parameter) => graph.lift(parameter, 'gradients'));

  const dependent = new Set<TracedValue>(targets);
  for (const { inputs, outputs } of graph.nodes) {
    if (Object.values(inputs).some((value) => dependent.has(value))) {
      for (const value of Object.values(outputs)) dependent.add(value);
    }
  }

  const again = new Recomputation(graph);
  const grads = new Map<TracedValue, Value>([[target, constant(loss, new Float32Array([1]))]]);
  const reachedFrom = new Map<Node, Node | undefined>();
  // A copy: gradient rules append to the very list that is walked.
  for (const node of [...graph.nodes].reverse()) {
    const outputs = Object.entries(node.outputs).flatMap(([name, value]) => {
      const grad = grads.get(value);
      return grad ? [[`d${name}`, grad] as const] : [];
    });
    const wanted = Object.entries(node.inputs).filter(([, value]) => dependent.has(value));
    if (outputs.length === 0 || wanted.length === 0) continue;
    const values = { ...again.valuesOf(node), ...Object.fromEntries(outputs) };
    const { gradient, name: op } = node.op;
    if (wanted.some(([, value]) => value.dtype === 'f16')) {
      throw new NoGradientError(`${op}: has no gradient in f16, which is for inference; reached by ${path(node, reachedFrom)}`);
    }
    if ('none' in gradient) throw new NoGradientError(`${op}: has no gradient (${gradient.none}); reached by ${path(node, reachedFrom)}`);
    const rules = (gradient as GradientRule<Record<string, Operand>, string, unknown>)(values as never, node.attributes);
    for (const [name, value] of wanted) {
      const rule = rules[name];
      if (!rule) throw new NoGradientError(`${op}: has no gradient for its input '${name}'; reached by ${path(node, reachedFrom)}`);
      const grad = rule();
      if (!grad) continue;
      const earlier = grads.get(value);
      grads.set(value, earlier ? add({ a: earlier, b: grad }) : grad);
      if (value.node && !reachedFrom.has(value.node)) reachedFrom.set(value.node, node);
    }
  }

  return targets.map((value) => grads.get(value));
}

/** `exp <- mul <- mean`, from the operation to the loss. */
function path(node: Node, reachedFrom: ReadonlyMap<Node, Node | undefined>): string {
  const names: string[] = [];
  for (let at: Node | undefined = node; at; at = reachedFrom.get(at)) names.push(at.op.name);
  return names.join(' <- ');
}

/** Traces parts that were to be computed again a second time, each when the way back first comes to it. */
class Recomputation {
  readonly #graph: Graph;
  /** What stands for a value of the first time, by region. */
  readonly #regions = new Map<object, Map<TracedValue, TracedValue>>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** What a gradient rule takes for the inputs and outputs of a node. */
  valuesOf({ region, inputs, outputs }: Node): Record<string, Value> {
    const values = { ...inputs, ...outputs };
    if (!region) return values;
    const second = this.#second(region);
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, second.get(value) ?? value]));
  }

  #second(region: object): ReadonlyMap<TracedValue, TracedValue> {
    const known = this.#regions.get(region);
    if (known) return known;
    const second = new Map<TracedValue, TracedValue>();
    this.#regions.set(region, second);
    for (const { op, inputs, outputs, attributes } of this.#graph.nodes.filter((node) => node.region === region)) {
      // What has no result has changed something, and once is enough.
      if (Object.keys(outputs).length === 0) continue;
      const given = Object.entries(inputs).map(([name, value]) => [name, second.get(value) ?? value]);
      const made = this.#graph.emit(op, Object.fromEntries(given), attributes);
      for (const [name, value] of Object.entries(outputs)) second.set(value, made[name] as TracedValue);
    }
    return second;
  }
}
