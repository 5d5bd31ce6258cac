import { join } from 'node:path';

/** The file that the hub of a data folder holds locked for as long as it lives. */
export function lockPath(dataDir: string): string {
  return join(dataDir, 'hub.lock');
}
