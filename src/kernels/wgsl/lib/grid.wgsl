// A dispatch takes at most 65,535 workgroups in x, so a longer grid is folded: x <= 65535, y = the rest.
const FOLD = 65535u;

// The position in the unfolded grid of invocation `local` of a workgroup of `threads`. The last row of the folded
// grid may reach beyond the end, so every kernel compares the index with its count.
fn linearIndex(group: vec3u, local: u32, threads: u32) -> u32 {
  return (group.y * FOLD + group.x) * threads + local;
}
