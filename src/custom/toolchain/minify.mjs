/**
 * Takes the white space out of WGSL, which has no comments any more. A line break stays a line break, so that a message
 * of the GPU's compiler still shows one statement.
 */
export function minify(wgsl) {
  return (
    wgsl
      .replace(/\s*\n\s*/g, '\n')
      .replace(/[ \t]+/g, ' ')
      .replace(/ ?([(){}[\],;:@]) ?/g, '$1')
      // Between two words or two operators a space may keep apart what would otherwise be read as one.
      .replace(/(?<=[\w.]) (?=[^\w.\s])|(?<=[^\w.\s]) (?=[\w.])/g, '')
      .trim()
  );
}
