// What a row's probabilities are compared with: 1 for its label, else 0, of which a share `smoothing` is spread evenly
// over all classes. Without smoothing exactly 1 and 0.
fn smoothedTarget(c: u32, label: u32, smoothing: f32, classes: u32) -> f32 {
  return select(0.0, 1.0 - smoothing, c == label) + smoothing / f32(classes);
}
