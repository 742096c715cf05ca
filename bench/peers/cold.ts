/**
 * `cold.ts PEER`: a fresh process, and how long it takes from opening the device to the first answer of LeNet. Prints
 * `{ ms, distance }`, the second as of `oracle.ts`. What has to be loaded before (JavaScript, native libraries) is not
 * counted.
 */
import { COLD } from './cases.ts';
import { distance, expectedResults } from './oracle.ts';
import { PEERS, providePageGpu } from './peers.ts';

const name = process.argv[2] ?? '';
const load = PEERS[name];
if (!load) throw new Error(`cold: expected one of ${Object.keys(PEERS).join(', ')}, got '${name}'`);
const gpu = providePageGpu();
const open = await load();
const work = COLD.work();
const expected = expectedResults(work);
const began = performance.now();
const prepared = await (await open(gpu)).prepare(work);
const results = await prepared.results();
const ms = performance.now() - began;
const apart = distance(results, expected);
if (!(apart <= COLD.tolerance)) throw new Error(`wrong (max error ${apart.toExponential(1)})`);
console.log(JSON.stringify({ ms, distance: apart }));
process.exit(0);
