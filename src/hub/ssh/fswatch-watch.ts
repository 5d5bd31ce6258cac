import { PRIVATE_FOLDER } from '../replica/private-folder.ts';
import type { WatchSource } from '../replica/watch-source.ts';
import type { Random } from '../ports/clock.ts';
import { createRemoteWatch } from './remote-watch.ts';
import type { RemoteWatchOptions, Sign, WatchDialect } from './remote-watch.ts';
import { pathBelow } from './watched-path.ts';
import { escapeRegex, lastLine, limitOf } from './watcher-text.ts';
import { watchScript } from './watch-script.ts';

/** It says nothing when it is ready; seconds to see a file that is made in front of it are plenty. */
const READY_WITHIN_MS = 15_000;
/** Of these the machine is asked for on Linux, where there are many more. */
const EVENTS = ['Created', 'Updated', 'Removed', 'Renamed', 'MovedFrom', 'MovedTo', 'Overflow'];
/** Something is there, or is not there, that was not so before. */
const PLACE_EVENTS = new Set(['Created', 'Removed', 'Renamed', 'MovedFrom', 'MovedTo']);

/** fswatch there, by its absolute path. */
export interface FswatchOptions extends RemoteWatchOptions {
  readonly tool: string;
  readonly system: 'linux' | 'darwin' | 'other';
  readonly random: Random;
}

/**
 * Watches a claudeDir with fswatch, which on macOS tells of the whole tree and misses nothing, and on Linux does what inotifywait does,
 * worse: it does not say which of the names it tells are folders.
 *
 * It gives no sign when it begins to see; so a file in the private folder is made and removed until it tells of that one.
 */
export function createFswatchWatch(options: FswatchOptions): WatchSource {
  return createRemoteWatch(options, fswatchDialect(options, `watch-${options.random.hex(8)}`));
}

/** How fswatch is run and understood. `touched`: name of the file in the private folder that shows whether it sees. */
export function fswatchDialect(
  { root, tool, system }: Pick<FswatchOptions, 'root' | 'tool' | 'system'>,
  touched: string,
): WatchDialect {
  const folder = escapeRegex(PRIVATE_FOLDER);
  return {
    name: 'fswatch',
    script: watchScript({
      root,
      touch: `${root}/${PRIVATE_FOLDER}/${touched}`,
      words: [
        tool,
        ...['-0', '-r', '-l', '0.1', '--allow-overflow', '--format', '%f|%p', '--event-flag-separator=,'],
        ...['-E', '-e', `^${escapeRegex(root)}/${folder}/(tmp|undo)(/|$)`],
        // On macOS every event names what kind of thing it is about, which is filtered out with the rest.
        ...(system === 'darwin' ? [] : EVENTS.flatMap((event) => ['--event', event])),
        ...['--', root],
      ],
    }),
    separator: 0,
    readyWithinMs: READY_WITHIN_MS,
    hear(line) {
      // It goes on without the watches that it did not get.
      const limit = limitOf(line);
      return limit === null ? null : { trouble: limit };
    },
    read: (record) => signsOf(record, { root, isMac: system === 'darwin', touched: `${PRIVATE_FOLDER}/${touched}` }),
    explain,
  };
}

function signsOf(record: Buffer, { root, isMac, touched }: { root: string; isMac: boolean; touched: string }): Sign[] {
  const at = record.indexOf(0x7c);
  const flags = record.toString('latin1', 0, Math.max(at, 0)).split(',');
  if (at === -1 || !flags.every((flag) => /^[A-Za-z]+$/.test(flag)) || flags.includes('Overflow'))
    return [{ kind: 'scan' }];
  const found = pathBelow(root, record.subarray(at + 1), isMac);
  if (found === null) return [{ kind: 'scan' }];
  const { path, isWhole } = found;
  if (path === touched) return [{ kind: 'ready' }];
  // It goes first when the whole folder goes, and of that itself nothing is told.
  if (path === PRIVATE_FOLDER && flags.some((flag) => PLACE_EVENTS.has(flag))) return [{ kind: 'scan' }];
  // On Linux it goes on with a folder that was moved away; on macOS it keeps to the path.
  if (path === '') return [{ kind: isMac ? 'scan' : 'root-lost' }];
  if (!isWhole) return [{ kind: 'folder', path }];
  if (flags.includes('IsFile') || flags.includes('IsSymLink')) return [{ kind: 'file', path }];
  const hasMoved = flags.some((flag) => PLACE_EVENTS.has(flag));
  // On macOS events that were dropped come as one of a folder, which only the system's own flags tell.
  if (flags.includes('IsDir')) return hasMoved || flags.includes('PlatformSpecific') ? [{ kind: 'folder', path }] : [];
  if (isMac) return [{ kind: 'folder', path }];
  return hasMoved
    ? [
        { kind: 'file', path },
        { kind: 'folder', path },
      ]
    : [{ kind: 'file', path }];
}

function explain(stderr: string, code: number | null): { readonly reason: string; readonly isLasting: boolean } {
  const limit = limitOf(stderr);
  if (limit !== null) return { reason: limit, isLasting: true };
  const isLasting = code === 126 || code === 127 || /option/.test(stderr);
  return { reason: `fswatch ended (${code ?? 'killed'}): ${lastLine(stderr)}`, isLasting };
}
