import type { MachineName } from '../../core/domain.ts';
import { FileSystemError } from '../ports/file-system.ts';
import { MARKER_FILE, PRIVATE_FOLDER, TEMP_FOLDER, UNDO_FOLDER } from './private-folder.ts';
import { discardTemp, replaceOwn, writeTemp } from './temps.ts';
import { privateName } from './tree-context.ts';
import type { TreeContext } from './tree-context.ts';

/** claudeDir is not there. Never read as "everything was deleted": the machine is quarantined (docs/sync.md section 8). */
export class ClaudeFolderMissing extends Error {
  readonly machine: MachineName;
  readonly claudeDir: string;

  constructor(machine: MachineName, claudeDir: string, found: 'nothing' | 'no folder') {
    super(
      `${machine}: ${claudeDir} ${found === 'nothing' ? 'does not exist' : 'is not a folder'}; nothing was changed anywhere. ` +
        'Is its disk mounted? If Claude Code lives elsewhere there, set claudeDir in the configuration.',
    );
    this.name = 'ClaudeFolderMissing';
    this.machine = machine;
    this.claudeDir = claudeDir;
  }
}

/** Something that is no folder of ours stands where temps and undo belong. */
export class PrivateFolderUnusable extends Error {
  readonly machine: MachineName;

  constructor(machine: MachineName, path: string, reason: string, cause?: unknown) {
    super(
      `${machine}: ${path} in the Claude folder cannot be used: ${reason}; nothing was changed. Move it away and try again.`,
      { cause },
    );
    this.name = 'PrivateFolderUnusable';
    this.machine = machine;
  }
}

/** @throws {ClaudeFolderMissing} @throws {FileSystemError} */
export async function requireClaudeFolder(context: TreeContext, claudeDir: string): Promise<void> {
  const stat = await context.fs.lstat('');
  if (stat === null) throw new ClaudeFolderMissing(context.machine, claudeDir, 'nothing');
  if (stat.type !== 'folder') throw new ClaudeFolderMissing(context.machine, claudeDir, 'no folder');
}

/** Makes `.claude-sync/` with its folders. @throws {PrivateFolderUnusable} @throws {FileSystemError} */
export async function makePrivateFolders(context: TreeContext): Promise<void> {
  for (const path of [PRIVATE_FOLDER, TEMP_FOLDER, UNDO_FOLDER]) {
    try {
      await context.fs.makeFolder(path);
    } catch (error) {
      if (!FileSystemError.is(error) || error.code === 'disconnected' || error.code === 'no-space') throw error;
      if (error.code !== 'exists') throw new PrivateFolderUnusable(context.machine, path, error.message, error);
      const stat = await context.fs.lstat(path);
      if (stat?.type !== 'folder') throw new PrivateFolderUnusable(context.machine, path, 'it is not a folder', error);
    }
  }
}

/** Whether the volume takes two names that differ in case for one: asks for a file of ours in the other case. */
export async function probeFolding(context: TreeContext): Promise<boolean> {
  const name = `${privateName(context)}a`;
  const file = await context.fs.open(`${TEMP_FOLDER}/${name}`, 'create');
  await file.close();
  try {
    return (await context.fs.lstat(`${TEMP_FOLDER}/${name.toUpperCase()}`)) !== null;
  } finally {
    await discardTemp(context, `${TEMP_FOLDER}/${name}`);
  }
}

/** The replica id, `null` when there is none. @throws {FileSystemError} */
export async function readMarker(context: TreeContext): Promise<string | null> {
  try {
    const file = await context.fs.open(MARKER_FILE, 'read');
    try {
      return (await file.read(0, 1024)).toString('utf8').trim();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (FileSystemError.is(error, 'missing')) return null;
    throw error;
  }
}

/** Writes the replica id whole or not at all. @throws {FileSystemError} `exists` when there is one. */
export function writeMarker(context: TreeContext, id: string): Promise<void> {
  return putMarker(context, id, (temp) => context.fs.rename(temp, MARKER_FILE));
}

/**
 * Puts another id in the place of the replica id `old`, whole or not at all. The file is the hub's own: nobody else writes it.
 * @returns whether `old` was there; nothing is changed otherwise.
 * @throws {FileSystemError}
 */
export async function replaceMarker(context: TreeContext, old: string, id: string): Promise<boolean> {
  if ((await readMarker(context)) !== old) return false;
  await putMarker(context, id, (temp) => replaceOwn(context, temp, MARKER_FILE));
  return true;
}

async function putMarker(context: TreeContext, id: string, place: (temp: string) => Promise<void>): Promise<void> {
  const bytes = Buffer.from(`${id}\n`);
  const request = {
    expect: { kind: 'absent' },
    size: bytes.length,
    mtimeMs: context.clock.now(),
    executable: false,
    how: 'exchange',
    content: async function* () {
      yield bytes;
    },
  } as const;
  const temp = await writeTemp(context, request, true);
  try {
    await place(temp.path);
  } catch (error) {
    if (!FileSystemError.is(error, 'disconnected')) await discardTemp(context, temp.path);
    throw error;
  }
}
