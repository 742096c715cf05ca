import type { Graph, Node, TracedValue } from '../trace.ts';

/** Where a value is used. */
interface Use {
  readonly node: Node;
  readonly input: string;
}

/**
 * Has operations take the one that alone uses their result into their own launches, where they know how (`absorb`): a
 * launch less, and a result that is never in memory. The two then stand where the first stood, so what the second takes
 * besides must be there by then.
 */
export function fuse(nodes: readonly Node[], graph: Graph): Node[] {
  const uses = usesOf(nodes);
  const kept = new Set([...graph.outputs.values(), ...graph.stored].map((value) => value.root));
  const position = new Map(nodes.map((node, index) => [node, index]));
  const absorbed = new Set<Node>();
  return nodes.flatMap((node, index) => {
    if (absorbed.has(node)) return [];
    const isThere = ({ origin, node: made }: TracedValue): boolean =>
      made ? position.get(made)! < index : origin.kind === 'input';
    let fused = node;
    for (;;) {
      const result = fused.outputs['y'];
      const [use, another] = (result && uses.get(result)) ?? [];
      if (!use || another || kept.has(result!) || use.node.segment !== node.segment) return [fused];
      const { op, inputs, attributes, outputs } = use.node;
      const next = { op: op.name, through: use.input, inputs, attributes };
      const taken = fused.op.absorb?.(next, fused.attributes);
      const besides = (taken?.inputs ?? {}) as Record<string, TracedValue>;
      if (!taken || !Object.values(besides).every(isThere)) return [fused];
      absorbed.add(use.node);
      fused = { ...fused, inputs: { ...fused.inputs, ...besides }, attributes: taken.attributes, outputs };
    }
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
