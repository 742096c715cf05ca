// What kernels keep of floating-point numbers, one or four; they compute in f32.
@if(f16) alias Number = f16;
@else alias Number = f32;
@if(f16) alias Numbers = vec4h;
@else alias Numbers = vec4f;
