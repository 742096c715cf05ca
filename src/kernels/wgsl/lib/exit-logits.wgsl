// The logits of an exit, read for their scores: a word of memory holds one f32, or two f16 of which the lower half is first.
// [rows, words of a row]; the last word of an odd number of halves has one to spare.
import package::lib::exit_scores::RunningScores;
import package::lib::exit_scores::addLogit;
import package::lib::exit_scores::noScores;
import package::lib::exit_settings::settings;
import package::lib::float_bits::EXPONENT_BITS;

@group(0) @binding(3) var<storage, read> logits: array<u32>;

@if(half) const PER_WORD = 2u;
@else const PER_WORD = 1u;

// The words of a row.
fn wordsOf(classes: u32) -> u32 {
  return (classes + PER_WORD - 1) / PER_WORD;
}

// Scores of the logits in the words first, first + step, ... below end, counted from the start of the row.
fn scoresOf(row: u32, classes: u32, first: u32, end: u32, step: u32) -> RunningScores {
  let start = row * wordsOf(classes);
  var running = noScores();
  for (var at = first; at < end; at += step) {
    let word = logits[start + at];
    @if(half) {
      running = addLogit(running, widened(word & 0xffff), settings.inverseTemperature, 2 * at);
      if (2 * at + 1 < classes) {
        running = addLogit(running, widened(word >> 16), settings.inverseTemperature, 2 * at + 1);
      }
    }
    @else {
      running = addLogit(running, word, settings.inverseTemperature, at);
    }
  }
  return running;
}

// The bits of an f16 as those of an f32. NaN and infinity are found before they are unpacked: what comes out is no finite
// number, and that is all that is asked of it.
@if(half)
fn widened(bits: u32) -> u32 {
  if ((bits & 0x7c00) == 0x7c00) {
    return EXPONENT_BITS;
  }
  return bitcast<u32>(unpack2x16float(bits).x);
}
