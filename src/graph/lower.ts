import { ShapeError } from '../errors.ts';
import type { AnyOp, Dispatch, Extent } from '../kernels/define.ts';
import { byteLengthOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { passes } from './passes/index.ts';
import type { PassName } from './passes/index.ts';
import { planMemory } from './plan.ts';
import type { Lifetime } from './plan.ts';
import { TracedValue } from './trace.ts';
import type { Graph, Node } from './trace.ts';
import { choosing } from './variants.ts';
import type { Chooser } from './variants.ts';

/** A launch in its place: which operation it belongs to, which segment. */
export interface Step {
  readonly dispatch: Dispatch;
  readonly op: string;
  readonly segment: number;
  /** Multiply-accumulates at the maximum of rows, where the operation knows them; all count for its first launch. */
  readonly macs: number;
}

/** Where a value's bytes are: something that exists (`origin` says what), or a buffer of the plan. */
export interface Lowered {
  readonly steps: readonly Step[];
  /** For each value that needs memory of the program: the index into `buffers`. */
  readonly planned: ReadonlyMap<TracedValue, number>;
  /** Bytes of each planned buffer. */
  readonly buffers: readonly number[];
  /** Bytes and count if every value had a buffer of its own. */
  readonly unplanned: { readonly bytes: number; readonly buffers: number };
}

/** WebGPU's default and usual limit of workgroups along one axis. */
export const MAX_WORKGROUPS = 65535;

export interface LowerOptions {
  /** `false` gives each value a buffer of its own. */
  readonly reuse?: boolean | undefined;
  /** Passes that are left out. */
  readonly without?: readonly PassName[] | undefined;
  /** Those that need no feature where left out. */
  readonly choose?: Chooser | undefined;
}

/** Turns nodes into launches, drops what nobody uses, and plans the memory of what remains. */
export function lower(graph: Graph, options: LowerOptions): Lowered {
  const { reuse = true, without = [], choose = choosing(new Set(), new Map()) } = options;
  let nodes: readonly Node[] = graph.nodes;
  for (const [name, pass] of Object.entries(passes)) {
    if (!without.includes(name as PassName)) nodes = pass(nodes, graph);
  }
  const lowered = nodes.map((node) => lowerNode(node, choose));
  const needed = neededNodes(nodes, graph, lowered);
  const steps: Step[] = [];
  nodes.forEach((node, index) => {
    if (!needed.has(node)) return;
    const { op, inputs, outputs, attributes, segment } = node;
    const macs = op.macs?.(inputs, outputs, attributes) ?? 0;
    lowered[index]!.forEach((dispatch, part) => {
      steps.push({ dispatch, op: op.name, segment, macs: part === 0 ? macs : 0 });
    });
  });

  const lifetimes = new Map<TracedValue, { bytes: number; first: number; last: number }>();
  steps.forEach(({ dispatch }, position) => {
    for (const value of boundValues(dispatch)) {
      const root = value.root;
      if (!needsMemory(root)) continue;
      const known = lifetimes.get(root);
      if (known) known.last = position;
      else lifetimes.set(root, { bytes: byteLengthOf(root), first: position, last: position });
    }
  });
  // An output is read after the run: nothing may take its place.
  for (const value of graph.outputs.values()) {
    const known = lifetimes.get(value.root);
    if (known) known.last = Infinity;
  }

  const values = [...lifetimes.keys()];
  const list: Lifetime[] = [...lifetimes.values()];
  const { buffers, assigned } = planMemory(list, reuse);
  return {
    steps,
    planned: new Map(values.map((value, index) => [value, assigned[index]!])),
    buffers,
    unplanned: { bytes: list.reduce((sum, { bytes }) => sum + bytes, 0), buffers: list.length },
  };
}

/** Scratch and results of operations; everything else already has memory, or gets some of its own. */
const needsMemory = (value: TracedValue): boolean =>
  !value.placed && (value.origin.kind === 'node' || value.origin.kind === 'scratch');

const boundValues = (dispatch: Dispatch): TracedValue[] =>
  Object.values(dispatch.bind).filter((bound): bound is TracedValue => bound instanceof TracedValue);

export function lowerNode(node: Node, choose: Chooser): Dispatch[] {
  const half = Object.values(node.inputs).some(({ dtype }) => dtype === 'f16') ? ' in f16' : '';
  const dispatches = node.op.lower(node.inputs, node.outputs, node.attributes, {
    scratch: (spec: Spec): TracedValue => new TracedValue(spec, { kind: 'scratch' }),
    choose: (shapes, variants) => choose(`${node.op.name}${half} ${shapes}`, variants),
  });
  for (const dispatch of dispatches) checkGrid(node.op, dispatch);
  return dispatches;
}

/** A node is needed if it changes something outside, or if a needed one (or an output) uses what it makes. */
function neededNodes(nodes: readonly Node[], graph: Graph, lowered: readonly Dispatch[][]): Set<Node> {
  const needed = new Set<Node>();
  const wanted = new Set<TracedValue>([...graph.outputs.values(), ...graph.stored]);
  for (let index = nodes.length - 1; index >= 0; index--) {
    const node = nodes[index]!;
    const used = Object.values(node.outputs).some((value) => wanted.has(value));
    if (!used && !lowered[index]!.some((dispatch) => changesOutside(dispatch, node))) continue;
    needed.add(node);
    for (const value of Object.values(node.inputs)) wanted.add(value);
  }
  return needed;
}

/** Writes to something that is not its own: a tensor, an input, the live count of rows. */
function changesOutside(dispatch: Dispatch, node: Node): boolean {
  return dispatch.kernel.storage.some(({ name, access }) => {
    if (access !== 'read_write') return false;
    const bound = dispatch.bind[name]!;
    if (bound.kind === 'live') return true;
    const { root } = bound as TracedValue;
    return root.origin.kind !== 'scratch' && !Object.values(node.outputs).includes(root);
  });
}

/** Workgroups along an axis for a number of live samples. */
const workgroups = (extent: Extent | undefined, live: number): number =>
  extent === undefined ? 1 : typeof extent === 'number' ? extent : Math.ceil((live * extent.perSample) / extent.tile);

export function gridFor({ grid }: Dispatch, live: number): [number, number, number] {
  if (!('folded' in grid)) return [workgroups(grid[0], live), workgroups(grid[1], live), workgroups(grid[2], live)];
  const total = workgroups(grid.folded, live);
  return [Math.min(total, MAX_WORKGROUPS), Math.ceil(total / MAX_WORKGROUPS), 1];
}

function checkGrid(op: AnyOp, dispatch: Dispatch): void {
  const grid = gridFor(dispatch, dispatch.rows?.max ?? 1);
  if (grid.some((count) => count > MAX_WORKGROUPS)) {
    throw new ShapeError(
      `${op.name}: needs a grid of ${grid.join(' x ')} workgroups, at most ${MAX_WORKGROUPS} along an axis; ` +
        'use a smaller batch',
    );
  }
}
