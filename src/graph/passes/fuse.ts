import type { AnyOp } from '../../kernels/define.ts';
import type { Graph, Node, TracedValue } from '../trace.ts';

/** Where a value is used. */
interface Use {
  readonly node: Node;
  readonly input: string;
}

/**
 * Has operations take the one that alone uses their result into their own launches, where either knows how (`absorb`, `takes`): a
 * launch less, and a result that is never in memory. The two then stand where the first stood, so what the second takes
 * besides must be there by then.
 */
export function fuse(nodes: readonly Node[], graph: Graph): readonly Node[] {
  const fused = fuseOnce(nodes, graph);
  // What two became may be what another was waiting for.
  return fused.length < nodes.length ? fuse(fused, graph) : fused;
}

function fuseOnce(nodes: readonly Node[], graph: Graph): Node[] {
  const uses = usesOf(nodes);
  const kept = new Set([...graph.outputs.values(), ...graph.stored].map((value) => value.root));
  const position = new Map(nodes.flatMap(({ outputs }, index) =>
    Object.values(outputs).map((value) => [value, index] as const)));
  const absorbed = new Set<Node>();
  return nodes.flatMap((node, index) => {
    if (absorbed.has(node)) return [];
    const result = node.outputs['y'];
    const [use, another] = (result && uses.get(result)) ?? [];
    if (!use || another || kept.has(result!) || use.node.segment !== node.segment) return [node];
    const { op, inputs, attributes, outputs } = use.node;
    // The memory of a tensor may be read by the first, or in between.
    if (Object.values(outputs).some(({ placed }) => placed)) return [node];
    const next = { op: op.name, through: use.input, inputs, attributes };
    const before = { op: node.op.name, inputs: node.inputs, attributes: node.attributes };
    const absorbs = node.op.absorb?.(next, node.attributes, node.inputs);
    const taken = absorbs ?? op.takes?.(before, use.input, attributes, inputs);
    if (!taken) return [node];
    const given = (taken.inputs ?? {}) as Readonly<Record<string, TracedValue>>;
    const besides = Object.values(given).filter((value) => !Object.values(node.inputs).includes(value));
    const follows = nodes.slice(index + 1).find(({ op: { view } }) => view !== 'unchanged') === use.node;
    const isThere = (value: TracedValue): boolean =>
      value.node ? position.get(value)! < index : value.origin.kind === 'input';
    if (!follows && !besides.every(isThere)) return [node];
    absorbed.add(use.node);
    const by = (taken.op as AnyOp | undefined) ?? (absorbs ? node.op : op);
    const all = absorbs ? { ...node.inputs, ...given } : given;
    return [{ ...node, op: by, inputs: all, attributes: taken.attributes, outputs }];
  });
}

/** Where the memory of each value is used, under whatever shape; to change it in place is a use. */
function usesOf(nodes: readonly Node[]): Map<TracedValue, Use[]> {
  const uses = new Map<TracedValue, Use[]>();
  for (const node of nodes) {
    if (node.op.view === 'unchanged') continue;
    for (const [input, { root }] of Object.entries(node.inputs)) {
      uses.set(root, [...(uses.get(root) ?? []), { node, input }]);
    }
  }
  return uses;
}
