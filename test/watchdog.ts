/**
 * A kernel that never ends blocks the thread that destroys its device, and no timeout of that thread fires any more.
 * The thread made here then ends the process; the run reports the file and goes on with the others.
 */
import { Worker } from 'node:worker_threads';
import { expect } from 'vitest';

const limitSeconds = 60;

const source = `
  const { writeSync } = require('node:fs');
  const { parentPort, workerData: limitSeconds } = require('node:worker_threads');
  let heard = Date.now();
  let file;
  parentPort.on('message', (message) => {
    heard = Date.now();
    file = message;
  });
  setInterval(() => {
    if (Date.now() - heard < limitSeconds * 1000) return;
    // console.error would go by way of the thread that is blocked.
    writeSync(2, file + ' is blocked for ' + limitSeconds + ' s: ending its process\\n');
    process.kill(process.pid, 'SIGKILL');
  }, 1000);
`;

const watching = globalThis as { watchdog?: Worker };
if (!watching.watchdog) {
  const worker = new Worker(source, { eval: true, workerData: limitSeconds });
  worker.unref();
  watching.watchdog = worker;
  setInterval(() => worker.postMessage(expect.getState().testPath), 1000).unref();
}
