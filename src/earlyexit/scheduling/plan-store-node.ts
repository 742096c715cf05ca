import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlanStore } from './plan-store.ts';

/**
 * A file per key in a folder, which is made when something is kept. Files are named by a hash of the key, since names
 * of adapters hold slashes and more. A file is replaced as a whole: readers and other writers never see half of one.
 */
export function filePlanStore(folder: string): PlanStore {
  const pathOf = (key: string) => join(folder, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`);
  return {
    async get(key) {
      try {
        return await readFile(pathOf(key), 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async set(key, value) {
      await mkdir(folder, { recursive: true });
      const path = pathOf(key);
      const unfinished = `${path}.${randomUUID()}.tmp`;
      try {
        await writeFile(unfinished, value, { flag: 'wx' });
        await rename(unfinished, path);
      } catch (error) {
        await rm(unfinished, { force: true });
        throw error;
      }
    },
  };
}
