import type { Block } from './block.ts';
import { spokenText } from './command-text.ts';
import type { ConversationRecord } from './record.ts';
import { titleIn } from './title.ts';

/**
 * Who says a passage. The place of a role in this list is part of the index on the disk: new ones go to the end, at most eight.
 */
export const ROLES = ['title', 'prompt', 'answer', 'thinking', 'tool', 'result', 'note'] as const;

/** See {@link ROLES}. */
export type Role = (typeof ROLES)[number];

/** Stands between texts of a record that were not written as one: words on its two sides are not in a row. */
export const PART_BREAK = '\u001e';

/** What can be searched of one record in one role. */
export interface Passage {
  readonly role: Role;
  readonly text: string;
}

/** The searchable texts of a record, at most one per role. Pictures, encrypted thinking and bookkeeping are none. */
export function passagesOf(record: ConversationRecord): Passage[] {
  if (record.kind === 'state') {
    const title = titleIn(record);
    return title === null ? [] : [{ role: 'title', text: title.text }];
  }
  const said = roleOfText(record);
  if (said === null) return [];
  const texts = new Map<Role, string[]>();
  const add = (role: Role, text: string): void => {
    if (text === '') return;
    const list = texts.get(role);
    if (list === undefined) texts.set(role, [text]);
    else list.push(text);
  };
  for (const block of record.blocks) {
    if (block.kind === 'text') add(said, said === 'prompt' ? spokenText(block.text) : block.text);
    else if (block.kind === 'thinking') add('thinking', block.text);
    else if (block.kind === 'tool-use') add('tool', block.name + PART_BREAK + inputText(block.input));
    else if (block.kind === 'tool-result') add('result', resultText(block.parts));
    else if (block.kind === 'document' && block.source.kind === 'text') add(said, block.source.text);
  }
  return [...texts].map(([role, parts]) => ({ role, text: parts.length === 1 ? parts[0]! : parts.join(PART_BREAK) }));
}

/** All texts in the input of a tool, apart by `PART_BREAK`: names of parameters are not what anybody searches for. */
export function inputText(input: unknown): string {
  const texts: string[] = [];
  collect(input, texts, 0);
  return texts.join(PART_BREAK);
}

/** The text of what a tool returned. */
export function resultText(parts: readonly Block[]): string {
  return parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join(PART_BREAK);
}

/** Deeper structures are not looked into: they would be a way to overflow the stack. */
const DEEPEST = 50;

function collect(value: unknown, texts: string[], depth: number): void {
  if (typeof value === 'string') {
    if (value !== '') texts.push(value);
  } else if (typeof value === 'number') texts.push(String(value));
  else if (typeof value === 'object' && value !== null && depth < DEEPEST)
    for (const part of Object.values(value)) collect(part, texts, depth + 1);
}

function roleOfText({ kind, type, raw }: ConversationRecord): Role | null {
  switch (kind) {
    case 'prompt':
      return 'prompt';
    case 'answer':
      return 'answer';
    case 'results':
      return 'result';
    case 'note':
    case 'summary':
      return 'note';
    case 'attachment': {
      const attachment = raw['attachment'] as { readonly type?: unknown } | undefined;
      return type === 'attachment' && attachment?.type === 'queued_command' ? 'prompt' : 'note';
    }
    case 'boundary':
    case 'silent':
    case 'state':
      return null;
  }
}
