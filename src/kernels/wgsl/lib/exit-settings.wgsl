// What the host sets at an exit, while programs run as they are.
struct ExitSettings {
  // Counted from 1.
  exit: u32,
  // 1 at the first exit of the program: there is no earlier record to look at.
  first: u32,
  // 1 where every row leaves: the last exit answers.
  always: u32,
  inverseTemperature: f32,
  // Rows are regrouped where at least so many leave; else those that left go on with the others, unheard.
  regroupFrom: u32,
  // Steps of the criterion in use.
  steps: u32,
  // The learned gate's bias and its weights of confidence, margin, entropy and exit, in this order.
  gate: array<f32, 5>,
  step: array<u32, 16>,
  threshold: array<f32, 16>,
}

@group(0) @binding(0) var<storage, read> settings: ExitSettings;
