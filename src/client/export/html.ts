import MarkdownIt from 'markdown-it';
import { pointInTime } from '../figures.ts';
import type { ExportedConversation } from './conversation.ts';
import { outcomeText, turnsOf, type Entry, type EntryBlock } from './entry.ts';
import { factsOf } from './facts.ts';

type Renderer = InstanceType<typeof MarkdownIt>;

/** The page loads nothing and runs nothing, whatever is in the conversation. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

const STYLE = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: 0 0 2rem; }
dt { opacity: .7; } dd { margin: 0; }
section { border-top: 1px solid var(--line); padding: .5rem 0; }
section.you { border-left: 4px solid #d97757; padding-left: 1rem; }
h2, h3 { font-size: 1rem; margin: .5rem 0; } time { font-weight: normal; opacity: .7; margin-left: .5rem; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: 4px; font-size: .85rem; white-space: pre-wrap; }
details { border: 1px solid var(--line); border-radius: 4px; padding: .25rem .75rem; margin: .5rem 0; }
summary { cursor: pointer; } .failed > summary { color: #c0392b; }
table { border-collapse: collapse; } td, th { border: 1px solid var(--line); padding: .25rem .5rem; }
img { max-width: 100%; }
@media print { details { break-inside: avoid; } }
`;

/** Pictures that a browser shows and that cannot hold a script. */
const PICTURE = /^image\/(?:png|jpeg|gif|webp)$/;

/** A conversation as one HTML file that opens anywhere: no scripts, nothing loaded, tools collapsed. */
export function toHtml(conversation: ExportedConversation): string {
  const { detail, entries, agents } = conversation;
  const title = escapeHtml(detail.session.title ?? detail.session.session);
  const facts = factsOf(conversation).map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`);
  const markdown = renderer();
  const parts = [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">',
    `<title>${title}</title><style>${STYLE}</style></head><body><main>`,
    `<h1>${title}</h1><dl>${facts.join('')}</dl>`,
    ...sections(entries, 'h2', markdown),
  ];
  for (const { agent, title: name, entries: told } of agents) {
    const heading = `Subagent ${escapeHtml(agent)}${name === null ? '' : `: ${escapeHtml(name)}`}`;
    parts.push(`<details><summary>${heading}</summary>`, ...sections(told, 'h3', markdown), '</details>');
  }
  parts.push('</main></body></html>', '');
  return parts.join('\n');
}

function sections(entries: readonly Entry[], heading: 'h2' | 'h3', markdown: Renderer): string[] {
  return turnsOf(entries).map(({ speaker, entries: said }) => {
    const { at = null, label = null, kind } = said[0] ?? {};
    const time = at === null ? '' : `<time datetime="${new Date(at).toISOString()}">${pointInTime(at)}</time>`;
    const name = `${escapeHtml(speaker)}${label === null ? '' : `: ${escapeHtml(label)}`}`;
    const blocks = said.flatMap((entry) => entry.blocks.map((block) => blockHtml(block, entry, markdown)));
    return `<section${kind === 'prompt' ? ' class="you"' : ''}><${heading}>${name}${time}</${heading}>\n${blocks.join('\n')}</section>`;
  });
}

function blockHtml(block: EntryBlock, entry: Entry, markdown: Renderer): string {
  switch (block.kind) {
    case 'text':
      return entry.kind === 'prompt' || entry.kind === 'answer' || entry.kind === 'summary'
        ? markdown.render(block.text)
        : details('Text', pre(block.text));
    case 'thinking':
      return details('Thinking', markdown.render(block.text));
    case 'redacted-thinking':
      return '<p><em>Thinking, encrypted</em></p>';
    case 'tool': {
      const { name, summary, input, outcome } = block;
      const state = outcome === null ? ' (no result)' : outcome.isError ? ' (failed)' : '';
      const result = outcome === null ? '' : pre(outcomeText(outcome)) + pictures(outcome.parts);
      const heading = `${name}${summary === '' ? '' : `: ${summary}`}${state}`;
      return details(heading, pre(input.text) + result, outcome?.isError === true);
    }
    case 'outcome':
      return details('Result', pre(outcomeText(block.outcome)) + pictures(block.outcome.parts), block.outcome.isError);
    case 'image':
    case 'document':
      return pictures([block]);
    case 'unknown':
      return `<p><em>${escapeHtml(block.name)}</em></p>`;
  }
}

function pictures(parts: readonly EntryBlock[]): string {
  return parts
    .map((part) => {
      if (part.kind !== 'image' && part.kind !== 'document') return '';
      const name = `${part.kind} ${part.mediaType}, ${part.bytes} bytes`;
      if (part.data === null || !PICTURE.test(part.mediaType) || !/^[A-Za-z0-9+/=\s]*$/.test(part.data))
        return `<p><em>${escapeHtml(name)}</em></p>`;
      return `<p><img alt="${escapeHtml(name)}" src="data:${part.mediaType};base64,${part.data}"></p>`;
    })
    .join('');
}

function details(summary: string, content: string, isFailure = false): string {
  return `<details${isFailure ? ' class="failed"' : ''}><summary>${escapeHtml(summary)}</summary>${content}</details>`;
}

function pre(text: string): string {
  return `<pre><code>${escapeHtml(text)}</code></pre>`;
}

/** Markdown as the conversation has it: its HTML is text, its pictures are links, and links go to the web only. */
function renderer(): Renderer {
  const markdown = new MarkdownIt({ html: false, linkify: false, breaks: true });
  markdown.validateLink = (url) => /^(?:https?:|mailto:|#)/i.test(url.trim());
  markdown.renderer.rules['image'] = (tokens, at) => {
    const token = tokens[at];
    return escapeHtml(`[picture: ${token?.content ?? ''} ${token?.attrGet('src') ?? ''}]`);
  };
  markdown.renderer.rules['link_open'] = (tokens, at, options, _environment, self) => {
    tokens[at]?.attrSet('rel', 'noreferrer noopener');
    return self.renderToken(tokens, at, options);
  };
  return markdown;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
