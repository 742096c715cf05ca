// Which elements of a row an invocation takes, and how those that share a row put together what they found. One takes
// a row alone, without a barrier; of wide rows LANES, a divisor of THREADS, side by side, share it, and the order of
// their sums follows from the places of the elements.
import package::lib::grid::linearIndex;

@if(wide || quads) override LANES: u32 = 16;
@else const LANES = 1u;

const THREADS = 64u;

@if(wide || quads) var<workgroup> shares: array<vec2f, 3 * THREADS>;

// The elements start, start + LANES, ... before end; none of a row that does not live, which goes along to barriers.
struct Part {
  row: u32,
  start: u32,
  end: u32,
}

fn partOf(group: vec3u, local: u32, rows: u32, width: u32) -> Part {
  let row = linearIndex(group, local / LANES, THREADS / LANES);
  return Part(row, row * width + local % LANES, select(0, (row + 1) * width, row < rows));
}

// The sum over those who share a row. `turn`: 0, 1 or 2, another each time, so that one barrier is enough.
fn together(share: vec2f, local: u32, turn: u32) -> vec2f {
  @if(wide || quads) {
    shares[turn * THREADS + local] = share;
    workgroupBarrier();
    let first = turn * THREADS + local / LANES * LANES;
    var sum = vec2f();
    for (var other = first; other < first + LANES; other++) {
      sum += shares[other];
    }
    return sum;
  }
  @else {
    return share;
  }
}
