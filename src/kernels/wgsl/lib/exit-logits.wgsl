// Logits as memory holds them: a word is one f32, or two f16 of which the lower half comes first. A row begins with a
// word of its own, so that the last one of an odd number of halves has one to spare.
import package::lib::exit_scores::RunningScores;
import package::lib::exit_scores::addLogit;
import package::lib::exit_settings::settings;
@if(half) import package::lib::float_bits::EXPONENT_BITS;

@if(half) const PER_WORD = 2u;
@else const PER_WORD = 1u;

fn wordsOf(classes: u32) -> u32 {
  return (classes + PER_WORD - 1) / PER_WORD;
}

// Takes in the logits of a row's word `at`.
fn addWord(running: RunningScores, word: u32, at: u32, classes: u32) -> RunningScores {
  @if(half) {
    let label = 2 * at;
    let first = addLogit(running, widened(word & 0xffff), settings.inverseTemperature, label);
    if (label + 1 == classes) {
      return first;
    }
    return addLogit(first, widened(word >> 16), settings.inverseTemperature, label + 1);
  }
  @else {
    return addLogit(running, word, settings.inverseTemperature, at);
  }
}

// The bits of an f16 as those of an f32. NaN and infinity are found before any arithmetic; which of them it was, nobody
// asks.
@if(half)
fn widened(bits: u32) -> u32 {
  if ((bits & 0x7c00) == 0x7c00) {
    return EXPONENT_BITS;
  }
  return bitcast<u32>(unpack2x16float(bits).x);
}
