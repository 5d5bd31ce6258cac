import type { MachineOs, RelativePath } from '../../core/domain.ts';
import { collisionForm, unwritableReason } from '../../core/keys/safe-path.ts';
import { FileSystemError } from '../ports/file-system.ts';
import { CHANGED, refused } from './refusal.ts';
import type { WriteOutcome } from './replica.ts';
import { walk } from './safe-walk.ts';
import type { TreeContext } from './tree-context.ts';

/**
 * Makes sure that `path` can be created: nothing is there, every folder on the way is one, and where the volume folds names
 * no other spelling of the name or of a folder exists. Missing folders are created.
 * @returns `null` when there is room, else the outcome of the write.
 * @throws {FileSystemError} when a folder cannot be created or listed.
 */
export async function makeRoom(context: TreeContext, os: MachineOs, path: RelativePath): Promise<WriteOutcome | null> {
  const unwritable = unwritableReason(path, os);
  if (unwritable !== null) return refused('unsafe-path', unwritable);
  const before = await walk(context.fs, path);
  if (before.end.kind === 'refused') return refused('unsafe-path', before.end.reason);
  if (before.end.kind === 'unknown') return refused('io', before.end.reason);
  if (before.end.kind !== 'absent') {
    return (context.foldsNames() ? await otherSpelling(context, path) : null) ?? CHANGED;
  }
  const misspelled = context.foldsNames() ? await misspelledFolder(context, path) : null;
  if (misspelled !== null) return misspelled;
  if (before.firstMissingFolder === null) return null;

  for (const folder of foldersOf(path)) {
    if (folder.length < before.firstMissingFolder.length) continue;
    try {
      await context.fs.makeFolder(folder);
    } catch (error) {
      if (!FileSystemError.is(error, 'exists')) throw error;
    }
  }
  // Looked at once more as a whole: what made `exists` true may be a symlink.
  const after = await walk(context.fs, path);
  if (after.end.kind === 'refused') return refused('unsafe-path', after.end.reason);
  if (after.end.kind !== 'absent') return CHANGED;
  if (after.firstMissingFolder === null) return null;
  return refused('unsafe-path', `${after.firstMissingFolder} is a file there, not a folder`);
}

/** `a/b/c.md` -> `a`, `a/b`. */
export function foldersOf(path: RelativePath): RelativePath[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join('/'));
}

/** On a volume that folds names, `Agents` answers to `agents`; a file put there would be found under another key. */
async function misspelledFolder(context: TreeContext, path: RelativePath): Promise<WriteOutcome | null> {
  for (const folder of foldersOf(path)) {
    if (context.spelledFolders.has(folder)) continue;
    if ((await context.fs.lstat(folder)) === null) return null;
    const collision = await otherSpelling(context, folder);
    if (collision !== null) return collision;
    context.spelledFolders.add(folder);
  }
  return null;
}

async function otherSpelling(context: TreeContext, path: RelativePath): Promise<WriteOutcome | null> {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const form = collisionForm(name);
  const names = (await context.fs.list(path.slice(0, Math.max(slash, 0)))).map((entry) => entry.name);
  if (names.includes(name)) return null;
  const other = names.find((candidate) => collisionForm(candidate) === form);
  return other === undefined
    ? null
    : refused('name-collision', `${path} would be the same file as ${JSON.stringify(other)}, which is there already`);
}
