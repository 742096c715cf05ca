// Stable compaction: order[k] = the k-th row that stays, next.rows = how many do; their origins move along. Where fewer
// than settings.regroupFrom leave, all rows stay where they are.
// stays, origin: u32[rows]; order, nextOrigin: u32[rows], the first next.rows of them meaningful. Grid: one workgroup;
// each invocation takes a run of neighbouring rows, a scan of the runs' counts says where its rows go.
import package::lib::exit_settings::settings;
import package::lib::live::Live;

const THREADS = 256u;

@group(0) @binding(1) var<storage, read> stays: array<u32>;
@group(0) @binding(2) var<storage, read> origin: array<u32>;
@group(0) @binding(3) var<storage, read_write> order: array<u32>;
@group(0) @binding(4) var<storage, read_write> nextOrigin: array<u32>;
@group(0) @binding(5) var<storage, read_write> next: Live;
@group(0) @binding(6) var<uniform> live: Live;

var<workgroup> counts: array<u32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) local: u32) {
  if (live.rows == 0) {
    if (local == 0) {
      next.rows = 0;
    }
    return;
  }
  let run = (live.rows + THREADS - 1) / THREADS;
  let first = min(local * run, live.rows);
  let end = min(first + run, live.rows);
  var count = 0u;
  for (var row = first; row < end; row++) {
    count += stays[row];
  }
  counts[local] = count;
  workgroupBarrier();
  for (var reach = 1u; reach < THREADS; reach *= 2) {
    var before = 0u;
    if (local >= reach) {
      before = counts[local - reach];
    }
    workgroupBarrier();
    counts[local] += before;
    workgroupBarrier();
  }
  let all = counts[THREADS - 1];
  let regroups = all == 0 || live.rows - all >= settings.regroupFrom;
  var at = select(first, counts[local] - count, regroups);
  for (var row = first; row < end; row++) {
    if (!regroups || stays[row] == 1) {
      order[at] = row;
      nextOrigin[at] = origin[row];
      at++;
    }
  }
  if (local == 0) {
    next.rows = select(live.rows, all, regroups);
  }
}
