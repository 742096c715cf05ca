// What `scatter-links` and `scatter-add` share.
struct Params {
  sizePerSample: u32,
  count: u32,
  behind: u32,
  length: u32,
  // 1 if negative indices count from the end
  isSigned: u32,
}

// How the one tells the other what to add up: the next position in the low bits.
const LATER = 0x80000000u;
const NONE = 0x7fffffffu;
