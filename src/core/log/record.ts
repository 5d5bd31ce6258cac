import type { UnixMs } from '../domain.ts';
import { readLines, type Line } from './lines.ts';

/**
 * What syncing needs to know of one line of a transcript or sidechain, without its content. A line that is no JSON
 * object (torn, two records in one, NUL bytes, too long) keeps its place and hash and has `null` in every other field.
 */
export interface LineFact {
  readonly start: number;
  /** Just after the newline. */
  readonly end: number;
  /** Hash of the bytes, see {@link Line}. */
  readonly hash: string;
  /** Set on conversation records only; state records (titles, modes, checkpoints) have none. */
  readonly uuid: string | null;
  readonly type: string | null;
  readonly subtype: string | null;
  readonly timestampMs: UnixMs | null;
  readonly sessionId: string | null;
  readonly cwd: string | null;
  /** Of a `relocated` record. */
  readonly relocatedCwd: string | null;
  readonly isSidechain: boolean;
  /** Of a checkpoint (`last-prompt`). */
  readonly leafUuid: string | null;
  readonly parentUuid: string | null;
}

/**
 * Reads the facts of a line. Never throws: whatever a machine holds is data, and damage costs the record, not the line.
 */
export function parseFact(line: Line): LineFact {
  const record = parseRecord(line.bytes);
  return {
    start: line.start,
    end: line.end,
    hash: line.hash,
    uuid: text(record?.uuid),
    type: text(record?.type),
    subtype: text(record?.subtype),
    timestampMs: instantOf(record?.timestamp),
    sessionId: text(record?.sessionId),
    cwd: text(record?.cwd),
    relocatedCwd: text(record?.relocatedCwd),
    isSidechain: record?.isSidechain === true,
    leafUuid: text(record?.leafUuid),
    parentUuid: text(record?.parentUuid),
  };
}

/** Facts of every line of a stream, in order. @see readLines */
export async function* readFacts(
  chunks: AsyncIterable<Uint8Array>,
  start = 0,
): AsyncGenerator<LineFact, void, undefined> {
  for await (const line of readLines(chunks, start)) yield parseFact(line);
}

/** The fields that are read; none of them proven to be there or to be a string. */
type RawRecord = Partial<
  Record<Exclude<keyof LineFact, 'start' | 'end' | 'hash' | 'timestampMs'> | 'timestamp', unknown>
>;

function parseRecord(bytes: Buffer | null): RawRecord | null {
  if (bytes === null || bytes.length === 0) return null;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    // Not JSON, or too much for a string. Both mean that the CLI sees no record here either.
    if (error instanceof Error) return null;
    throw error;
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** A timestamp without a zone would mean another moment on every machine, so it counts as none. */
const ISO_INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

/** A time as transcripts write it; `null` when it is none, or has no zone. */
export function instantOf(value: unknown): UnixMs | null {
  if (typeof value !== 'string' || !ISO_INSTANT.test(value)) return null;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? null : ms;
}
