import type { LiveCount } from '../kernels/define.ts';
import { perSample } from '../tensor/spec.ts';
import type { Launch, Program } from './program.ts';
import type { TracedValue } from './trace.ts';

/** What a launch has to do at least. */
export interface Work {
  /** Two for each multiply-accumulate, where the operation knows how many it makes; else 0. */
  readonly flops: number;
  /** Of the live rows bound: read and written once each, as if caches held all that is needed twice. */
  readonly bytes: number;
}

/** Of each launch of a program, for the rows of its latest run as far as the host knows. */
export function workOf<I extends string>(program: Program<I>): ReadonlyMap<Launch, Work> {
  const work = new Map<Launch, Work>();
  const made = new Set<TracedValue>();
  for (const launch of program.launches) {
    const { dispatch: { kernel, bind, rows }, live, macs } = launch;
    // By memory: what a variant does not use is bound to something that it does.
    const touched = new Map<object, number>();
    for (const { name, access } of kernel.storage) {
      const bound = bind[name] as TracedValue | LiveCount;
      const isNew = access === 'read_write' && isMadeHere(bound, made);
      const passes = access === 'read' || isNew ? 1 : 2;
      const memory = bound.kind === 'live' ? bound : bound.root;
      touched.set(memory, Math.max(touched.get(memory) ?? 0, passes * sizeIn(program, bound)));
    }
    const bytes = [...touched.values()].reduce((sum, size) => sum + size, 0);
    work.set(launch, { flops: (2 * macs * live.known) / (rows?.max ?? 1), bytes });
  }
  return work;
}

/** Bytes of the live rows. */
function sizeIn<I extends string>(program: Program<I>, bound: TracedValue | LiveCount): number {
  if (bound.kind === 'live') return 4;
  return 4 * perSample(bound) * (bound.rows ? program.live(bound.rows).known : 1);
}

/** Written for the first time in the run: what was there before is nobody's. */
function isMadeHere(bound: TracedValue | LiveCount, made: Set<TracedValue>): boolean {
  if (bound.kind === 'live') return true;
  const { root } = bound;
  if (made.has(root)) return false;
  made.add(root);
  return root.origin.kind === 'node' || root.origin.kind === 'scratch';
}
