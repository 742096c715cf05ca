// The product of lib/product where A is one row, m = 1, that lies along k; k is a multiple of 4, and so is n unless B
// lies along k, BY_COLUMNS. Without sums.
// Grid: four columns of n for each invocation, then [1, batch]. It takes 4 x 4 elements of B at a time, in four loads
// of four that lie side by side.
// storage: f32 or f16
import package::lib::number::Number;
import package::lib::number::Numbers;
import package::lib::product::FOUR;
import package::lib::product::c;
import package::lib::product::finish;
import package::lib::product::params;
import package::lib::product::samplesAlong;
import package::lib::product::startsOf;
@if(f16) enable f16;

@group(0) @binding(0) var<storage, read> a: array<Numbers>;
@group(0) @binding(1) var<storage, read> b: array<Numbers>;

override BY_COLUMNS: bool = false;

const THREADS = 32u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let matrix = group.z;
  let n = params.n;
  let column = (group.x * THREADS + local) * 4;
  if (matrix >= params.batch * samplesAlong(0) || samplesAlong(1) == 0 || column >= n) {
    return;
  }
  // Where four columns of B begin, or the first four of its rows at these columns.
  let columns = min(column + FOUR, vec4u(n - 1)) * params.bStrides.y;
  let rows = column + FOUR * params.bStrides.x;
  let starts = startsOf(matrix);
  let aAt = starts.x / 4;
  let bAt = (starts.y + select(rows, columns, BY_COLUMNS)) / 4;

  var sum = vec4f();
  for (var i = 0u; i < params.k / 4; i++) {
    let four = vec4f(a[aAt + i]);
    // The next four of each column are one vec4 on, the next four rows n of them: k's stride in both cases.
    let at = bAt + i * params.bStrides.x;
    var tile = mat4x4f(vec4f(b[at.x]), vec4f(b[at.y]), vec4f(b[at.z]), vec4f(b[at.w]));
    if (BY_COLUMNS) {
      tile = transpose(tile);
    }
    sum = fma(four.xxxx, tile[0], sum);
    sum = fma(four.yyyy, tile[1], sum);
    sum = fma(four.zzzz, tile[2], sum);
    sum = fma(four.wwww, tile[3], sum);
  }
  for (var j = column; j < min(column + 4, n); j++) {
    let at = matrix * n + j;
    c[at] = Number(finish(sum[j - column], at, j));
  }
}
