import { fstatSync, mkdirSync, unlinkSync } from 'node:fs';
import type { FileStat, RelativePath } from '../../../core/domain.ts';
import { recordedFolders, tellingRanges } from '../../../core/projects/recorded-folders.ts';
import { OPEN_FLAGS } from '../node-file.ts';
import { entryStat, errnoOf } from '../node-facts.ts';
import { isAsExpected } from '../safe-walk.ts';
import type { CopyBuffers } from './bytes-now.ts';
import { readNow, withOpen, writeNow } from './bytes-now.ts';
import { FactsMeter, type ContentFacts } from './content-facts.ts';
import type { Copied, FetchJob, FileToFetch } from './messages.ts';
import { walkNow } from './walk-now.ts';

/**
 * Copies many files of a tree into a folder of the hub, with synchronous calls: for a thread of its own. A file that is not the same
 * before and after it was read is left, and so is whatever is no regular file on a way of folders.
 */
export function fetchFiles(job: FetchJob, buffers: CopyBuffers): Copied[] {
  const folders = new Set<string>();
  return job.files.map((file) => {
    try {
      return fetchFile(job, file, folders, buffers);
    } catch (error) {
      // Gone, not permitted, or the hub's disk is full: the ordinary way meets it again, and says so. Anything else is a mistake here.
      if (errnoOf(error) === undefined) throw error;
      return { kind: 'left' };
    }
  });
}

function fetchFile({ root, longest }: FetchJob, file: FileToFetch, known: Set<string>, buffers: CopyBuffers): Copied {
  const { path, target, destination } = file;
  const before = regularFile(root, path);
  if (before === null || before.size > longest) return { kind: 'left' };
  const facts = copy(`${root}/${path}`, target, before, buffers);
  if (facts === null) return { kind: 'left' };
  let isKept = false;
  try {
    const after = regularFile(root, path);
    if (after === null || !isAsExpected(after, before)) return { kind: 'left' };
    const folders = file.isTranscript ? foldersOf(target, facts.bytes, buffers) : null;
    if (destination !== null) makeParent(destination, known);
    isKept = true;
    return { kind: 'copied', stat: after, facts, folders, hasFolder: destination !== null };
  } finally {
    if (!isKept) discard(target);
  }
}

/** The folder of a file of the hub's own, in its own data folder. */
function makeParent(file: string, known: Set<string>): void {
  const folder = file.slice(0, file.lastIndexOf('/'));
  if (!known.has(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  known.add(folder);
}

/** Working folders recorded in a transcript, from what was kept of it. */
function foldersOf(target: string, bytes: number, { readBack }: CopyBuffers): string[] {
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

/** `null`, with nothing kept, when the file that is opened is not the one that was looked at, or is shorter than it was. */
function copy(from: string, to: string, expect: FileStat, buffers: CopyBuffers): ContentFacts | null {
  return withOpen(from, OPEN_FLAGS.read, (input) => {
    const opened = entryStat(fstatSync(input));
    if (opened.type !== 'file' || !isAsExpected(opened, expect)) return null;
    const meter = new FactsMeter();
    let isWhole = false;
    try {
      isWhole = withOpen(to, OPEN_FLAGS.create, (output) => {
        for (let at = 0; at < expect.size;) {
          const count = readNow(input, buffers.written, Math.min(buffers.written.length, expect.size - at), at);
          if (count === 0) return false;
          meter.add(buffers.written.subarray(0, count));
          writeNow(output, buffers.written, count);
          at += count;
        }
        return true;
      });
    } finally {
      if (!isWhole) discard(to);
    }
    return isWhole ? meter.facts() : null;
  });
}

function discard(target: string): void {
  try {
    unlinkSync(target);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
