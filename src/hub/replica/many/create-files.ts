import { createHash, hash as hashNow, randomBytes } from 'node:crypto';
import { fstatSync, futimesSync, mkdirSync, unlinkSync } from 'node:fs';
import { unwritableReason } from '../../../core/keys/safe-path.ts';
import type { FileStat, RelativePath } from '../../../core/domain.ts';
import { FileSystemError } from '../../ports/file-system.ts';
import { foldersOf } from '../make-room.ts';
import { OPEN_FLAGS, setExecutable } from '../node-file.ts';
import { lstatOrNull, renameWithoutOverwriting } from '../node-file-system.ts';
import { entryStat, errnoOf, fileSystemError } from '../node-facts.ts';
import { TEMP_FOLDER } from '../private-folder.ts';
import { fileStat, isAsExpected } from '../safe-walk.ts';
import type { CopyBuffers } from './bytes-now.ts';
import { readNow, withOpen, writeNow } from './bytes-now.ts';
import type { Created, CreateJob, FileToCreate } from './messages.ts';
import { walkNow } from './walk-now.ts';

/**
 * Guarded creates (docs/sync.md section 7) of many files, with synchronous calls: for a thread of its own.
 *
 * Each file keeps what `guardedPut` promises: it is complete and read back before it gets its name, every component is
 * looked at and no symlink is followed, an existing name makes it fail. The folders that a job has seen or made are only remembered
 * for making folders; right before a file gets its name its whole way is looked at again. What remains is the instant
 * between that look and the link, as in `guardedPut`.
 *
 * Where anything is other than plain the file is left: the ordinary way finds out what it is, and says so.
 */
export function createFiles(job: CreateJob, buffers: CopyBuffers): Created[] {
  const folders = new Set<RelativePath>();
  // No two jobs share their random part, no two files of a job their number.
  const names = `${job.epoch}-${randomBytes(8).toString('hex')}`;
  return job.files.map((file, index) => {
    const temp = `${job.root}/${TEMP_FOLDER}/${names}${index.toString(16).padStart(4, '0')}`;
    try {
      return createFile(job, file, { temp, folders, buffers });
    } catch (error) {
      const failure = fileSystemError('create', file.path, error);
      // Somebody was faster, also in taking a folder away that was there a moment ago.
      folders.clear();
      return { kind: failure.code === 'exists' ? 'changed' : 'left' };
    }
  });
}

function createFile(
  { root, os }: CreateJob,
  file: FileToCreate,
  {
    temp,
    folders,
    buffers,
  }: { readonly temp: string; readonly folders: Set<RelativePath>; readonly buffers: CopyBuffers },
): Created {
  const { path } = file;
  if (unwritableReason(path, os) !== null || !makeFolders(root, path, folders)) return { kind: 'left' };
  let isPlaced = false;
  try {
    const written = writeTemp(temp, file, buffers);
    if (written === null) return { kind: 'left' };
    const { end, firstMissingFolder } = walkNow(root, path);
    if (end.kind === 'file' || end.kind === 'folder') return { kind: 'changed' };
    if (end.kind !== 'absent' || firstMissingFolder !== null) return { kind: 'left' };
    renameWithoutOverwriting(temp, `${root}/${path}`, path);
    isPlaced = true;
    const stat = lstatOrNull(`${root}/${path}`, path);
    const isOurs = stat !== null && stat.type === 'file' && isAsExpected(stat, written);
    return isOurs ? { kind: 'done', stat: fileStat(stat) } : { kind: 'changed' };
  } finally {
    if (!isPlaced) discard(temp);
  }
}

/** @returns whether every folder on the way is one, made now or there before. */
function makeFolders(root: string, path: RelativePath, known: Set<RelativePath>): boolean {
  const folders = foldersOf(path);
  const parent = folders.at(-1) ?? '';
  if (known.has(parent)) return true;
  const before = walkNow(root, path);
  if (before.end.kind !== 'absent') return before.end.kind === 'file' || before.end.kind === 'folder';
  if (before.firstMissingFolder !== null) {
    for (const folder of folders) if (folder.length >= before.firstMissingFolder.length) makeFolder(root, folder);
    // Looked at as a whole: what was there already may be a symlink, or a file.
    const after = walkNow(root, path);
    if (after.end.kind !== 'absent' || after.firstMissingFolder !== null) return false;
  }
  known.add(parent);
  return true;
}

function makeFolder(root: string, folder: RelativePath): void {
  try {
    mkdirSync(`${root}/${folder}`, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/** Writes the temp and reads it back. @returns `null` when the source is not, or the temp does not become, what it should be. */
function writeTemp(temp: string, file: FileToCreate, buffers: CopyBuffers): FileStat | null {
  return withOpen(temp, OPEN_FLAGS.create, (output) => {
    const isWhole =
      file.size <= buffers.written.length ? writeShort(output, file, buffers) : writeLong(output, file, buffers);
    if (!isWhole) return null;
    if (file.executable) allowExecution(output);
    futimesSync(output, file.mtimeMs / 1000, file.mtimeMs / 1000);
    const stat = entryStat(fstatSync(output));
    return stat.size === file.size ? fileStat(stat) : null;
  });
}

/** A content that fits into memory: what is read back is compared byte for byte. @returns whether it is there as it should be. */
function writeShort(
  output: number,
  { source, size, sha256 }: FileToCreate,
  { written, readBack }: CopyBuffers,
): boolean {
  const count = withOpen(source, OPEN_FLAGS.read, (input) => readNow(input, written, size, 0));
  const bytes = written.subarray(0, size);
  if (count < size || (sha256 !== null && hashNow('sha256', bytes, 'hex') !== sha256)) return false;
  writeNow(output, written, size);
  return readNow(output, readBack, size, 0) === size && bytes.equals(readBack.subarray(0, size));
}

/** A longer one: what is read back has the same hash. @returns whether it is there as it should be. */
function writeLong(
  output: number,
  { source, size, sha256 }: FileToCreate,
  { written, readBack }: CopyBuffers,
): boolean {
  const hash = createHash('sha256');
  const isWhole = withOpen(source, OPEN_FLAGS.read, (input) =>
    inPieces(input, written, size, (count) => {
      hash.update(written.subarray(0, count));
      writeNow(output, written, count);
    }),
  );
  const digest = hash.digest('hex');
  if (!isWhole || (sha256 !== null && digest !== sha256)) return false;
  const again = createHash('sha256');
  return (
    inPieces(output, readBack, size, (count) => again.update(readBack.subarray(0, count))) &&
    again.digest('hex') === digest
  );
}

/** Hands `size` bytes of a file over, one buffer after the other. @returns whether there were as many. */
function inPieces(descriptor: number, buffer: Buffer, size: number, take: (count: number) => void): boolean {
  for (let at = 0; at < size;) {
    const count = readNow(descriptor, buffer, Math.min(buffer.length, size - at), at);
    if (count === 0) return false;
    take(count);
    at += count;
  }
  return true;
}

/** Volumes without permissions have no executable bit; the content is what counts there. */
function allowExecution(descriptor: number): void {
  try {
    setExecutable(descriptor, true);
  } catch (error) {
    if (!FileSystemError.is(fileSystemError('setExecutable', '', error), 'denied', 'unsupported')) throw error;
  }
}

function discard(temp: string): void {
  try {
    unlinkSync(temp);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
