// erf(x) = 2 / sqrt(pi) integral of exp(-t^2) from 0 to x, to a unit or two in the last place: two polynomials, the
// second one for ln(1 - erf), by N. Juffa, https://stackoverflow.com/questions/35148198
import package::lib::exponential::exponential;

fn errorFunction(x: f32) -> f32 {
  // Beyond 4 it is 1.
  let t = min(abs(x), 4.0);
  let square = t * t;
  if (t < 0.927734375) {
    var p = -5.96761703e-4;
    p = fma(p, square, 4.99119423e-3);
    p = fma(p, square, -2.67681349e-2);
    p = fma(p, square, 1.12819925e-1);
    p = fma(p, square, -3.76125336e-1);
    p = fma(p, square, 1.28379166e-1);
    return fma(p, x, x);
  }
  var p = fma(-1.72853470e-5, t, 3.83197126e-4);
  p = fma(p, square, fma(-3.88396438e-3, t, 2.42546219e-2));
  p = fma(p, t, -1.06777877e-1);
  p = fma(p, t, -6.34846687e-1);
  p = fma(p, t, -1.28717512e-1);
  return sign(x) * (1.0 - exponential(fma(p, t, -t)));
}
