import { readRecord } from '../models/records.ts';

/**
 * A history entry is the same entry with any machine's path in `project`; this is its form without the path.
 * Entries that are no JSON objects stand for themselves.
 */
export function historyForm(text: string): string {
  const record = readRecord(text);
  return typeof record?.display === 'string' ? JSON.stringify({ ...record, project: null }) : text;
}

/** A line of a fork is the line of its session with another sessionId; this is its form with the session's own. */
export function unforked(text: string, fork: string, session: string): string {
  return text.replace(`"sessionId":"${fork}"`, `"sessionId":"${session}"`);
}

/** Whether the line is a checkpoint: the product may repeat or make these, all others never. */
export function isCheckpoint(text: string): boolean {
  return readRecord(text)?.type === 'last-prompt';
}

/** The leaf that a checkpoint names, `null` for other lines. */
export function checkpointLeaf(text: string): string | null {
  const record = readRecord(text);
  return record?.type === 'last-prompt' && typeof record.leafUuid === 'string' ? record.leafUuid : null;
}
