import { parseArgs } from 'node:util';

/**
 * What stands behind `npm run bench:peers --`; read before anything is installed.
 * @param {string[]} args
 * @throws {Error} for flags that are none, or out of range
 */
export function readOptions(args) {
  const { values, positionals: filters } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      browser: { type: 'boolean', default: false },
      memory: { type: 'boolean', default: false },
      passes: { type: 'string', default: '3' },
      json: { type: 'string' },
    },
  });
  const passes = Number(values.passes);
  if (!(Number.isInteger(passes) && passes > 0)) {
    throw new Error(`bench:peers: expected --passes of 1 or more, got '${values.passes}'`);
  }
  if (values.browser && values.memory) throw new Error('bench:peers: expected --memory in Node, got --browser too');
  return { browser: values.browser, memory: values.memory, json: values.json, passes, filters };
}
