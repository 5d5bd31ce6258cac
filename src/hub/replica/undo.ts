import type { RelativePath, UnixMs } from '../../core/domain.ts';
import { FileSystemError } from '../ports/file-system.ts';
import { UNDO_FOLDER } from './private-folder.ts';
import type { LateWrite } from './replica.ts';
import { restoreFromIntents } from './recovery.ts';
import type { TreeContext } from './tree-context.ts';

/**
 * Entries whose length is not the known one: a writer had the file open when it was put aside, or it was changed in the moment
 * before. A row without an entry is no news: its rename may be under way or may never come.
 * @throws {FileSystemError}
 */
export async function lateWrites(context: TreeContext): Promise<LateWrite[]> {
  await restoreFromIntents(context);
  if (!context.guards.on('late-writes')) return [];
  const rows = new Map(context.undo.ofMachine(context.machine).map((row) => [row.name, row]));
  const late: LateWrite[] = [];
  for (const entry of await context.fs.list(UNDO_FOLDER)) {
    const row = rows.get(entry.name);
    if (row === undefined || row.path === '' || context.busyUndo.has(entry.name)) continue;
    if (entry.type === 'file' && entry.size !== row.size) {
      late.push({ name: row.name, path: row.path, known: row.size, size: entry.size });
    }
  }
  return late;
}

/** Takes `size` bytes of an entry as known from now on. */
export function acknowledgeUndo(context: TreeContext, name: string, size: number): void {
  const row = context.undo.ofMachine(context.machine).find((candidate) => candidate.name === name);
  if (row !== undefined) context.undo.put({ ...row, size });
}

/**
 * Removes entries put aside before `before` of sessions that are not live. An entry with bytes that are not known yet stays
 * until they are.
 * @throws {FileSystemError}
 */
export async function expireUndo(
  context: TreeContext,
  before: UnixMs,
  isLive: (path: RelativePath) => boolean,
): Promise<void> {
  const { fs, machine } = context;
  const wanted = new Set(context.intents.ofMachine(machine).map((intent) => intent.undo));
  for (const row of context.undo.ofMachine(machine)) {
    if (row.at >= before || context.busyUndo.has(row.name) || wanted.has(row.name) || isLive(row.path)) continue;
    const path = `${UNDO_FOLDER}/${row.name}`;
    const entry = await fs.lstat(path);
    if (entry !== null && entry.size !== row.size) continue;
    try {
      if (entry !== null) await fs.unlink(path);
    } catch (error) {
      if (!FileSystemError.is(error, 'missing')) throw error;
    }
    context.undo.delete(machine, row.name);
  }
}

/**
 * Removes undo entries that are not to be found again, whatever their age: of sessions that the user had forgotten.
 * @throws {FileSystemError}
 */
export async function dropUndo(
  context: TreeContext,
  isWanted: (path: RelativePath, at: UnixMs) => boolean,
): Promise<void> {
  for (const row of context.undo.ofMachine(context.machine)) {
    if (context.busyUndo.has(row.name) || !isWanted(row.path, row.at)) continue;
    try {
      await context.fs.unlink(`${UNDO_FOLDER}/${row.name}`);
    } catch (error) {
      if (!FileSystemError.is(error, 'missing')) throw error;
    }
    context.undo.delete(context.machine, row.name);
  }
}

/**
 * Gives entries that no row knows (the hub lost its database) a row, so that they expire like the others. Where they came from
 * is not known any more.
 * @throws {FileSystemError}
 */
export async function adoptUnknownUndo(context: TreeContext): Promise<void> {
  const known = new Set(context.undo.ofMachine(context.machine).map((row) => row.name));
  for (const entry of await context.fs.list(UNDO_FOLDER)) {
    if (entry.type !== 'file' || known.has(entry.name)) continue;
    context.undo.put({
      machine: context.machine,
      name: entry.name,
      path: '',
      size: entry.size,
      at: context.clock.now(),
    });
  }
}
