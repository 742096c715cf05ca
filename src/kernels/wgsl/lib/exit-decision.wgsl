// What an exit check decides and writes down.
import package::lib::exit_scores::ExitScores;
import package::lib::float_bits::notANumber;

struct ExitSettings {
  // 0 entropy < threshold (nats), 1 confidence > threshold, 2 margin > threshold, 3 always (the last exit)
  criterion: u32,
  threshold: f32,
  inverseTemperature: f32,
  // Counted from 1.
  exit: u32,
}

// One row's answer. `label` first: at batch 1 a read of 4 bytes is the decision.
struct ExitRecord {
  label: u32,
  confidence: f32,
  margin: f32,
  entropy: f32,
  exit: u32,
}

// A row that goes on has this in place of its label.
const GO_ON = 0xffffffffu;
// Set in the label of a row whose logits were not all finite: only the last exit answers for such a row.
const NOT_FINITE = 0x80000000u;

const ALWAYS = 3u;

fn leave(scores: ExitScores, settings: ExitSettings) -> bool {
  switch (settings.criterion) {
    case 0u: { return scores.entropy < settings.threshold; }
    case 1u: { return scores.confidence > settings.threshold; }
    case 2u: { return scores.margin > settings.threshold; }
    default: { return false; }
  }
}

fn leaves(scores: ExitScores, settings: ExitSettings) -> bool {
  return settings.criterion == ALWAYS || (scores.finite && leave(scores, settings));
}

fn recordOf(scores: ExitScores, settings: ExitSettings, leaving: bool) -> ExitRecord {
  if (!leaving) {
    return ExitRecord(GO_ON, scores.confidence, scores.margin, scores.entropy, settings.exit);
  }
  if (!scores.finite) {
    let nan = notANumber();
    return ExitRecord(scores.label | NOT_FINITE, nan, nan, nan, settings.exit);
  }
  return ExitRecord(scores.label, scores.confidence, scores.margin, scores.entropy, settings.exit);
}
