// The position that an index means along an axis of `length`: negative ones, of i32, count from the end. What is not
// below `length` is no position; a number that is negative still is not.
fn placeOf(word: u32, length: u32, isSigned: u32) -> u32 {
  return word + select(0u, length, isSigned == 1 && (word >> 31u) == 1);
}
