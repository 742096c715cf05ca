// Whether a row is sure enough to leave: measures compared with thresholds, joined by and / or. The steps are in
// postfix order and leave their answers on a stack of bits, so that criteria compose without a kernel of their own.
// A criterion written by hand takes the place of this module.
import package::lib::exit_scores::ExitScores;
import package::lib::exit_settings::settings;

// A threshold for each label, for steps that ask for it.
@group(0) @binding(1) var<storage, read> classThresholds: array<f32>;

// What a step does: compares a measure, or joins the two answers before it.
const CONFIDENCE = 0u;
const MARGIN = 1u;
const ENTROPY = 2u;
const STREAK = 3u;
const CHANGE = 4u;
const GATE = 5u;
const EXIT = 6u;
const AND = 7u;
const OR = 8u;
const HALTING = 9u;
// Added to a measure: true below the threshold instead of above it.
const BELOW = 16u;
// Added to a measure: the threshold is that of the row's label.
const PER_CLASS = 32u;

fn measure(kind: u32, s: ExitScores) -> f32 {
  switch (kind) {
    case CONFIDENCE: { return s.confidence; }
    case MARGIN: { return s.margin; }
    case ENTROPY: { return s.entropy; }
    case STREAK: { return f32(s.streak); }
    case CHANGE: { return s.change; }
    case HALTING: { return s.halting; }
    case GATE: {
      return settings.gate[0] + settings.gate[1] * s.confidence + settings.gate[2] * s.margin +
        settings.gate[3] * s.entropy + settings.gate[4] * f32(s.exit);
    }
    default: { return f32(s.exit); }
  }
}

fn isSure(s: ExitScores) -> bool {
  var answers = 0u;
  for (var i = 0u; i < settings.steps; i++) {
    let step = settings.step[i];
    if ((step & 15) == AND) {
      answers = (answers >> 1) & (answers | ~1u);
    } else if ((step & 15) == OR) {
      answers = (answers >> 1) | (answers & 1);
    } else {
      var threshold = settings.threshold[i];
      if ((step & PER_CLASS) != 0) {
        threshold = classThresholds[s.label];
      }
      let value = measure(step & 15, s);
      let passes = select(value > threshold, value < threshold, (step & BELOW) != 0);
      answers = (answers << 1) | u32(passes);
    }
  }
  return (answers & 1) == 1;
}
