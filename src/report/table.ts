/** Columns as wide as they need, two spaces apart: the first to the left, numbers in the others to the right. */
export function table(rows: readonly (readonly string[])[], { indent = 0, gap = 3 } = {}): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!);
  return rows.map((row) => (' '.repeat(indent) + row.map(pad).join(' '.repeat(gap))).trimEnd()).join('\n');
}

/** `name   value` lines; a value that is too long goes on below itself. */
export function list(
  entries: readonly (readonly [name: string, value: string])[],
  { width = 80, gap = 2 } = {},
): string {
  const column = Math.max(...entries.map(([name]) => name.length)) + gap;
  const lines = entries.flatMap(([name, value]) =>
    wrap(value, width - column).map((line, index) => (index ? '' : name).padEnd(column) + line));
  return lines.join('\n');
}

/** Breaks text at spaces into lines of at most `width`; a longer word stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
