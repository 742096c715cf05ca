import { ExitGpuError, NoAdapterError } from '../node.ts';
import { UsageError } from './usage-error.ts';

export const EXIT_CODES = { failed: 1, usage: 2, noAdapter: 3, interrupted: 130 } as const;

/** Says on one line what went wrong (with EXITGPU_DEBUG set, all of it) and returns the exit code for it. */
export function reportFailure(error: unknown): number {
  const message = error instanceof Error ? error.message || error.name : String(error);
  const unexpected = !(error instanceof ExitGpuError || error instanceof UsageError);
  const line = `exitgpu: ${unexpected ? 'unexpected: ' : ''}${message.trim().replace(/\s*\n\s*/g, ' ')}`;
  console.error(process.env['EXITGPU_DEBUG'] ? error : unexpected ? `${line} (EXITGPU_DEBUG=1 shows where)` : line);
  if (error instanceof UsageError) return EXIT_CODES.usage;
  return error instanceof NoAdapterError ? EXIT_CODES.noAdapter : EXIT_CODES.failed;
}
