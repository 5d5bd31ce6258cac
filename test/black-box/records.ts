import { createHash } from 'node:crypto';
import type { Home } from './home.ts';

/** What a test says about a line; the rest is as Claude Code writes it. */
export interface RecordOptions {
  readonly session: string;
  /** Home of the machine that writes: tells `cwd`. */
  readonly home: Home;
  /** Makes the record's uuid; the same name gives the same uuid. */
  readonly name: string;
  /** Name of the record before it. */
  readonly parent?: string | null;
  readonly type?: 'user' | 'assistant';
  readonly text?: string;
  /** Unix ms. */
  readonly at?: number;
}

/** One line of a transcript, without its newline, in the shape of real ones. */
export function record(options: RecordOptions): string {
  const { session, home, name, parent = null, type = 'user', text = name, at = Date.now() } = options;
  return JSON.stringify({
    parentUuid: parent === null ? null : uuidOf(parent),
    isSidechain: false,
    userType: 'external',
    cwd: home.project,
    sessionId: session,
    version: '2.1.330',
    gitBranch: 'main',
    type,
    message:
      type === 'user' ? { role: 'user', content: text } : { role: 'assistant', content: [{ type: 'text', text }] },
    uuid: uuidOf(name),
    timestamp: new Date(at).toISOString(),
  });
}

/** The record that ends what is before it: Claude Code sums it up and goes on from there. */
export function compaction(options: RecordOptions): string {
  const plain = JSON.parse(record(options)) as Record<string, unknown>;
  return JSON.stringify({
    ...plain,
    type: 'system',
    subtype: 'compact_boundary',
    parentUuid: null,
    logicalParentUuid: typeof options.parent !== 'string' ? null : uuidOf(options.parent),
    content: 'Conversation compacted',
    message: undefined,
  });
}

/** A line of the prompt history, as the machine with this home writes it. */
export function prompt(home: Home, session: string, display: string, timestamp: number): string {
  return JSON.stringify({ display, pastedContents: {}, timestamp, project: home.project, sessionId: session });
}

/** A uuid made from a name. */
export function uuidOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
