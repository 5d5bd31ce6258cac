import { maskSecrets } from '../../core/secrets/mask.ts';
import type { HistoryPageResult, HistorySessionResult } from '../../protocol/history.ts';
import type { HubClient } from '../connect.ts';
import type { Entry, EntryBlock, Outcome } from './entry.ts';

/** A conversation as a whole, or one branch of it, as it is exported. */
export interface ExportedConversation {
  readonly detail: Omit<HistorySessionResult, 'backlog' | 'resume'>;
  readonly entries: readonly Entry[];
  /** What was not read yet when it was fetched; `null`: it is complete. */
  readonly backlog: HistorySessionResult['backlog'];
  /** What subagents did, in the order of their beginning. */
  readonly agents: readonly {
    readonly agent: string;
    readonly title: string | null;
    readonly entries: readonly Entry[];
  }[];
}

/** What is wanted of it. */
export interface ExportRequest {
  readonly session: string;
  /** See `HistoryPageParams`. */
  readonly branch?: number | undefined;
  /** Replaces what looks like a secret by its kind. */
  readonly redact: boolean;
  /** Told after each page, with the number of entries so far. */
  readonly onProgress?: (entries: number) => void;
}

/** Entries of one answer of the hub. */
const PAGE = 200;
const LONGEST_TEXT = 4_000_000;
const LARGEST_PICTURE = 8_000_000;

/** Fetches a conversation with everything in it, page by page. @throws {HubError} */
export async function fetchConversation(hub: HubClient, request: ExportRequest): Promise<ExportedConversation> {
  const { session: asked, redact, onProgress = () => undefined } = request;
  const { session, agents, branches, backlog } = await hub.request('history/session', { session: asked });
  let count = 0;
  const all = async (agent?: string): Promise<Entry[]> => {
    const entries: Entry[] = [];
    let from: 'start' | { after: number } = 'start';
    for (;;) {
      const page: HistoryPageResult = await hub.request('history/page', {
        session: session.session,
        from,
        limit: PAGE,
        textLimit: LONGEST_TEXT,
        dataLimit: LARGEST_PICTURE,
        ...(agent === undefined ? {} : { agent }),
        ...(agent !== undefined || request.branch === undefined ? {} : { branch: request.branch }),
      });
      for (const entry of page.entries) entries.push(redact ? maskedEntry(entry as Entry) : (entry as Entry));
      onProgress((count += page.entries.length));
      if (page.after === null) return entries;
      from = { after: page.after };
    }
  };
  const masked = <T extends string | null>(text: T): T => (redact && text !== null ? (maskSecrets(text) as T) : text);
  const entries = await all();
  const told = [];
  for (const { agent, title } of agents) told.push({ agent, title: masked(title), entries: await all(agent) });
  return {
    detail: {
      session: { ...session, title: masked(session.title) },
      agents: agents.map((one) => ({ ...one, title: masked(one.title) })),
      branches: branches.map((one) => ({ ...one, prompt: masked(one.prompt) })),
    },
    entries,
    backlog,
    agents: told,
  };
}

function maskedEntry(entry: Entry): Entry {
  return {
    ...entry,
    label: entry.label === null ? null : maskSecrets(entry.label),
    blocks: entry.blocks.map(maskedBlock),
  };
}

function maskedBlock(block: EntryBlock): EntryBlock {
  switch (block.kind) {
    case 'text':
    case 'thinking':
      return { ...block, text: maskSecrets(block.text) };
    case 'tool': {
      const input = { ...block.input, text: maskSecrets(block.input.text) };
      const outcome = block.outcome === null ? null : maskedOutcome(block.outcome);
      return { ...block, summary: maskSecrets(block.summary), input, outcome };
    }
    case 'outcome':
      return { ...block, outcome: maskedOutcome(block.outcome) };
    case 'image':
    case 'document':
      // What a picture shows nobody here can tell: it is left out.
      return { ...block, data: null };
    case 'redacted-thinking':
    case 'unknown':
      return block;
  }
}

function maskedOutcome(outcome: Outcome): Outcome {
  return { ...outcome, parts: outcome.parts.map(maskedBlock) };
}
