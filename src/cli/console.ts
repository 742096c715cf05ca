/** A line for people that is no result: on standard error, so that results can be piped. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}
