// Batch normalisation by given statistics: (x - mean) * scale / sqrt(variance + epsilon) + shift.
struct Normalization {
  center: f32,
  factor: f32,
  offset: f32,
}

fn normalizationOf(mean: f32, variance: f32, epsilon: f32, scale: f32, shift: f32) -> Normalization {
  return Normalization(mean, scale / sqrt(variance + epsilon), shift);
}

fn normalized(x: f32, channel: Normalization) -> f32 {
  return (x - channel.center) * channel.factor + channel.offset;
}
