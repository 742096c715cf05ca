import type { Dispatch, Extent } from './define.ts';
import { Extents, indirectGridKernel } from './generated/indirect-grid.ts';
import { writeStruct } from './kernel.ts';

export { indirectGridKernel };

/** Bytes of one grid of an indirect dispatch. */
export const GRID_BYTES = 12;

/** Launches whose grids one invocation group computes. */
export const GRIDS_PER_WORKGROUP = indirectGridKernel.workgroupSize[0];

/** The grids of launches as the kernel reads them. */
export function extentsOf(dispatches: readonly Dispatch[]): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(Extents.size * dispatches.length));
  dispatches.forEach(({ grid }, index) => {
    const axes: readonly (Extent | undefined)[] = 'folded' in grid ? [grid.folded] : grid;
    const each = [0, 1, 2].map((axis) => {
      const extent = axes[axis] ?? 1;
      return typeof extent === 'number' ? { perSample: 0, tile: extent } : extent;
    });
    writeStruct(Extents, view, index * Extents.size, {
      perSample: each.map(({ perSample }) => perSample) as [number, number, number],
      tile: each.map(({ tile }) => tile) as [number, number, number],
      folded: Number('folded' in grid),
    });
  });
  return view.buffer;
}
