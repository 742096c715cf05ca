import { note } from './console.ts';

/** One press can come twice: from the terminal, and passed on by npm. */
const SAME_PRESS_MS = 500;

/** Aborted by the first Ctrl-C; the second ends the process at once. */
export function interruptSignal(): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const ignore = (): void => void process.off('SIGINT', interrupt);
  const interrupt = (): void => {
    if (controller.signal.aborted) return;
    note('\nexitgpu: stopping after this step and saving what there is; Ctrl-C again to stop at once');
    controller.abort();
    // Without a listener the signal does again what it does to any process.
    setTimeout(ignore, SAME_PRESS_MS).unref();
  };
  process.on('SIGINT', interrupt);
  return { signal: controller.signal, [Symbol.dispose]: ignore };
}
