/** Names with a line each, for `--help`. */
export const named = (lines: Readonly<Record<string, string>>): string =>
  Object.entries(lines)
    .map(([name, line]) => `${name} (${line})`)
    .join(', ');
