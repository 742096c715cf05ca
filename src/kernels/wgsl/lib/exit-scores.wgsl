// The scores that exits decide by, in one pass over the classes. With m the greatest logit, s = sum exp(z - m) and
// t = sum (z - m) exp(z - m): confidence = 1 / s, entropy = log s - t / s (nats), margin = (1 - exp(second - m)) / s.
// s and t are rescaled whenever a greater logit turns up. Non-finite logits take no part and are flagged.
import package::lib::float_bits::isFiniteBits;
import package::lib::softmax_weight::VANISHING;

struct RunningScores {
  greatest: f32,
  second: f32,
  s: f32,
  t: f32,
  label: u32,
  finite: bool,
  // No finite logit yet.
  empty: bool,
}

struct ExitScores {
  label: u32,
  // The greatest probability.
  confidence: f32,
  // The greatest probability minus the second.
  margin: f32,
  // In nats.
  entropy: f32,
  // False if any logit, or the halting score, is NaN or infinite; such a row never exits early.
  finite: bool,
  // Exits in a row, this one included, that gave this label.
  streak: u32,
  // How far the confidence is from that of the exit before; LARGEST at the first exit.
  change: f32,
  // Counted from 1.
  exit: u32,
  classes: u32,
  // The probability of having halted by this exit, as the network computed it; 0 of networks that compute none.
  halting: f32,
}

const LARGEST = 3.0e38f;

fn noScores() -> RunningScores {
  return RunningScores(-LARGEST, -LARGEST, 0.0, 0.0, 0u, true, true);
}

// `word` holds the bits of the logit: they are tested before any arithmetic.
fn addLogit(running: RunningScores, word: u32, inverseTemperature: f32, label: u32) -> RunningScores {
  var r = running;
  if (!isFiniteBits(word)) {
    r.finite = false;
    return r;
  }
  let z = clamp(bitcast<f32>(word) * inverseTemperature, -LARGEST, LARGEST);
  // One exp() and no branch for a greater logit: software adapters, and rows side by side, would run both sides of it.
  let isGreater = r.empty || z > r.greatest;
  let shift = max(-abs(z - r.greatest), VANISHING);
  let weight = exp(shift);
  r.t = select(r.t + shift * weight, (r.t + r.s * shift) * weight, isGreater);
  r.s = select(r.s + weight, r.s * weight + 1.0, isGreater);
  r.second = max(r.second, min(r.greatest, z));
  r.greatest = max(r.greatest, z);
  r.label = select(r.label, label, isGreater);
  r.empty = false;
  return r;
}

// Scores of two disjoint sets of classes, put together; of equal greatest logits the lower label wins.
fn mergeScores(a: RunningScores, b: RunningScores) -> RunningScores {
  var high = a;
  var low = b;
  if (a.empty || (!b.empty && (b.greatest > a.greatest || (b.greatest == a.greatest && b.label < a.label)))) {
    high = b;
    low = a;
  }
  var r = high;
  r.finite = a.finite && b.finite;
  if (!low.empty) {
    let shift = max(low.greatest - high.greatest, VANISHING);
    let scale = exp(shift);
    r.s = high.s + low.s * scale;
    r.t = high.t + (low.t + low.s * shift) * scale;
    r.second = max(high.second, low.greatest);
  }
  return r;
}

fn exitScores(r: RunningScores, exit: u32, classes: u32) -> ExitScores {
  let s = max(r.s, 1.0);
  let margin = (1.0 - exp(max(r.second - r.greatest, VANISHING))) / s;
  let entropy = max(0.0, log(s) - r.t / s);
  return ExitScores(r.label, 1.0 / s, margin, entropy, r.finite, u32(r.finite), LARGEST, exit, classes, 0.0);
}
