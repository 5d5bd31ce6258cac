import { fstatSync, mkdirSync, renameSync, unlinkSync } from 'node:fs';
import type { FileStat, RelativePath } from '../../../core/domain.ts';
import { recordedFolders, tellingRanges } from '../../../core/projects/recorded-folders.ts';
import type { EntryStat } from '../../ports/file-system.ts';
import { OPEN_FLAGS } from '../node-file.ts';
import { entryStat, errnoOf } from '../node-facts.ts';
import { fileStat, isAsExpected, refusedPath } from '../safe-walk.ts';
import type { CopyBuffers } from './bytes-now.ts';
import { readNow, withOpen, writeNow } from './bytes-now.ts';
import { factsOf, FactsMeter, type ContentFacts } from './content-facts.ts';
import type { Copied, FetchJob, FileToFetch } from './messages.ts';
import { walkNow } from './walk-now.ts';

/**
 * Copies many files of a tree into a folder of the hub, with synchronous calls: for a thread of its own. A file that is not the same
 * before and after it was read is left, and so is whatever is no regular file on a way of folders.
 */
export function fetchFiles(job: FetchJob, buffers: CopyBuffers): Copied[] {
  const known: KnownFolders = { made: new Set(), seen: new Set() };
  return job.files.map((file) => {
    try {
      return fetchFile(job, file, known, buffers);
    } catch (error) {
      // Gone, not permitted, or the hub's disk is full: the ordinary way meets it again, and says so. Anything else is a mistake here.
      if (errnoOf(error) === undefined) throw error;
      return { kind: 'left' };
    }
  });
}

function fetchFile(
  { root, longest, adopt }: FetchJob,
  file: FileToFetch,
  known: KnownFolders,
  buffers: CopyBuffers,
): Copied {
  const { path, target, destination } = file;
  if (refusedPath(path) !== null || !isBehindFolders(root, path, known.seen)) return { kind: 'left' };
  const copied = (adopt === true ? move : copy)(`${root}/${path}`, target, longest, buffers);
  if (copied === null) return { kind: 'left' };
  const { facts, opened } = copied;
  let isKept = false;
  try {
    // Once more, at the whole way: what was opened is what lies there behind real folders, and nobody wrote to it meanwhile.
    const after = adopt === true ? fileStat(opened) : regularFile(root, path);
    if (after === null || !isAsExpected(after, opened)) return { kind: 'left' };
    const folders = file.isTranscript ? foldersOf(target, facts.bytes, buffers) : null;
    if (destination !== null) makeParent(destination, known.made);
    isKept = true;
    return { kind: 'copied', stat: after, facts, folders, hasFolder: destination !== null };
  } finally {
    if (!isKept) discard(target);
  }
}

/** Folders that a job has met. */
interface KnownFolders {
  /** Of the hub, absolute. */
  readonly made: Set<string>;
  /** Of the tree, with everything above them. */
  readonly seen: Set<RelativePath>;
}

/** Whether the way to a file is made of folders: what lies behind a symlink is not even read. Each folder is looked at once for a job. */
function isBehindFolders(root: string, path: RelativePath, seen: Set<RelativePath>): boolean {
  const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  if (!seen.has(folder)) {
    if (walkNow(root, folder).end.kind !== 'folder') return false;
    seen.add(folder);
  }
  return true;
}

/** The folder of a file of the hub's own, in its own data folder. */
function makeParent(file: string, known: Set<string>): void {
  const folder = file.slice(0, file.lastIndexOf('/'));
  if (!known.has(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  known.add(folder);
}

/** Working folders recorded in a transcript, from what was kept of it; a short one is in memory still. */
function foldersOf(target: string, bytes: number, { written, readBack }: CopyBuffers): string[] {
  if (bytes <= written.length)
    return recordedFolders(tellingRanges(bytes).map(([from, to]) => written.toString('utf8', from, to)));
  return withOpen(target, OPEN_FLAGS.read, (descriptor) =>
    recordedFolders(
      tellingRanges(bytes).map(([from, to]) =>
        readBack.toString('utf8', 0, readNow(descriptor, readBack, to - from, from)),
      ),
    ),
  );
}

function regularFile(root: string, path: RelativePath): FileStat | null {
  const { end } = walkNow(root, path);
  return end.kind === 'file' ? end.stat : null;
}

/** `null`, with nothing kept, when there is no regular file, or one that is too long or gets shorter while it is read. */
function copy(
  from: string,
  to: string,
  longest: number,
  buffers: CopyBuffers,
): { readonly facts: ContentFacts; readonly opened: EntryStat } | null {
  return withOpen(from, OPEN_FLAGS.read, (input) => {
    const opened = entryStat(fstatSync(input));
    if (opened.type !== 'file' || opened.size > longest) return null;
    let facts: ContentFacts | null = null;
    try {
      facts = withOpen(to, OPEN_FLAGS.create, (output) => copyBytes(input, output, opened.size, buffers));
    } finally {
      if (facts === null) discard(to);
    }
    return facts && { facts, opened };
  });
}

/** As `copy`, but the file itself goes. */
function move(from: string, to: string, longest: number, buffers: CopyBuffers): ReturnType<typeof copy> {
  const moved = withOpen(from, OPEN_FLAGS.read, (input) => {
    const opened = entryStat(fstatSync(input));
    if (opened.type !== 'file' || opened.size > longest) return null;
    const facts = copyBytes(input, null, opened.size, buffers);
    return facts && { facts, opened };
  });
  if (moved !== null) renameSync(from, to);
  return moved;
}

/** Reads all, and writes it where there is an output. `null` when the input is shorter than `size`. */
function copyBytes(input: number, output: number | null, size: number, { written }: CopyBuffers): ContentFacts | null {
  if (size <= written.length) {
    if (readNow(input, written, size, 0) < size) return null;
    if (output !== null) writeNow(output, written, size);
    return factsOf(written.subarray(0, size));
  }
  const meter = new FactsMeter();
  for (let at = 0; at < size;) {
    const count = readNow(input, written, Math.min(written.length, size - at), at);
    if (count === 0) return null;
    meter.add(written.subarray(0, count));
    if (output !== null) writeNow(output, written, count);
    at += count;
  }
  return meter.facts();
}

function discard(target: string): void {
  try {
    unlinkSync(target);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
