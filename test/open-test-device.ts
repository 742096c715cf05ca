import { afterAll, afterEach, expect } from 'vitest';
import { open } from '#exitgpu';

/**
 * Opens the device of a test file, to be awaited at its top: in Node on the adapter that the project names, in a
 * browser on the page's. A test fails if WebGPU reported an error while it ran; the device goes when the file ends.
 */
export async function openTestDevice(): Promise<Awaited<ReturnType<typeof open>>> {
  const adapter = globalThis.process?.env['EXITGPU_ADAPTER'];
  const device = await open(adapter ? { adapter } : {});
  let reported = 0;
  afterEach(async () => {
    // Errors come later than the calls that caused them, but before the work that was submitted next is done.
    await device.gpu.queue.onSubmittedWorkDone();
    const before = reported;
    reported = device.uncapturedErrors;
    expect(reported, 'errors that WebGPU reported').toBe(before);
  });
  afterAll(() => device.destroy());
  return device;
}
