// What kernels keep of elements of any dtype, one or four, whose bits move.
@if(f16) alias Word = f16;
@else alias Word = u32;
@if(f16) alias Words = vec4h;
@else alias Words = vec4u;

// The element that the host gives as bits.
fn wordOf(bits: u32) -> Word {
  @if(f16) { return bitcast<vec2<f16>>(bits).x; }
  @else { return bits; }
}

// The bits of an element; of an f16 those of the same number as f32.
fn bitsOf(word: Word) -> u32 {
  @if(f16) { return bitcast<u32>(f32(word)); }
  @else { return word; }
}
