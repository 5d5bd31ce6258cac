import { createHash } from 'node:crypto';
import { hashSegment, SEGMENT_BYTES, segmentsOf, type SegmentHashes } from '../../../core/log/segments.ts';
import type { ByteRange, Head, Key, Sha256 } from '../../../core/domain.ts';
import { ArchiveDamaged } from '../../archive/archive.ts';
import { FileSystemError } from '../../ports/file-system.ts';
import type { EngineContext } from '../context.ts';
import type { Pace } from './pace.ts';

/** What became of reading a head against its hashes. */
export type HeadState =
  /** Its bytes are those that were written; for a log, these are the hashes to compare copies with. */
  | { readonly kind: 'sound'; readonly segments: SegmentHashes | null }
  /** `ranges`: which parts of a log, with what they were; a document as a whole. */
  | { readonly kind: 'damaged'; readonly what: string; readonly ranges: readonly DamagedRange[] }
  /** It changed while it was read: nothing is known. */
  | { readonly kind: 'moved' };

/** A part of a log that is not what it was. */
export interface DamagedRange {
  readonly range: ByteRange;
  readonly sha256: Sha256;
}

/** What bytes were found, `null` when they could not be read; then `why` says what was found instead. */
type Found = { readonly why: string } | Awaited<ReturnType<typeof hashSegment>>;

/**
 * Reads the file of a head and compares it with what is known of it: the hash of a document, the segments of a log up to where they
 * were compared last. What a log grew by since is taken as it is and known from now on.
 */
export async function checkHead(ctx: EngineContext, head: Head, pace: Pace): Promise<HeadState> {
  const generation = ctx.generation(head.key);
  const state = await (head.hash === null ? checkLog(ctx, head, pace) : checkDocument(ctx, head, pace));
  const now = ctx.store.heads.get(head.key);
  const isSame =
    now?.kind === 'file' && ctx.generation(head.key) === generation && (head.hash === null || now.seq === head.seq);
  if (!isSame) return { kind: 'moved' };
  if (
    state.kind === 'sound' &&
    state.segments !== null &&
    state.segments.bytes !== ctx.store.heads.segments(head.key)?.bytes
  ) {
    ctx.store.heads.putSegments(head.key, state.segments);
  }
  return state;
}

async function checkDocument(ctx: EngineContext, head: Head, pace: Pace): Promise<HeadState> {
  const found = await hashOf(ctx, head.key, [0, head.size], head.size, pace);
  if ('why' in found) return { kind: 'damaged', what: found.why, ranges: [] };
  if (found.hash === head.hash && (await isOfSize(ctx, head))) return { kind: 'sound', segments: null };
  return { kind: 'damaged', what: 'its bytes are others than those that were written', ranges: [] };
}

async function isOfSize(ctx: EngineContext, head: Head): Promise<boolean> {
  try {
    return (await ctx.archive.size(head.key)) === head.size;
  } catch (error) {
    if (error instanceof ArchiveDamaged) return false;
    throw error;
  }
}

async function checkLog(ctx: EngineContext, head: Head, pace: Pace): Promise<HeadState> {
  const stored = ctx.store.heads.segments(head.key);
  const known = stored !== null && stored.bytes <= head.size ? stored : NOTHING_KNOWN;
  const hashes: Sha256[] = [];
  const ranges: DamagedRange[] = [];
  let what = '';
  for (const [index, [from, to]] of segmentsOf(head.size).entries()) {
    const expected = known.hashes[index];
    const knownTo = Math.min(to, known.bytes, from + SEGMENT_BYTES);
    const found = await hashOf(ctx, head.key, [from, to], Math.max(0, knownTo - from), pace);
    const isSound = !('why' in found) && (expected === undefined || found.atMark === expected);
    if (isSound) {
      hashes.push(found.hash);
      continue;
    }
    what ||= 'why' in found ? found.why : `its bytes ${from} to ${knownTo} are others than those that were written`;
    if (expected !== undefined) ranges.push({ range: [from, knownTo], sha256: expected });
  }
  if (what !== '') return { kind: 'damaged', what, ranges };
  return { kind: 'sound', segments: { bytes: head.size, hashes } };
}

const NOTHING_KNOWN: SegmentHashes = { bytes: 0, hashes: [] };

async function hashOf(ctx: EngineContext, key: Key, [from, to]: ByteRange, mark: number, pace: Pace): Promise<Found> {
  try {
    return await hashSegment(pace.paced(ctx.archive.read(key, from, to)), mark);
  } catch (error) {
    if (error instanceof ArchiveDamaged) return { why: error.message };
    if (FileSystemError.is(error, 'io', 'not-a-file', 'denied')) return { why: `it cannot be read: ${error.message}` };
    throw error;
  }
}

/** Hash of a part of a copy or of a stream. */
export async function hashStream(chunks: AsyncIterable<Uint8Array>): Promise<Sha256> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}
