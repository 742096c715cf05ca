// What is known of a row, kept where the row came from in the batch: what the host reads, and what the next exit
// compares.
struct ExitRecord {
  // The label of a row that has left, else GO_ON. First, so that at batch 1 a read of 4 bytes is the decision.
  decision: u32,
  confidence: f32,
  margin: f32,
  entropy: f32,
  // The best answer so far, whether or not the row has left; with NOT_FINITE set if its logits and halting score were
  // not all finite.
  label: u32,
  // The exit that gave it, counted from 1.
  exit: u32,
  // Exits in a row that gave this label; 0 after logits that were not all finite.
  streak: u32,
  // The halting score at that exit; 0 of networks that compute none.
  halting: f32,
}

const GO_ON = 0xffffffffu;
const NOT_FINITE = 0x80000000u;

@group(0) @binding(2) var<storage, read_write> records: array<ExitRecord>;
