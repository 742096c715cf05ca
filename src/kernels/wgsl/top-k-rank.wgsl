// Where along an axis the first k elements are, in their order (lib/order-key.wgsl), of equal ones the one at the lower
// position first: y[rank of an element] = its position, the rank being how many others come before it.
// x: [lines / stride, length, stride], 4 bytes of any dtype; y: [lines / stride, k, stride].
// Grid: one invocation per element of x, which compares it with all of its line.
// storage: 4 bytes or f16
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::order_key::orderKey;
import package::lib::word::Word;
import package::lib::word::bitsOf;
@if(f16) enable f16;

struct Params {
  sizePerSample: u32,
  length: u32,
  stride: u32,
  k: u32,
  dtype: u32,
  order: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Word>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

const THREADS = 64u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = linearIndex(group, local, THREADS);
  if (index >= live.rows * params.sizePerSample) {
    return;
  }
  let stride = params.stride;
  let outer = index / stride / params.length;
  let at = index / stride % params.length;
  let key = orderKey(bitsOf(x[index]), params.dtype, params.order);
  var other = outer * params.length * stride + index % stride;
  var rank = 0u;
  for (var i = 0u; i < params.length; i++) {
    let otherKey = orderKey(bitsOf(x[other]), params.dtype, params.order);
    rank += u32(otherKey > key || (otherKey == key && i < at));
    other += stride;
  }
  if (rank < params.k) {
    y[(outer * params.k + rank) * stride + index % stride] = at;
  }
}
