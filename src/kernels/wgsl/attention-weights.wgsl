// Weights of attention: y = softmax over the keys of s, where s = scale x, then cap tanh(s / cap) if there is a cap,
// then plus the mask. Without SOFTMAX y is s.
// x, y: [batch, heads, queries, keys]; mask through strides, of numbers (f32) or of truth values; lengths: [batch].
// Query i stands at position p = i + offset, or i + lengths[batch] - queries, and sees the keys p - before .. p + after
// among the first lengths[batch], unless its mask is false or -Inf. What it does not see has s = -Inf and weight 0,
// whatever x holds there; a query that sees nothing has all weights 0. Otherwise as in softmax NaN or +Inf gives NaN.
// Grid: one invocation per row of keys and no barrier; of wide rows LANES, a divisor of THREADS, side by side. Which
// of them takes a key, and so the order of the sums, follows from its place.
// storage: f32 or f16
// variants: wide
import package::lib::activation::boundedTanh;
import package::lib::float_bits::infinity;
import package::lib::float_bits::isNanBits;
import package::lib::float_bits::NEGATIVE_INFINITY_BITS;
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::number::Number;
import package::lib::softmax_weight::rescaling;
import package::lib::softmax_weight::softmaxWeight;
import package::lib::softmax_weight::LOWEST;
@if(f16) enable f16;

struct Params {
  // Elements from one to the next along batch, heads, queries and keys.
  maskStrides: vec4u,
  rowsPerSample: u32,
  heads: u32,
  queries: u32,
  keys: u32,
  scale: f32,
  // 0: none
  cap: f32,
  offset: i32,
  before: i32,
  after: i32,
  // 0 none, 1 numbers, 2 truth values
  maskKind: u32,
  // 1 if there are any
  hasLengths: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read> mask: array<u32>;
@group(0) @binding(2) var<storage, read> lengths: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<Number>;
@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<uniform> live: Live;

override SOFTMAX: bool = true;

@if(wide) override LANES: u32 = 4;
@else const LANES = 1u;

const THREADS = 64u;

@if(wide) var<workgroup> maxima: array<f32, THREADS>;
@if(wide) var<workgroup> sums: array<f32, THREADS>;

// s of the element of x at `at`, whose mask is at `maskAt`.
fn scoreOf(at: u32, maskAt: u32) -> f32 {
  var score = params.scale * f32(x[at]);
  if (params.cap > 0.0 && !isNanBits(bitcast<u32>(score))) {
    score = params.cap * boundedTanh(score / params.cap);
  }
  if (params.maskKind == 0) {
    return score;
  }
  let given = mask[maskAt];
  if (params.maskKind == 1) {
    return select(score + bitcast<f32>(given), -infinity(), given == NEGATIVE_INFINITY_BITS);
  }
  return select(-infinity(), score, given != 0);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linearIndex(group, local / LANES, THREADS / LANES);
  let lane = local % LANES;
  let alive = row < live.rows * params.rowsPerSample;
  @if(!wide) {
    if (!alive) {
      return;
    }
  }
  let query = row % params.queries;
  let head = row / params.queries % params.heads;
  let batch = row / params.queries / params.heads;
  var offset = params.offset;
  var count = params.keys;
  if (params.hasLengths == 1) {
    count = min(count, lengths[batch]);
    offset = i32(lengths[batch]) - i32(params.queries);
  }
  let position = i32(query) + offset;
  let first = u32(max(position - params.before, 0));
  let behind = min(count, u32(max(position + params.after + 1, 0)));

  let start = row * params.keys;
  let maskStart = dot(params.maskStrides.xyz, vec3u(batch, head, query));
  // Those without a row go along to the barrier.
  let end = select(0, behind, alive);
  var maximum = LOWEST;
  var sum = 0.0;
  if (SOFTMAX) {
    for (var key = (first + LANES - 1 - lane) / LANES * LANES + lane; key < end; key += LANES) {
      let score = scoreOf(start + key, maskStart + key * params.maskStrides.w);
      if (score > maximum) {
        sum *= rescaling(maximum, score);
        maximum = score;
      }
      sum += softmaxWeight(score, maximum);
    }
    @if(wide) {
      maxima[local] = maximum;
      sums[local] = sum;
      workgroupBarrier();
      let ofRow = local - lane;
      for (var other = ofRow; other < ofRow + LANES; other++) {
        maximum = max(maximum, maxima[other]);
      }
      sum = 0.0;
      for (var other = ofRow; other < ofRow + LANES; other++) {
        sum += sums[other] * rescaling(maxima[other], maximum);
      }
    }
  }
  // Of nothing, weights of 0 are divided by it.
  let total = select(sum, 1.0, sum == 0.0);
  for (var key = lane; key < select(0, params.keys, alive); key += LANES) {
    var score = -infinity();
    if (key >= first && key < end) {
      score = scoreOf(start + key, maskStart + key * params.maskStrides.w);
    }
    if (SOFTMAX) {
      score = softmaxWeight(score, maximum) / total;
    }
    y[start + key] = Number(score);
  }
}
