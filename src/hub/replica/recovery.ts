import { UNDO_FOLDER } from './private-folder.ts';
import { FileSystemError } from '../ports/file-system.ts';
import type { IntentRow } from '../store/store.ts';
import { walk } from './safe-walk.ts';
import type { TreeContext } from './tree-context.ts';

/**
 * Ends the operations that took a file aside and were interrupted (docs/sync.md section 7): a file whose place is empty gets
 * it back; where the place is taken, undo keeps it. Runs at every connection and again with every scan, because a rename that
 * was on its way when a connection broke may be executed after the next one was made.
 *
 * Operations that are still running are left alone.
 * @throws {FileSystemError}
 */
export async function restoreFromIntents(context: TreeContext): Promise<void> {
  for (const intent of context.intents.ofMachine(context.machine)) {
    if (context.busyUndo.has(intent.undo)) continue;
    if (await settle(context, intent)) context.intents.delete(intent.id);
  }
}

/** Whether nothing is left to do for `intent`. */
async function settle(context: TreeContext, intent: IntentRow): Promise<boolean> {
  const { fs, machine } = context;
  const undoPath = `${UNDO_FOLDER}/${intent.undo}`;
  const aside = await fs.lstat(undoPath);
  if (aside === null) {
    // Never taken, or put back, or moved on. A rename that is still in a queue can make it appear until the undo row expires.
    return intentIsOld(context, intent);
  }
  const { end, firstMissingFolder } = await walk(fs, intent.path);
  // Unknown is not absent: it is asked again.
  if (end.kind === 'unknown') return false;
  if (end.kind !== 'absent' || firstMissingFolder !== null) return true;

  const arrived = intent.temp === '' ? null : await fs.lstat(intent.temp);
  if (arrived !== null && arrived.inode !== '' && arrived.inode === aside.inode) {
    // A move that was cut between link and unlink: the file is at its new place already, undo only has a second name of it.
    await fs.unlink(undoPath);
    context.undo.delete(machine, intent.undo);
    return true;
  }
  try {
    await fs.rename(undoPath, intent.path);
  } catch (error) {
    if (FileSystemError.is(error, 'exists', 'missing')) return false;
    throw error;
  }
  context.undo.delete(machine, intent.undo);
  return true;
}

/** Longest time that a request may sit in the queue of a connection that broke. */
const QUEUED_AT_MOST_MS = 60 * 60_000;

function intentIsOld(context: TreeContext, intent: IntentRow): boolean {
  return context.clock.now() - intent.at > QUEUED_AT_MOST_MS;
}
