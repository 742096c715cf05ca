// What arithmetic can do: y[i] = the sum of eight chains z <- z * factor + summand of 8 * `rounds` steps each. No chain
// waits for another, and no compiler knows the factor. With 1/2 for both each has come to 1 in 4 rounds, in f16 too.
// x: [factor, summand]; y: [count].
// Grid: one invocation per element of y.
// variants: f16
import package::lib::grid::linearIndex;
@if(f16) enable f16;

@if(f16) alias Number = f16;
@else alias Number = f32;

struct Params {
  count: u32,
  rounds: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

const THREADS = 64u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let factor = vec4<Number>(Number(x[0]));
  let summand = vec4<Number>(Number(x[1]));
  // Others in each invocation, lest a compiler do the work once for all.
  var a = vec4<Number>(0, 1, 2, 3) + Number(local);
  var b = a + 4;
  for (var round = 0u; round < params.rounds; round++) {
    a = fma(a, factor, summand);
    b = fma(b, factor, summand);
    a = fma(a, factor, summand);
    b = fma(b, factor, summand);
    a = fma(a, factor, summand);
    b = fma(b, factor, summand);
    a = fma(a, factor, summand);
    b = fma(b, factor, summand);
    a = fma(a, factor, summand);
    b = fma(b, factor, summand);
    a = fma(a, factor, summand);
    b = fma(b, factor, summand);
    a = fma(a, factor, summand);
    b = fma(b, factor, summand);
    a = fma(a, factor, summand);
    b = fma(b, factor, summand);
  }
  let i = linearIndex(group, local, THREADS);
  if (i < params.count) {
    let both = a + b;
    y[i] = f32(both.x + both.y + both.z + both.w);
  }
}
