import type { FileStat, MachineOs, RelativePath, Sha256 } from '../../core/domain.ts';
import { FileSystemError } from '../ports/file-system.ts';
import { withFileAside } from './aside.ts';
import { makeRoom } from './make-room.ts';
import { UNDO_FOLDER } from './private-folder.ts';
import { CHANGED, allInOrder, outcomeOfFailure, refused } from './refusal.ts';
import type { PutRequest, WriteOutcome } from './replica.ts';
import { fileStat, isAsExpected, isSameInode, walk } from './safe-walk.ts';
import { TempDamaged, discardTemp, writeTemp } from './temps.ts';
import type { Temp } from './temps.ts';
import { privateName } from './tree-context.ts';
import type { TreeContext } from './tree-context.ts';

/**
 * Guarded create or replace (docs/sync.md section 7). The content is complete, verified and, where it replaces something, on
 * stable storage before any name changes; what it replaces is in undo.
 */
export async function guardedPut(
  context: TreeContext,
  os: MachineOs,
  path: RelativePath,
  request: PutRequest,
): Promise<WriteOutcome> {
  const { expect } = request;
  let temp: Temp | null = null;
  try {
    // Asked before the content is fetched as well as right before the renames, so that a stale plan costs no transfer.
    const early =
      expect.kind === 'absent' ? await makeRoom(context, os, path) : await notAsExpected(context, path, expect.stat);
    if (early !== null) return early;

    temp = await writeTemp(
      context,
      request,
      expect.kind === 'file' || context.durableCreates,
      expect.kind === 'file' ? path : null,
    );
    const outcome =
      expect.kind === 'absent'
        ? await create(context, temp, path)
        : request.how === 'swap'
          ? await swap(context, temp, path, expect.stat)
          : await exchange(context, temp, path, expect.stat, expect.sha256 ?? null);
    if (outcome.kind !== 'done') await discardTemp(context, temp.path);
    return outcome;
  } catch (error) {
    if (temp !== null && FileSystemError.is(error) && error.code !== 'disconnected')
      await discardTemp(context, temp.path);
    if (error instanceof TempDamaged) return refused('io', error.message);
    return outcomeOfFailure(error);
  }
}

/** `null` when the file is as it was verified, else the outcome of the write. */
export async function notAsExpected(
  context: TreeContext,
  path: RelativePath,
  expect: FileStat,
): Promise<WriteOutcome | null> {
  const { end } = await walk(context.fs, path);
  if (end.kind === 'refused') return refused('unsafe-path', end.reason);
  if (end.kind === 'unknown') return refused('io', end.reason);
  return end.kind === 'file' && isAsExpected(end.stat, expect) ? null : CHANGED;
}

async function create(context: TreeContext, temp: Temp, path: RelativePath): Promise<WriteOutcome> {
  const { fs } = context;
  await (context.guards.on('create-exclusive') ? fs.rename(temp.path, path) : fs.renameOver(temp.path, path));
  return inPlace(context, temp, path);
}

/**
 * For transcripts: the name is never missing, because a CLI that finds none starts the file anew.
 *
 * What remains: a file that somebody *renames* onto `path` between the last look and our rename is replaced without a copy in
 * undo; POSIX and SFTP have no rename that compares. Nothing known renames onto transcripts of quiet sessions. A writer that
 * still holds the old inode open writes into undo, and its bytes come back from there.
 */
async function swap(context: TreeContext, temp: Temp, path: RelativePath, expect: FileStat): Promise<WriteOutcome> {
  const { fs, machine } = context;
  if (!context.guards.on('undo-before-replace')) {
    await fs.renameOver(temp.path, path);
    return inPlace(context, temp, path);
  }
  const name = privateName(context);
  const undoPath = `${UNDO_FOLDER}/${name}`;
  context.busyUndo.add(name);
  try {
    // The size of the row is what is known of the file, not what undo holds in the end: the difference is a late write.
    context.undo.put({ machine, name, path, size: expect.size, at: context.clock.now() });
    await context.flush();
    try {
      await fs.hardLink(path, undoPath);
    } catch (error) {
      if (!FileSystemError.is(error, 'disconnected')) context.undo.delete(machine, name);
      if (FileSystemError.is(error, 'unsupported')) {
        return refused(
          'no-hard-links',
          'the volume has no hard links, so a transcript cannot be replaced there without a moment in which it is missing',
        );
      }
      throw error;
    }
    const changed = await linkedSomethingElse(context, path, undoPath, expect);
    if (changed !== null) {
      await discardTemp(context, undoPath);
      context.undo.delete(machine, name);
      return changed;
    }
    try {
      await fs.renameOver(temp.path, path);
    } catch (error) {
      if (!FileSystemError.is(error, 'disconnected')) {
        await discardTemp(context, undoPath);
        context.undo.delete(machine, name);
      }
      throw error;
    }
  } finally {
    context.busyUndo.delete(name);
  }
  return inPlace(context, temp, path);
}

async function linkedSomethingElse(
  context: TreeContext,
  path: RelativePath,
  undoPath: string,
  expect: FileStat,
): Promise<WriteOutcome | null> {
  const [linked, outcome] = await allInOrder([context.fs.lstat(undoPath), notAsExpected(context, path, expect)]);
  if (outcome !== null) return outcome;
  return linked !== null && isAsExpected(linked, expect) ? null : CHANGED;
}

/** For everything else: the old file leaves its place, and the new one gets it only when nobody else took it. */
async function exchange(
  context: TreeContext,
  temp: Temp,
  path: RelativePath,
  expect: FileStat,
  sha256: Sha256 | null,
): Promise<WriteOutcome> {
  const { fs } = context;
  if (!context.guards.on('undo-before-replace')) {
    await fs.renameOver(temp.path, path);
    return inPlace(context, temp, path);
  }
  const place = async (): Promise<WriteOutcome> => {
    await fs.rename(temp.path, path);
    return { kind: 'done', stat: (await inPlaceStat(context, temp, path)) ?? temp.stat };
  };
  return withFileAside(context, path, expect, temp.path, place, sha256);
}

async function inPlace(context: TreeContext, temp: Temp, path: RelativePath): Promise<WriteOutcome> {
  const stat = await inPlaceStat(context, temp, path);
  return stat === null ? CHANGED : { kind: 'done', stat };
}

/** The facts of the file at its place, `null` when it is not the one that was put there any more. */
async function inPlaceStat(context: TreeContext, temp: Temp, path: RelativePath): Promise<FileStat | null> {
  const stat = await context.fs.lstat(path);
  const isOurs = stat !== null && stat.type === 'file' && stat.size === temp.stat.size && isSameInode(stat, temp.stat);
  return isOurs && stat.mtimeMs === temp.stat.mtimeMs ? fileStat(stat) : null;
}
