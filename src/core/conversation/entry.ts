import type { UnixMs } from '../domain.ts';
import type { Block } from './block.ts';
import { textOf } from './block.ts';
import { commandLine, isCommandText, spokenText } from './command-text.ts';
import type { ConversationRecord, RecordKind, Usage } from './record.ts';

/** A text that may have been cut off; `length` is that of the whole, in UTF-16 units. */
export interface BoundedText {
  readonly text: string;
  readonly length: number;
}

/** What a tool returned. */
export interface ToolOutcome {
  readonly isError: boolean;
  readonly at: UnixMs | null;
  /** Where its record begins in the log, in bytes. */
  readonly offset: number;
  readonly parts: readonly EntryBlock[];
  /** Id of the subagent that did the work. */
  readonly agent: string | null;
}

/** A block as a reader gets it. */
export type EntryBlock =
  | ({ readonly kind: 'text' | 'thinking' } & BoundedText)
  | { readonly kind: 'redacted-thinking' }
  | {
      readonly kind: 'tool';
      readonly name: string;
      /** JSON. */
      readonly input: BoundedText;
      /** What tells this call from others of its tool: the command, the file, the question. */
      readonly summary: string;
      /** `null`: nothing was returned (yet). */
      readonly outcome: ToolOutcome | null;
    }
  /** An outcome whose call is not known. */
  | { readonly kind: 'outcome'; readonly outcome: ToolOutcome }
  | {
      readonly kind: 'image' | 'document';
      readonly mediaType: string;
      /** Base64 of the content; `null` when it was left out, or is not in the transcript. */
      readonly data: string | null;
      /** Bytes of the content. */
      readonly bytes: number;
    }
  | { readonly kind: 'unknown'; readonly name: string };

/** One record of a conversation as a reader gets it. */
export interface Entry {
  /** Where the record begins in its log, in bytes: its name in requests. */
  readonly offset: number;
  readonly uuid: string | null;
  readonly kind: Exclude<RecordKind, 'silent' | 'state'>;
  readonly at: UnixMs | null;
  /** Records with the same one are parts of one answer. */
  readonly messageId: string | null;
  readonly model: string | null;
  readonly usage: Usage | null;
  /** Of a note: what it says in one line. */
  readonly label: string | null;
  readonly blocks: readonly EntryBlock[];
}

/** How much of an entry is wanted. */
export interface EntryLimits {
  /** Longest text in UTF-16 units. */
  readonly text: number;
  /** Most characters of base64 per picture; larger ones are left out. */
  readonly data: number;
}

/** What an entry needs besides its record. */
export interface EntryContext extends EntryLimits {
  readonly offset: number;
  /** The record in which a tool returned what it was called for, and where it begins; `null` while there is none. */
  readonly outcomeOf: (callId: string) => { readonly record: ConversationRecord; readonly offset: number } | null;
}

/** Longest label and summary. */
const LINE_LENGTH = 200;

/** The entry of a record. */
export function entryOf(record: ConversationRecord, context: EntryContext): Entry {
  const { uuid, at, messageId, model, usage } = record;
  const kind = record.kind === 'silent' || record.kind === 'state' ? 'note' : record.kind;
  const blocks = record.blocks.map((block) => entryBlock(block, record, context));
  return { offset: context.offset, uuid, kind, at, messageId, model, usage, label: labelOf(record), blocks };
}

function entryBlock(block: Block, record: ConversationRecord, context: EntryContext): EntryBlock {
  switch (block.kind) {
    case 'text':
      return { kind: 'text', ...bounded(record.kind === 'prompt' ? spokenText(block.text) : block.text, context) };
    case 'thinking':
      return { kind: 'thinking', ...bounded(block.text, context) };
    case 'tool-use': {
      const found = block.id === null ? null : context.outcomeOf(block.id);
      return {
        kind: 'tool',
        name: block.name,
        input: bounded(JSON.stringify(block.input, null, 2), context),
        summary: summaryOf(block.input),
        outcome: found === null ? null : outcomeOf(block.id, found.record, found.offset, context),
      };
    }
    case 'tool-result':
      return { kind: 'outcome', outcome: outcomeOf(block.id, record, context.offset, context) };
    case 'image':
    case 'document':
      return media(block, context);
    case 'redacted-thinking':
    case 'unknown':
      return block;
  }
}

function outcomeOf(id: string | null, record: ConversationRecord, offset: number, context: EntryContext): ToolOutcome {
  const block = record.blocks.find((one) => one.kind === 'tool-result' && one.id === id);
  const parts = block?.kind === 'tool-result' ? block.parts : [];
  const result = record.raw['toolUseResult'];
  const agent =
    typeof result === 'object' && result !== null && 'agentId' in result && typeof result.agentId === 'string'
      ? result.agentId
      : null;
  return {
    isError: block?.kind === 'tool-result' && block.isError,
    at: record.at,
    offset,
    parts: parts.map((part) => entryBlock(part, record, { ...context, outcomeOf: () => null })),
    agent,
  };
}

function media(block: Extract<Block, { kind: 'image' | 'document' }>, { data }: EntryLimits): EntryBlock {
  const { kind, mediaType, source } = block;
  if (source.kind === 'text') return { kind: 'text', text: source.text.slice(0, data), length: source.text.length };
  if (source.kind === 'elsewhere') return { kind, mediaType, data: null, bytes: 0 };
  const bytes = Math.floor((source.data.length * 3) / 4);
  return { kind, mediaType, data: source.data.length <= data ? source.data : null, bytes };
}

function bounded(text: string, { text: most }: EntryLimits): BoundedText {
  return { text: text.length > most ? text.slice(0, most).toWellFormed() : text.toWellFormed(), length: text.length };
}

function labelOf(record: ConversationRecord): string | null {
  switch (record.kind) {
    case 'note': {
      const text = textOf(record.blocks);
      return oneLine(isCommandText(text) ? commandLine(text) : text);
    }
    case 'boundary':
      return oneLine(typeof record.raw['content'] === 'string' ? record.raw['content'] : 'Conversation compacted');
    case 'attachment': {
      const attachment = record.raw['attachment'] as { readonly filename?: unknown; readonly displayPath?: unknown };
      const name = attachment.displayPath ?? attachment.filename;
      return typeof name === 'string' ? oneLine(name) : null;
    }
    default:
      return null;
  }
}

/** What people look for first in a call, in this order. */
const TELLING = [
  'description',
  'command',
  'file_path',
  'path',
  'pattern',
  'query',
  'url',
  'prompt',
  'skill',
  'notebook_path',
];

function summaryOf(input: unknown): string {
  if (typeof input === 'string') return oneLine(input);
  if (typeof input !== 'object' || input === null) return '';
  const values = input as Readonly<Record<string, unknown>>;
  for (const name of TELLING) {
    const value = values[name];
    if (typeof value === 'string' && value.trim() !== '') return oneLine(value);
  }
  const first = Object.values(values).find((value) => typeof value === 'string' && value.trim() !== '');
  return typeof first === 'string' ? oneLine(first) : '';
}

function oneLine(text: string): string {
  const line = text
    .slice(0, 4 * LINE_LENGTH)
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > LINE_LENGTH ? `${line.slice(0, LINE_LENGTH - 1).toWellFormed()}…` : line.toWellFormed();
}
