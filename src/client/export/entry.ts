import type { Entry as CoreEntry, EntryBlock as CoreBlock, ToolOutcome } from '../../core/conversation/entry.ts';

/** As the protocol carries it; its schema does not follow parts of parts, the type does. */
export type Entry = CoreEntry;
/** See {@link Entry}. */
export type EntryBlock = CoreBlock;
/** See {@link Entry}. */
export type Outcome = ToolOutcome;

/** Who says an entry, in a word for people. */
export function speakerOf({ kind, model }: Pick<Entry, 'kind' | 'model'>): string {
  switch (kind) {
    case 'prompt':
      return 'You';
    case 'answer':
      return model === null ? 'Claude' : `Claude (${model})`;
    case 'results':
      return 'Tool';
    case 'note':
      return 'Note';
    case 'boundary':
      return 'Compacted';
    case 'summary':
      return 'Summary of what came before';
    case 'attachment':
      return 'Attachment';
  }
}

/** Entries that one speaker says without a break, so that an answer in ten records has one heading. */
export function turnsOf(entries: readonly Entry[]): { readonly speaker: string; readonly entries: readonly Entry[] }[] {
  const turns: { speaker: string; entries: Entry[] }[] = [];
  for (const entry of entries) {
    const speaker = speakerOf(entry);
    const last = turns.at(-1);
    const joins =
      last !== undefined && last.speaker === speaker && (entry.kind === 'answer' || entry.kind === 'results');
    if (joins) last.entries.push(entry);
    else turns.push({ speaker, entries: [entry] });
  }
  return turns;
}

/** The text of an outcome: pictures are named, not shown. */
export function outcomeText({ parts }: Outcome): string {
  return parts
    .map((part) => {
      if (part.kind === 'text' || part.kind === 'thinking') return part.text;
      if (part.kind === 'image' || part.kind === 'document') return `[${part.kind} ${part.mediaType}]`;
      return `[${part.kind}]`;
    })
    .join('\n');
}
