// tanh(ln(1 + e^x)), the gate of mish: ((1 + e^x)^2 - 1) / ((1 + e^x)^2 + 1), by e^-|x| so that nothing overflows.
import package::lib::exponential::exponential;

fn tanhOfSoftplus(x: f32) -> f32 {
  let e = exponential(-abs(x));
  let positive = fma(2.0, e, 1.0);
  let negative = e * (e + 2.0);
  let square = e * e;
  return select(negative / (negative + 2.0), positive / fma(2.0, square, positive), x >= 0.0);
}
