/** Transcript records as the CLI writes them, reduced to the fields that matter to readers and to the product. */

/** What all records of a session share. */
export interface RecordContext {
  readonly sessionId: string;
  readonly cwd: string;
  /** Machine clock, Unix ms. */
  readonly now: number;
}

/** A `user` or `assistant` record. */
export function messageRecord(
  role: 'user' | 'assistant',
  uuid: string,
  parentUuid: string | null,
  text: string,
  context: RecordContext,
  agentId: string | null = null,
): string {
  return JSON.stringify({
    parentUuid,
    isSidechain: agentId !== null,
    ...(agentId === null ? {} : { agentId }),
    type: role,
    message: role === 'user' ? { role, content: text } : { role, content: [{ type: 'text', text }] },
    uuid,
    timestamp: new Date(context.now).toISOString(),
    cwd: context.cwd,
    sessionId: context.sessionId,
    version: '2.1.330',
  });
}

/** The checkpoint that names the active leaf. */
export function checkpointRecord(leafUuid: string, prompt: string, sessionId: string): string {
  return JSON.stringify({ type: 'last-prompt', lastPrompt: prompt, leafUuid, sessionId });
}

/** A title: state without uuid. */
export function titleRecord(title: string, sessionId: string): string {
  return JSON.stringify({ type: 'ai-title', aiTitle: title, sessionId });
}

/** Says that the session moved to another folder. */
export function relocatedRecord(relocatedCwd: string, sessionId: string): string {
  return JSON.stringify({ type: 'relocated', relocatedCwd, sessionId });
}

/** The two records of a compaction. */
export function compactionRecords(
  boundary: string,
  summary: string,
  leaf: string | null,
  context: RecordContext,
): [string, string] {
  const timestamp = new Date(context.now).toISOString();
  const { cwd, sessionId } = context;
  return [
    JSON.stringify({
      parentUuid: null,
      logicalParentUuid: leaf,
      isSidechain: false,
      type: 'system',
      subtype: 'compact_boundary',
      content: 'Conversation compacted',
      timestamp,
      uuid: boundary,
      cwd,
      sessionId,
    }),
    JSON.stringify({
      parentUuid: boundary,
      isSidechain: false,
      type: 'user',
      message: { role: 'user', content: `summary up to ${leaf}` },
      isCompactSummary: true,
      uuid: summary,
      timestamp,
      cwd,
      sessionId,
    }),
  ];
}

/** An entry of `history.jsonl`. */
export function historyEntry(display: string, context: RecordContext): string {
  return JSON.stringify({
    display,
    pastedContents: {},
    timestamp: context.now,
    project: context.cwd,
    sessionId: context.sessionId,
  });
}

/** The fields of a record that the models and the oracle look at; `null` for lines that are no JSON object. */
export function readRecord(text: string): {
  readonly type?: unknown;
  readonly uuid?: unknown;
  readonly parentUuid?: unknown;
  readonly leafUuid?: unknown;
  readonly subtype?: unknown;
  readonly display?: unknown;
} | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
