/** The shape that two have together, aligned at the last axis. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const [left, right] = [a, b].map((shape) => [...Array<number>(rank - shape.length).fill(1), ...shape]);
  return left!.map((length, axis) => (length === 1 ? right![axis]! : length));
}

/** Which element of `from` stands at element `index` of `shape`, to which `from` broadcasts. */
export function broadcastIndex(index: number, shape: readonly number[], from: readonly number[]): number {
  let [rest, at, stride] = [index, 0, 1];
  for (let back = 1; back <= from.length; back++) {
    const length = from[from.length - back]!;
    const coordinate = rest % shape[shape.length - back]!;
    rest = Math.floor(rest / shape[shape.length - back]!);
    at += length === 1 ? 0 : coordinate * stride;
    stride *= length;
  }
  return at;
}
