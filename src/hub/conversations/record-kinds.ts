import type { RecordKind } from '../../core/conversation/record.ts';

/** How kinds are stored in the index. 0 is never shown; new ones go to the end. */
export const STORED_KINDS = [
  'silent',
  'prompt',
  'answer',
  'results',
  'note',
  'boundary',
  'summary',
  'attachment',
] as const;

/** See {@link STORED_KINDS}. */
export type StoredKind = (typeof STORED_KINDS)[number];

/** The number of a kind in the index. */
export function kindNumber(kind: RecordKind): number {
  return kind === 'state' ? 0 : STORED_KINDS.indexOf(kind);
}
