import type { UnixMs } from '../domain.ts';
import { instantOf } from '../log/record.ts';
import { blocksOf, textOf, type Block } from './block.ts';
import { isCommandText } from './command-text.ts';

/** Tokens of one answer of the API. */
export interface Usage {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/**
 * What a record is to somebody who reads the conversation.
 *
 * - `prompt`: what a person said. `answer`: what the model said, thought or asked a tool for. `results`: what tools returned, nothing else.
 * - `note`: what the CLI put in between (commands and their output, reminders, interruptions, hooks).
 * - `boundary`: here the conversation was compacted. `summary`: what the model was told of the part before.
 * - `attachment`: something that the user attached, with content. `silent`: bookkeeping that nobody reads.
 * - `state`: a record without uuid that says something of the session (title, mode, checkpoint ...).
 */
export type RecordKind =
  'prompt' | 'answer' | 'results' | 'note' | 'boundary' | 'summary' | 'attachment' | 'silent' | 'state';

/** One line of a transcript, read as part of a conversation. Whatever is missing or of another type is `null`. */
export interface ConversationRecord {
  readonly kind: RecordKind;
  readonly type: string;
  readonly subtype: string | null;
  readonly uuid: string | null;
  /** The record before this one; of a compaction boundary the last one before the compaction. */
  readonly parentUuid: string | null;
  /** Of a checkpoint (`last-prompt`): the record that the CLI resumes. */
  readonly leafUuid: string | null;
  readonly at: UnixMs | null;
  readonly sessionId: string | null;
  readonly cwd: string | null;
  readonly gitBranch: string | null;
  readonly version: string | null;
  /** Of a subagent's record. */
  readonly agentId: string | null;
  readonly isSidechain: boolean;
  readonly isMeta: boolean;
  /** Id of the API's answer that this is a part of. */
  readonly messageId: string | null;
  readonly model: string | null;
  readonly usage: Usage | null;
  /** Of messages; of a note or an attachment its text. */
  readonly blocks: readonly Block[];
  /** The record as it was parsed, for what only single readers want. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** Attachments that hold what somebody wrote or gave; the others are what the CLI tells the model. */
const TELLING_ATTACHMENTS: ReadonlySet<string> = new Set(['queued_command', 'file', 'edited_text_file', 'directory']);

/**
 * Reads a line as a record; `null` when it is none: torn, spliced, no JSON object. Never throws.
 * @param line without its newline.
 */
export function readRecord(line: Buffer | string): ConversationRecord | null {
  let raw: unknown;
  try {
    raw = JSON.parse(typeof line === 'string' ? line : line.toString('utf8'));
  } catch (error) {
    // Not JSON, or too much for a string. Both mean that the CLI sees no record here either.
    if (error instanceof Error) return null;
    throw error;
  }
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw)
    ? recordOf(raw as Readonly<Record<string, unknown>>)
    : null;
}

function recordOf(raw: Readonly<Record<string, unknown>>): ConversationRecord {
  const type = text(raw['type']) ?? '';
  const subtype = text(raw['subtype']);
  const message = object(raw['message']);
  const uuid = text(raw['uuid']);
  const isMeta = raw['isMeta'] === true;
  const blocks = blocksIn(type, raw, message);
  const kind = uuid === null ? 'state' : kindOf(type, subtype, raw, blocks, isMeta);
  return {
    kind,
    type,
    subtype,
    uuid,
    parentUuid: text(raw['parentUuid']) ?? text(raw['logicalParentUuid']),
    leafUuid: type === 'last-prompt' ? text(raw['leafUuid']) : null,
    at: instantOf(raw['timestamp']),
    sessionId: text(raw['sessionId']),
    cwd: text(raw['cwd']),
    gitBranch: text(raw['gitBranch']),
    version: text(raw['version']),
    agentId: text(raw['agentId']),
    isSidechain: raw['isSidechain'] === true,
    isMeta,
    messageId: text(message?.['id']),
    model: text(message?.['model']),
    usage: usageOf(message?.['usage']),
    blocks,
    raw,
  };
}

function kindOf(
  type: string,
  subtype: string | null,
  raw: Readonly<Record<string, unknown>>,
  blocks: readonly Block[],
  isMeta: boolean,
): RecordKind {
  switch (type) {
    case 'assistant':
      return 'answer';
    case 'user': {
      if (raw['isCompactSummary'] === true) return 'summary';
      if (blocks.length > 0 && blocks.every(({ kind }) => kind === 'tool-result')) return 'results';
      // A prompt of images alone is one too.
      const isNote = isMeta || (isCommandText(textOf(blocks)) && blocks.every(({ kind }) => kind === 'text'));
      return isNote || blocks.length === 0 ? 'note' : 'prompt';
    }
    case 'system':
      if (subtype === 'compact_boundary') return 'boundary';
      return blocks.length > 0 ? 'note' : 'silent';
    case 'attachment':
      return blocks.length > 0 ? 'attachment' : 'silent';
    default:
      // Among them `progress` of old versions: its children hang below it, so it keeps its place in the tree.
      return 'silent';
  }
}

function blocksIn(
  type: string,
  raw: Readonly<Record<string, unknown>>,
  message: Readonly<Record<string, unknown>> | null,
): Block[] {
  if (type === 'user' || type === 'assistant') return blocksOf(message?.['content']);
  if (type === 'system') return blocksOf(raw['content']);
  if (type !== 'attachment') return [];
  const attachment = object(raw['attachment']);
  if (attachment === null || !TELLING_ATTACHMENTS.has(text(attachment['type']) ?? '')) return [];
  const file = object(object(attachment['content'])?.['file']);
  const content =
    attachment['prompt'] ?? file?.['content'] ?? attachment['snippet'] ?? attachment['content'] ?? file?.['base64'];
  return blocksOf(content);
}

function usageOf(value: unknown): Usage | null {
  const raw = object(value);
  if (raw === null) return null;
  return {
    input: count(raw['input_tokens']),
    output: count(raw['output_tokens']),
    cacheRead: count(raw['cache_read_input_tokens']),
    cacheWrite: count(raw['cache_creation_input_tokens']),
  };
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function object(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
