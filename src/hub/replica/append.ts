import type { RelativePath } from '../../core/domain.ts';
import { FileSystemError } from '../ports/file-system.ts';
import type { EntryStat, OpenFile } from '../ports/file-system.ts';
import { CHANGED, outcomeOfFailure, refused } from './refusal.ts';
import type { AppendRequest, WriteOutcome } from './replica.ts';
import { fileStat, isAsExpected, isSameInode, walk } from './safe-walk.ts';
import type { TreeContext } from './tree-context.ts';

const READ_BACK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
/** All of it was written, and somebody else wrote as well. */
const WRITTEN: WriteOutcome = { kind: 'changed', written: true };

/**
 * Guarded append (docs/sync.md section 6): bytes are added only to the file as it was last verified, and what stands there
 * afterwards is read back. Everything behind the precondition is under way at once, so that over a network it is one round
 * trip.
 *
 * - Another writer between look and write: both appends are whole (O_APPEND), the size tells, the outcome is `changed` and `written`.
 * - The disk fills up: whole packets may have arrived, and the beginning of one more. It has no newline at its end, so no
 *   reader takes it for a line; the next append finds it as a torn tail and completes it. The outcome is `refused`, its
 *   reason says what was left, and the file has to be looked at again.
 */
export async function guardedAppend(
  context: TreeContext,
  path: RelativePath,
  request: AppendRequest,
): Promise<WriteOutcome> {
  // Looked at behind opening, in the same burst: whatever came between is seen.
  const opening = context.fs.open(path, 'append');
  const [opened, walked] = await Promise.allSettled([opening, walk(context.fs, path, context.knownFolders)]);
  const file = opened.status === 'fulfilled' ? opened.value : null;
  try {
    if (walked.status === 'rejected') throw walked.reason;
    const { end } = walked.value;
    if (end.kind === 'refused') return refused('unsafe-path', end.reason);
    if (end.kind === 'unknown') return refused('io', end.reason);
    if (end.kind !== 'file') return CHANGED;
    if (opened.status === 'rejected') return outcomeOfFailure(opened.reason);
    if (context.guards.on('append-precondition')) {
      if (!isAsExpected(end.stat, request.expect)) return CHANGED;
      if (context.verifyHandle && !isAsExpected(await opened.value.stat(), request.expect)) return CHANGED;
    }
    if (!(await context.room.has(request.bytes.length)))
      return refused('no-space', 'the disk is full or the quota is used up');
    return await writeAndReadBack(context, opened.value, request);
  } catch (error) {
    return outcomeOfFailure(error);
  } finally {
    await file?.close();
  }
}

async function writeAndReadBack(context: TreeContext, file: OpenFile, request: AppendRequest): Promise<WriteOutcome> {
  const { expect, bytes } = request;
  const writing = packetsOf(bytes, context.maxPacket).map((packet) => file.write(packet));
  const timing = context.isNow(request.mtimeMs)
    ? Promise.resolve()
    : file.setTimes(request.mtimeMs).catch(tolerateForeignOwner);
  const looking = file.stat();
  const parts = context.guards.on('read-back') && context.readBack ? partsToReadBack(bytes.length) : [];
  const reading = parts.map(([from, to]) => file.read(expect.size + from, to - from));

  const [written, timed, looked, read] = await Promise.all([
    Promise.allSettled(writing),
    settle(timing),
    settle(looking),
    Promise.allSettled(reading),
  ]);
  const failedWrite = written.find((result) => result.status === 'rejected');
  if (failedWrite !== undefined) return failedHalfway(failedWrite.reason, expect.size, looked);
  if (timed.status === 'rejected') throw timed.reason;
  if (looked.status === 'rejected') throw looked.reason;

  const stat = looked.value;
  if (stat.size !== expect.size + bytes.length || !isSameInode(stat, expect)) return WRITTEN;
  for (const [index, part] of read.entries()) {
    if (part.status === 'rejected') throw part.reason;
    if (!part.value.equals(bytes.subarray(...parts[index]!))) return WRITTEN;
  }
  return { kind: 'done', stat: fileStat(stat) };
}

function failedHalfway(reason: unknown, before: number, looked: PromiseSettledResult<EntryStat>): WriteOutcome {
  const outcome = outcomeOfFailure(reason);
  if (outcome.kind !== 'refused') return outcome;
  const left = looked.status === 'fulfilled' ? looked.value.size - before : null;
  if (left === 0) return outcome;
  const found = left === null ? 'an unknown part' : `${left} bytes`;
  return refused(
    outcome.code,
    `${outcome.reason}; ${found} of the append arrived, a torn line among them is completed later`,
  );
}

/**
 * Cuts after newlines, at most `maxPacket` bytes each, because one write is the largest unit that no other writer can get
 * into. A single line that is longer stays one packet: cutting it would invite another line into its middle.
 */
export function packetsOf(bytes: Buffer, maxPacket: number): Buffer[] {
  const packets: Buffer[] = [];
  let from = 0;
  while (from < bytes.length) {
    let to = bytes.length;
    if (to - from > maxPacket) {
      const lastFitting = bytes.lastIndexOf(NEWLINE, from + maxPacket - 1);
      const next = lastFitting >= from ? lastFitting : bytes.indexOf(NEWLINE, from + maxPacket);
      if (next !== -1) to = next + 1;
    }
    packets.push(bytes.subarray(from, to));
    from = to;
  }
  return packets;
}

/** Ranges within what was written. */
function partsToReadBack(length: number): (readonly [from: number, to: number])[] {
  const parts: (readonly [number, number])[] = [];
  for (let from = 0; from < length; from += READ_BACK_BYTES)
    parts.push([from, Math.min(length, from + READ_BACK_BYTES)]);
  return parts;
}

/** A file that belongs to somebody else may be writable and still keep its times: then it keeps the time of the write. */
function tolerateForeignOwner(error: unknown): void {
  if (!FileSystemError.is(error, 'denied', 'unsupported')) throw error;
}

async function settle<T>(running: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [result] = await Promise.allSettled([running]);
  return result;
}
