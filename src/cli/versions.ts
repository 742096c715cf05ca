import { createRequire } from 'node:module';
import packageJson from '../../package.json' with { type: 'json' };

export const { version } = packageJson;

/** What runs here. */
export function versions(): { exitgpu: string; webgpu: string; node: string } {
  return { exitgpu: version, webgpu: installed('webgpu'), node: process.versions.node };
}

function installed(name: string): string {
  try {
    return (createRequire(import.meta.url)(`${name}/package.json`) as { version: string }).version;
  } catch {
    return 'unknown';
  }
}
