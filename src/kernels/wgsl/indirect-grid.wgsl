// Grids of later launches, from a count that only the GPU knows: what gridFor computes on the host.
// extents: one Extents per launch; grids: u32[launches, 3], for indirect dispatches; all zero where no row is alive.
// Grid: one invocation per launch.
import package::lib::grid::FOLD;
import package::lib::live::Live;

struct Extents {
  // Per axis: workgroups for `tile` elements out of `perSample` per live row; or 0 and a fixed number of them.
  perSample: array<u32, 3>,
  tile: array<u32, 3>,
  // 1 if x is one long axis, folded to x and y.
  folded: u32,
}

@group(0) @binding(0) var<storage, read> extents: array<Extents>;
@group(0) @binding(1) var<storage, read_write> grids: array<u32>;
@group(0) @binding(2) var<uniform> live: Live;

fn workgroups(launch: u32, axis: u32) -> u32 {
  let tile = extents[launch].tile[axis];
  let perSample = extents[launch].perSample[axis];
  return select((live.rows * perSample + tile - 1) / tile, tile, perSample == 0);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let launch = id.x;
  if (launch >= arrayLength(&extents)) {
    return;
  }
  var grid = vec3u(workgroups(launch, 0), workgroups(launch, 1), workgroups(launch, 2));
  if (extents[launch].folded == 1) {
    grid = vec3u(min(grid.x, FOLD), (grid.x + FOLD - 1) / FOLD, 1);
  }
  if (live.rows == 0) {
    grid = vec3u(0);
  }
  grids[launch * 3] = grid.x;
  grids[launch * 3 + 1] = grid.y;
  grids[launch * 3 + 2] = grid.z;
}
