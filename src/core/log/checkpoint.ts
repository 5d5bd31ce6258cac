import type { LineFact } from './record.ts';

/**
 * A `last-prompt` record is a checkpoint: it names the leaf that the CLI resumes, and the last valid one in file order
 * wins. After a merge the newest conversation may not be the last tail, so its side gets the last word again
 * (docs/sync.md section 4).
 */

/**
 * The last checkpoint of one side that is valid there: its leaf is a record of that side's main conversation. One that
 * names nothing here (a leaf of the other branch, a record that was withdrawn) would resume something else.
 *
 * @param facts the side's lines: its tail, or its whole file.
 */
export function lastCheckpoint(facts: readonly LineFact[]): LineFact | null {
  return facts[lastCheckpointIndex(facts)] ?? null;
}

/**
 * A checkpoint line (newline included) for the last user or assistant record of the main conversation in `facts`;
 * `null` when there is none. Without the optional `lastPrompt` text, as the CLI itself writes it when it has no prompt
 * to show.
 *
 * @param sessionId session the line is written into.
 */
export function checkpointLine(facts: readonly LineFact[], sessionId: string): Buffer | null {
  const turn = facts[lastTurnIndex(facts)];
  if (turn === undefined) return null;
  return Buffer.from(`${JSON.stringify({ type: 'last-prompt', leafUuid: turn.uuid, sessionId })}\n`);
}

/**
 * What makes the CLI resume this side when appended after all other lines: `repeat` is an existing line of the side
 * (append the same bytes again), `line` a new one (newline included), `null` when the side has no conversation.
 *
 * A checkpoint is repeated only when no turn follows it. The CLI writes checkpoints now and then and when it ends, so a
 * live or killed session has turns after its last one; naming the old leaf last would hide them.
 */
export function checkpointToAppend(
  side: readonly LineFact[],
  sessionId: string,
): { readonly repeat: LineFact } | { readonly line: Buffer } | null {
  const checkpoint = lastCheckpointIndex(side);
  const turn = lastTurnIndex(side);
  if (checkpoint > turn) return { repeat: side[checkpoint]! };
  const line = checkpointLine(side, sessionId);
  return line === null ? null : { line };
}

function lastCheckpointIndex(facts: readonly LineFact[]): number {
  const leaves = new Set<string>();
  for (const fact of facts) {
    if (fact.uuid !== null && !fact.isSidechain) leaves.add(fact.uuid);
  }
  return facts.findLastIndex(
    (fact) => fact.type === 'last-prompt' && fact.leafUuid !== null && leaves.has(fact.leafUuid),
  );
}

function lastTurnIndex(facts: readonly LineFact[]): number {
  return facts.findLastIndex(
    (fact) => fact.uuid !== null && !fact.isSidechain && (fact.type === 'user' || fact.type === 'assistant'),
  );
}
