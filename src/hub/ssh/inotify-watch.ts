import { PRIVATE_FOLDER } from '../replica/private-folder.ts';
import type { WatchSource } from '../replica/watch-source.ts';
import { escapeRegex, lastLine, limitOf } from './watcher-text.ts';
import { createRemoteWatch } from './remote-watch.ts';
import type { RemoteWatchOptions, Sign, WatchDialect } from './remote-watch.ts';
import { pathBelow } from './watched-path.ts';
import { watchScript } from './watch-script.ts';

const EVENTS = 'modify,create,delete,moved_to,moved_from,delete_self,move_self,unmount';
/** 10,000 folders take about a second. */
const READY_WITHIN_MS = 60_000;

/** inotifywait there, see `PosixMachine.inotifywait`. */
export interface InotifyWatchOptions extends RemoteWatchOptions {
  readonly tool: { readonly path: string; readonly hasNul: boolean };
}

/**
 * Watches a claudeDir on a Linux machine with its own inotifywait. What it misses, and what stands in for it:
 * - Files that are created in a new folder before it watches that: each new folder is told as one to scan, and again a moment later.
 * - Events that the kernel drops without a word: scans from time to time (docs/sync.md section 8).
 *
 * Versions before 3.20 end records with a line break; a name that holds one makes no sense then and asks for a scan.
 */
export function createInotifyWatch(options: InotifyWatchOptions): WatchSource {
  return createRemoteWatch(options, inotifyDialect(options));
}

/** How inotifywait is run and understood. */
export function inotifyDialect({ root, tool }: Pick<InotifyWatchOptions, 'root' | 'tool'>): WatchDialect {
  return {
    name: 'inotifywait',
    script: watchScript({
      root,
      touch: null,
      words: [
        tool.path,
        ...['-m', '-r', '-e', EVENTS],
        ...['--excludei', `^${escapeRegex(root)}/${escapeRegex(PRIVATE_FOLDER)}(/|$)`],
        ...(tool.hasNul ? ['--format', '%e|%w%f%0', '--no-newline'] : ['--format', '%e|%w%f']),
        ...['--', root],
      ],
    }),
    separator: tool.hasNul ? 0 : 0x0a,
    readyWithinMs: READY_WITHIN_MS,
    hear(line) {
      if (line.startsWith('Watches established')) return 'ready';
      // A new folder that cannot be watched does not end it.
      const limit = limitOf(line);
      return limit === null ? null : { trouble: limit };
    },
    read: (record) => [signOf(root, record)],
    explain,
  };
}

function signOf(root: string, record: Buffer): Sign {
  const at = record.indexOf(0x7c);
  const events = record.toString('latin1', 0, Math.max(at, 0)).split(',');
  const found = at === -1 ? null : pathBelow(root, record.subarray(at + 1));
  if (found === null || !events.every((event) => /^[A-Z_]+$/.test(event))) return { kind: 'scan' };
  const { path, isWhole } = found;
  if (!isWhole) return { kind: 'folder', path };
  if (events.includes('DELETE_SELF') || events.includes('MOVE_SELF') || events.includes('UNMOUNT'))
    // Of a folder further down the one above it tells as well, except when it is unmounted.
    return path === '' ? { kind: 'root-lost' } : { kind: 'folder', path };
  return { kind: events.includes('ISDIR') ? 'folder' : 'file', path };
}

function explain(stderr: string, code: number | null): { readonly reason: string; readonly isLasting: boolean } {
  const isLasting = true;
  const limit = limitOf(stderr);
  if (limit !== null) return { reason: limit, isLasting };
  if (code === 126 || code === 127 || /unrecognized option/.test(stderr))
    return { reason: `inotifywait does not run there: ${lastLine(stderr)}`, isLasting };
  return { reason: `inotifywait ended (${code ?? 'killed'}): ${lastLine(stderr)}`, isLasting: false };
}
