// What a kernel of rows takes from memory at a time: a number, or with `quads` a vector of four side by side.
import package::lib::softmax_weight::softmaxWeight;
import package::lib::softmax_weight::LOWEST;

@if(quads) alias Element = vec4f;
@else alias Element = f32;

fn greatestOf(v: Element) -> f32 {
  @if(quads) {
    return max(max(v.x, v.y), max(v.z, v.w));
  }
  @else {
    return v;
  }
}

// The greatest of those that greatestOf leaves.
fn secondOf(v: Element) -> f32 {
  @if(quads) {
    let greater = max(v.xy, v.zw);
    let lesser = min(v.xy, v.zw);
    return max(min(greater.x, greater.y), max(lesser.x, lesser.y));
  }
  @else {
    return LOWEST;
  }
}

fn totalOf(v: Element) -> f32 {
  @if(quads) {
    return (v.x + v.z) + (v.y + v.w);
  }
  @else {
    return v;
  }
}

fn weightOf(v: Element, maximum: f32) -> Element {
  @if(quads) {
    return vec4f(
      softmaxWeight(v.x, maximum),
      softmaxWeight(v.y, maximum),
      softmaxWeight(v.z, maximum),
      softmaxWeight(v.w, maximum),
    );
  }
  @else {
    return softmaxWeight(v, maximum);
  }
}
