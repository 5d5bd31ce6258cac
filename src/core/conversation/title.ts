import { textOf } from './block.ts';
import { spokenText } from './command-text.ts';
import type { ConversationRecord } from './record.ts';

/** Where a title comes from, the one that counts most first (Claude Code's own order). */
export const TITLE_SOURCES = ['custom', 'file', 'ai', 'summary', 'prompt'] as const;

/** See {@link TITLE_SOURCES}; `file` is `custom-title.json` beside the transcript. */
export type TitleSource = (typeof TITLE_SOURCES)[number];

/** The titles of a session by source, each the last one said; `prompt` is the first. */
export type Titles = Readonly<Partial<Record<TitleSource, string>>>;

/** Longer ones are cut: a title is for a list. */
const LONGEST_TITLE = 200;

/** The title that a record gives to its session; `null` when it gives none. */
export function titleIn(record: ConversationRecord): { readonly source: TitleSource; readonly text: string } | null {
  switch (record.type) {
    case 'custom-title':
      return title('custom', record.raw['customTitle'] ?? record.raw['title']);
    case 'ai-title':
      return title('ai', record.raw['aiTitle'] ?? record.raw['title']);
    case 'summary':
      return title('summary', record.raw['summary']);
    default:
      // A text that begins with a tag was not typed.
      return record.kind === 'prompt' && !record.isSidechain ? promptTitle(record) : null;
  }
}

/** The title in a `custom-title.json`; `null` when it holds none. */
export function titleInFile(json: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  if (typeof value === 'string') return title('file', value)?.text ?? null;
  if (typeof value !== 'object' || value === null) return null;
  const raw = value as Readonly<Record<string, unknown>>;
  return title('file', raw['customTitle'] ?? raw['title'])?.text ?? null;
}

/** `titles` with another one taken in. */
export function withTitle(titles: Titles, source: TitleSource, text: string): Titles {
  if (source === 'prompt' && titles.prompt !== undefined) return titles;
  return { ...titles, [source]: text };
}

/** The title that counts. */
export function titleOf(titles: Titles): string | null {
  for (const source of TITLE_SOURCES) {
    const text = titles[source];
    if (text !== undefined) return text;
  }
  return null;
}

function promptTitle(record: ConversationRecord): { source: TitleSource; text: string } | null {
  const text = spokenText(textOf(record.blocks));
  return /^\s*<[a-z]/i.test(text) ? null : title('prompt', text);
}

function title(source: TitleSource, value: unknown): { source: TitleSource; text: string } | null {
  if (typeof value !== 'string') return null;
  const text = value
    .slice(0, 4 * LONGEST_TITLE)
    .replace(/\s+/g, ' ')
    .trim();
  if (text === '') return null;
  return { source, text: text.length > LONGEST_TITLE ? `${text.slice(0, LONGEST_TITLE - 1).toWellFormed()}…` : text };
}
