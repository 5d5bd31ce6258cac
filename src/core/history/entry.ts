import { createHash } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import type { UnixMs } from '../domain.ts';
import { findTopLevelValue } from './top-level-value.ts';

/** What is known of one line of `history.jsonl`. The line itself is carried as bytes. */
export interface HistoryEntry {
  /** The same for all copies of an entry, whatever project path they carry; SHA-256 in lower-case hex. */
  readonly identity: string;
  /** `null` when the line has no time. */
  readonly timestampMs: UnixMs | null;
  /** Absolute path of the project on the machine the line comes from; `null` when it has none. */
  readonly project: string | null;
  /** Uuid of the session it belongs to; `null` when it names none. */
  readonly session: string | null;
}

/**
 * Reads one line of `history.jsonl`, given without its newline (one at the end is ignored).
 *
 * Identity is timestamp, sessionId and display (docs/sync.md section 4). A line with a time but without one of the others, as
 * old versions wrote them, is told by its bytes without the value of `project`, so that its copies on other machines are still
 * it. Any other line, garbage included, is told by its bytes, and is carried like any other.
 */
export function parseEntry(line: Buffer): HistoryEntry {
  const bytes = withoutNewline(line);
  const record = recordOf(bytes);
  const timestampMs = typeof record?.['timestamp'] === 'number' ? record['timestamp'] : null;
  const project = typeof record?.['project'] === 'string' ? record['project'] : null;
  const session = typeof record?.['sessionId'] === 'string' ? record['sessionId'] : null;
  return { identity: identityOf(bytes, record, timestampMs), timestampMs, project, session };
}

/**
 * The line with the value of its top-level string `project` replaced by the path `to`; every other byte stays. A line that
 * says `to` already, in whatever escapes, stays as it is.
 *
 * Only a line whose identity survives is changed: one without a time, without `project`, or that is no JSON, is returned
 * untouched. Otherwise its copy would come back from the other machine as a new entry, again and again.
 */
export function projectLine(line: Buffer, to: string): Buffer {
  const bytes = withoutNewline(line);
  const record = recordOf(bytes);
  if (typeof record?.['timestamp'] !== 'number' || typeof record['project'] !== 'string') return line;
  if (record['project'] === to) return line;
  return replaceProject(line, to);
}

/**
 * Entries ordered by time, for the one merge at a first pairing. Stable: entries of the same time keep their order, and an
 * entry without a time stays behind the entry it followed (at the beginning when it followed none).
 */
export function sortUnion<T extends { readonly timestampMs: UnixMs | null }>(entries: readonly T[]): T[] {
  const groups: { readonly time: UnixMs; readonly entries: T[] }[] = [];
  for (const entry of entries) {
    const last = groups.at(-1);
    if (entry.timestampMs === null && last) last.entries.push(entry);
    else groups.push({ time: entry.timestampMs ?? -Infinity, entries: [entry] });
  }
  // Infinities would subtract to NaN.
  return groups.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)).flatMap((group) => group.entries);
}

function identityOf(bytes: Buffer, record: Record<string, unknown> | null, timestampMs: UnixMs | null): string {
  const { sessionId, display } = record ?? {};
  if (timestampMs !== null && typeof sessionId === 'string' && typeof display === 'string') {
    return hash('entry', Buffer.from(JSON.stringify([timestampMs, sessionId, display])));
  }
  const hasProject = timestampMs !== null && typeof record?.['project'] === 'string';
  return hash('bytes', hasProject ? replaceProject(bytes, '') : bytes);
}

function replaceProject(line: Buffer, to: string): Buffer {
  const value = findTopLevelValue(line, 'project');
  if (!value) return line;
  return Buffer.concat([line.subarray(0, value.from), Buffer.from(JSON.stringify(to)), line.subarray(value.to)]);
}

/** The line as a JSON object; `null` when it is none, or not UTF-8 (decoding would make different lines equal). */
function recordOf(bytes: Buffer): Record<string, unknown> | null {
  if (!isUtf8(bytes)) return null;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function withoutNewline(line: Buffer): Buffer {
  return line.at(-1) === 0x0a ? line.subarray(0, -1) : line;
}

/** `kind` keeps the two sorts of identity apart. */
function hash(kind: 'entry' | 'bytes', bytes: Buffer): string {
  return createHash('sha256').update(`${kind}\0`).update(bytes).digest('hex');
}
