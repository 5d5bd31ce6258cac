import { pointInTime } from '../figures.ts';
import type { ExportedConversation } from './conversation.ts';
import { outcomeText, turnsOf, type Entry, type EntryBlock } from './entry.ts';
import { factsOf } from './facts.ts';

/** A conversation as Markdown (GitHub's): what was said as it was written, tools collapsed. */
export function toMarkdown(conversation: ExportedConversation): string {
  const { detail, entries, agents } = conversation;
  const lines = [`# ${inline(detail.session.title ?? detail.session.session)}`, ''];
  for (const [name, value] of factsOf(conversation)) lines.push(`- **${name}**: ${inline(value)}`);
  lines.push('', ...turns(entries, '##'));
  for (const { agent, title, entries: told } of agents)
    lines.push(`## Subagent ${inline(agent)}${title === null ? '' : `: ${inline(title)}`}`, '', ...turns(told, '###'));
  return `${lines.join('\n').trimEnd()}\n`;
}

function turns(entries: readonly Entry[], heading: string): string[] {
  return turnsOf(entries).flatMap(({ speaker, entries: said }) => {
    const at = said[0]?.at ?? null;
    const label = said[0]?.label ?? null;
    return [
      `${heading} ${inline(speaker)}${label === null ? '' : `: ${inline(label)}`}${at === null ? '' : ` · ${pointInTime(at)}`}`,
      '',
      ...said.flatMap((entry) => entry.blocks.flatMap((block) => blockLines(block, entry))),
    ];
  });
}

function blockLines(block: EntryBlock, entry: Entry): string[] {
  switch (block.kind) {
    case 'text':
      // What the CLI put in is no Markdown of anybody.
      return entry.kind === 'prompt' || entry.kind === 'answer' || entry.kind === 'summary'
        ? [block.text, '']
        : details('Text', fenced(block.text, ''));
    case 'thinking':
      return details('Thinking', [block.text]);
    case 'redacted-thinking':
      return ['*Thinking, encrypted*', ''];
    case 'tool': {
      const { name, summary, input, outcome } = block;
      const state = outcome === null ? ' (no result)' : outcome.isError ? ' (failed)' : '';
      const result = outcome === null ? [] : ['', ...fenced(outcomeText(outcome), '')];
      return details(`${name}${summary === '' ? '' : `: ${summary}`}${state}`, [
        ...fenced(input.text, 'json'),
        ...result,
      ]);
    }
    case 'outcome':
      return details(block.outcome.isError ? 'Result (failed)' : 'Result', fenced(outcomeText(block.outcome), ''));
    case 'image':
    case 'document':
      return [`*${block.kind} ${inline(block.mediaType)}, ${block.bytes} bytes*`, ''];
    case 'unknown':
      return [`*${inline(block.name)}*`, ''];
  }
}

function details(summary: string, content: readonly string[]): string[] {
  return [
    `<details><summary>${escapeHtml(summary.replace(/\s+/g, ' '))}</summary>`,
    '',
    ...content,
    '',
    '</details>',
    '',
  ];
}

/** Between fences that are longer than each in the text. */
function fenced(text: string, language: string): string[] {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([row]) => row.length));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}${language}`, text, fence];
}

/** One line on which nothing is markup. */
function inline(text: string): string {
  return escapeHtml(text.replace(/\s+/g, ' ')).replace(/[\\`*_[\]#|~]/g, '\\$&');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
