import type { Graph, Node } from '../trace.ts';
import { fuse } from './fuse.ts';

/** What makes a traced list of operations cheaper before it is lowered; results keep their bits. */
export const passes = { fuse } satisfies Record<string, (nodes: readonly Node[], graph: Graph) => readonly Node[]>;

export type PassName = keyof typeof passes;
