// From scores to a decision and a record: the same in every kernel that checks an exit.
import package::lib::exit_criterion::isSure;
import package::lib::exit_record::ExitRecord;
import package::lib::exit_record::GO_ON;
import package::lib::exit_record::NOT_FINITE;
import package::lib::exit_record::records;
import package::lib::exit_scores::ExitScores;
import package::lib::exit_scores::RunningScores;
import package::lib::exit_scores::exitScores;
import package::lib::exit_settings::settings;
import package::lib::float_bits::isFiniteBits;
import package::lib::float_bits::notANumber;

// Whether the row that came from `origin` left at an exit whose rows were not regrouped.
fn hasLeft(origin: u32) -> bool {
  return settings.first == 0 && records[origin].decision != GO_ON;
}

// Decides for the row that came from `origin`, writes its record, and says whether it leaves.
fn decide(origin: u32, running: RunningScores, classes: u32) -> bool {
  return decideHalting(origin, running, classes, 0u);
}

// The same for a row with a halting score, of which `word` holds the bits: as those of logits, they are tested first.
fn decideHalting(origin: u32, running: RunningScores, classes: u32, word: u32) -> bool {
  var all = running;
  all.finite = running.finite && isFiniteBits(word);
  var scores = exitScores(all, settings.exit, classes);
  scores.halting = bitcast<f32>(word);
  if (settings.first == 0) {
    scores = withHistory(scores, records[origin]);
  }
  let leaving = settings.always == 1 || (scores.finite && isSure(scores));
  records[origin] = recordOf(scores, leaving);
  return leaving;
}

fn withHistory(scores: ExitScores, before: ExitRecord) -> ExitScores {
  var s = scores;
  if (s.finite && before.streak > 0) {
    s.streak = select(1u, before.streak + 1, before.label == s.label);
    s.change = abs(s.confidence - before.confidence);
  }
  return s;
}

fn recordOf(s: ExitScores, leaving: bool) -> ExitRecord {
  var record = ExitRecord(GO_ON, s.confidence, s.margin, s.entropy, s.label, s.exit, s.streak, s.halting);
  if (!s.finite) {
    let nan = notANumber();
    record = ExitRecord(GO_ON, nan, nan, nan, s.label | NOT_FINITE, s.exit, 0u, nan);
  }
  if (leaving) {
    record.decision = record.label;
  }
  return record;
}
