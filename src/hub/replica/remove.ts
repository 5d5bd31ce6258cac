import type { FileStat, MachineOs, RelativePath } from '../../core/domain.ts';
import { withFileAside } from './aside.ts';
import { makeRoom } from './make-room.ts';
import { notAsExpected } from './put.ts';
import { outcomeOfFailure } from './refusal.ts';
import type { RemoveRequest, WriteOutcome } from './replica.ts';
import { fileStat } from './safe-walk.ts';
import type { TreeContext } from './tree-context.ts';

/**
 * Guarded removal: the file moves into undo, it is never unlinked (docs/sync.md section 7).
 * @returns with `done`, the facts of the file as it lies in undo.
 */
export async function guardedRemove(
  context: TreeContext,
  path: RelativePath,
  request: RemoveRequest,
): Promise<WriteOutcome> {
  try {
    const early = await notAsExpected(context, path, request.expect);
    if (early !== null) return early;
    if (!context.guards.on('undo-before-replace')) {
      await context.fs.unlink(path);
      return { kind: 'done', stat: request.expect };
    }
    return await withFileAside(
      context,
      path,
      request.expect,
      '',
      () => Promise.resolve({ kind: 'done', stat: request.expect }),
      request.sha256 ?? null,
    );
  } catch (error) {
    return outcomeOfFailure(error);
  }
}

/**
 * Guarded rename within the tree. It goes through undo: renaming from a name that others may replace meanwhile can lose
 * their file (see aside.ts). Folders that become empty stay; they may be somebody's.
 */
export async function guardedMove(
  context: TreeContext,
  os: MachineOs,
  from: RelativePath,
  to: RelativePath,
  expect: FileStat,
): Promise<WriteOutcome> {
  try {
    const early = (await notAsExpected(context, from, expect)) ?? (await makeRoom(context, os, to));
    if (early !== null) return early;
    let undoName = '';
    const outcome = await withFileAside(context, from, expect, to, async (undoPath) => {
      undoName = undoPath.slice(undoPath.lastIndexOf('/') + 1);
      await context.fs.rename(undoPath, to);
      const stat = await context.fs.lstat(to);
      return { kind: 'done', stat: stat === null ? expect : fileStat(stat) };
    });
    // Nothing stays in undo: the file has only another name.
    if (outcome.kind === 'done') context.undo.delete(context.machine, undoName);
    return outcome;
  } catch (error) {
    return outcomeOfFailure(error);
  }
}
