// The scores of a part of a row, on their way from one launch to the next.
import package::lib::exit_scores::RunningScores;

struct ExitPart {
  greatest: f32,
  second: f32,
  s: f32,
  t: f32,
  label: u32,
  // 1 if all its logits were finite, plus 2 if none was.
  flags: u32,
}

fn partOf(r: RunningScores) -> ExitPart {
  return ExitPart(r.greatest, r.second, r.s, r.t, r.label, u32(r.finite) | (u32(r.empty) << 1));
}

fn scoresOfPart(part: ExitPart) -> RunningScores {
  let finite = (part.flags & 1) != 0;
  let empty = (part.flags & 2) != 0;
  return RunningScores(part.greatest, part.second, part.s, part.t, part.label, finite, empty);
}
