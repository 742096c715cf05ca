/**
 * A kernel that never ends blocks the thread that destroys its device, and no timeout of that thread fires any more.
 * The thread made here then ends the process; the run reports the file and goes on with the others.
 */
import { Worker } from 'node:worker_threads';
import { expect } from 'vitest';

const limitSeconds = 60;
const heartbeat = new Int32Array(new SharedArrayBuffer(4));

const source = `
  const { writeSync } = require('node:fs');
  const { heartbeat, limitSeconds, file } = require('node:worker_threads').workerData;
  let last = -1;
  setInterval(() => {
    if (heartbeat[0] === last) {
      // console.error would go by way of the thread that is blocked.
      writeSync(2, file + ' is blocked for ' + limitSeconds + ' s: ending its process\\n');
      process.kill(process.pid, 'SIGKILL');
    }
    last = heartbeat[0];
  }, limitSeconds * 1000);
`;

new Worker(source, { eval: true, workerData: { heartbeat, limitSeconds, file: expect.getState().testPath } }).unref();
setInterval(() => Atomics.add(heartbeat, 0, 1), 1000).unref();
