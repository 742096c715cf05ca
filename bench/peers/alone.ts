/**
 * `alone.ts PEER CASE`: a case in a fresh process. Prints how long it takes from opening the device to the first answer,
 * the most bytes in buffers until then, and the `distance` of `oracle.ts`. What has to be loaded before (JavaScript,
 * native libraries) is not counted.
 */
import { CASES } from './cases.ts';
import { peakBuffers } from './memory.ts';
import { distance, expectedResults } from './oracle.ts';
import { PEERS, providePageGpu } from './peers.ts';

const [name = '', caseName = ''] = process.argv.slice(2);
const load = PEERS[name];
if (!load) throw new Error(`alone: expected one of ${Object.keys(PEERS).join(', ')}, got '${name}'`);
const asked = CASES.find((each) => each.name === caseName);
if (!asked) throw new Error(`alone: expected the name of a case, got '${caseName}'`);
const gpu = providePageGpu();
const open = await load();
const work = asked.work();
const expected = expectedResults(work);
const began = performance.now();
const { value: results, peakBytes } = await peakBuffers(async () => {
  const prepared = await (await open(gpu)).prepare(work);
  return prepared.results();
});
const ms = performance.now() - began;
const apart = distance(results, expected);
if (!(apart <= asked.tolerance)) throw new Error(`wrong (max error ${apart.toExponential(1)})`);
console.log(JSON.stringify({ ms, peakBytes, distance: apart }));
process.exit(0);
