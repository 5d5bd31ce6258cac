import { createHash } from 'node:crypto';
import type { FileStat, RelativePath, Sha256 } from '../../core/domain.ts';
import { FileSystemError, type EntryStat, type FileSystem } from '../ports/file-system.ts';
import { UNDO_FOLDER } from './private-folder.ts';
import { CHANGED, outcomeOfFailure } from './refusal.ts';
import type { WriteOutcome } from './replica.ts';
import { readBytes } from './read-bytes.ts';
import { isAsExpected, walk } from './safe-walk.ts';
import { privateName } from './tree-context.ts';
import type { TreeContext } from './tree-context.ts';
import type { UndoRow } from '../store/store.ts';

/**
 * Takes the file at `path` from its place into undo, and lets `then` go on with the place empty.
 *
 * A look followed by a rename can be overtaken: somebody saves in between, and the rename takes the new file. So the file is
 * looked at again where nobody else reaches it by name. If it is not the expected one it goes back, unless something new has
 * taken its place; then it stays in undo and comes back as a late write.
 *
 * The rename into undo is the overwriting one on purpose. The other kind is link and unlink on POSIX and in SFTP servers, and
 * the unlink would delete whatever somebody renamed onto `path` between the two. The undo name is ours alone, so there is
 * nothing to overwrite.
 *
 * An intent row and the undo row are on stable storage before the rename: a crash at any point is found by the next
 * connection (see recovery.ts).
 *
 * @param destination where the content of `path` or its replacement is going to be; lets recovery see that it arrived.
 * @param sha256 hash of the expected content: where times are whole seconds, size and time do not tell a file that was written a
 *   second time within one.
 * @param then makes the new state; its failure or an outcome other than `done` puts the file back.
 */
export async function withFileAside(
  context: TreeContext,
  path: RelativePath,
  expect: FileStat,
  destination: string,
  then: (undoPath: string) => Promise<WriteOutcome>,
  sha256: Sha256 | null = null,
): Promise<WriteOutcome> {
  const { fs, machine } = context;
  const name = privateName(context);
  const undoPath = `${UNDO_FOLDER}/${name}`;
  const at = context.clock.now();
  context.busyUndo.add(name);
  try {
    const row: UndoRow = { machine, name, path, size: expect.size, at };
    context.undo.put(row);
    const intent = context.intents.add({ machine, path, temp: destination, undo: name, at });
    /** Nothing of this operation is left on the machine. */
    const forget = (): void => {
      context.intents.delete(intent.id);
      context.undo.delete(machine, name);
    };

    try {
      await context.flush();
      const { end } = await walk(fs, path);
      if (end.kind !== 'file' || !isAsExpected(end.stat, expect)) {
        forget();
        return CHANGED;
      }
      await fs.renameOver(path, undoPath);
    } catch (error) {
      // After `disconnected` the rename may still happen: the rows stay for recovery.
      if (!FileSystemError.is(error, 'disconnected')) forget();
      return outcomeOfFailure(error);
    }

    let outcome: WriteOutcome;
    try {
      const moved = await fs.lstat(undoPath);
      const isExpected =
        moved !== null &&
        moved.type === 'file' &&
        isAsExpected(moved, expect) &&
        (await hasContent(fs, undoPath, moved, sha256));
      outcome = isExpected ? await then(undoPath) : CHANGED;
    } catch (error) {
      // Throws for `disconnected`: the intent stays open and the next connection decides.
      outcome = outcomeOfFailure(error);
    }
    if (outcome.kind === 'done') {
      context.intents.delete(intent.id);
      return outcome;
    }

    try {
      await fs.rename(undoPath, path);
      forget();
      return outcome;
    } catch (error) {
      // Any other failure leaves the intent open: recovery tries again with every scan.
      if (!FileSystemError.is(error, 'exists')) return outcomeOfFailure(error);
      // Something new took the place. Undo keeps the file, and nothing of it counts as known: it may have been rewritten to
      // the same length. The next look for late writes finds it.
      context.undo.put({ ...row, size: 0 });
      context.intents.delete(intent.id);
      return CHANGED;
    }
  } finally {
    context.busyUndo.delete(name);
  }
}

/** Whether the file has the expected content; asked only where its time may hide a second write. */
async function hasContent(fs: FileSystem, path: string, stat: EntryStat, sha256: Sha256 | null): Promise<boolean> {
  if (sha256 === null || stat.mtimeMs % 1000 !== 0) return true;
  const hash = createHash('sha256');
  for await (const chunk of readBytes(fs, path, 0, stat.size)) hash.update(chunk);
  return hash.digest('hex') === sha256;
}
