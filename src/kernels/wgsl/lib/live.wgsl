// How many samples of the batch are alive. A buffer of its own, written by the host or by an earlier dispatch;
// a kernel's live rows are `live.rows` times the rows its tensor has per sample.
struct Live {
  rows: u32,
}
