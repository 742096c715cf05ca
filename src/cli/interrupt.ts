import { note } from './console.ts';

/** Aborted by the first Ctrl-C; the second ends the process at once. */
export function interruptSignal(): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const interrupt = (): void => {
    note('\nexitgpu: stopping after this step and saving what there is; Ctrl-C again to stop at once');
    controller.abort();
  };
  // Once: without a listener the signal does again what it does to any process.
  process.once('SIGINT', interrupt);
  return { signal: controller.signal, [Symbol.dispose]: () => void process.off('SIGINT', interrupt) };
}
