import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Entry } from '../../src/client/export/entry.ts';
import { fetchConversation, type ExportedConversation } from '../../src/client/export/conversation.ts';
import { toHtml } from '../../src/client/export/html.ts';
import { toMarkdown } from '../../src/client/export/markdown.ts';
import type { HubClient } from '../../src/client/connect.ts';
import type { HistorySessionResult } from '../../src/protocol/history.ts';

const AT = Date.parse('2026-03-01T10:00:00.000Z');
const SESSION = '97de61f6-3d0e-4902-9181-5b4dfc05ffd8';
const SECRET = `ghp_${'a1B2'.repeat(9)}`;
const GOLDEN = new URL('../fixtures/exported-conversation.md', import.meta.url);

const counts = {
  firstAt: AT,
  lastAt: AT + 60_000,
  prompts: 1,
  answers: 2,
  toolCalls: 1,
  tokens: { input: 10, output: 20, cacheRead: 0, cacheWrite: 0 },
  models: { claude: 2 },
  firstCwd: '/home/u/app',
  cwd: '/home/u/app',
  gitBranch: 'main',
  version: '2.1.330',
  compactions: 0,
  damagedLines: 0,
};

const detail: HistorySessionResult = {
  session: {
    ...counts,
    session: SESSION,
    key: `session/${SESSION}`,
    title: 'Fix *the* log <script>',
    project: 'code%2Fapp',
    projectName: 'code/app',
    bytes: 12_345,
    agents: 1,
    machines: ['rog', 'mac'],
    live: [],
    archivedOnly: false,
    diverged: false,
  },
  agents: [{ ...counts, agent: 'ab12', title: 'where is it' }],
  branches: [],
  resume: [],
  backlog: null,
};

const entry = (more: Partial<Entry>): Entry => ({
  offset: 0,
  uuid: 'u',
  kind: 'prompt',
  at: AT,
  messageId: null,
  model: null,
  usage: null,
  label: null,
  blocks: [],
  ...more,
});
const text = (said: string): Entry['blocks'][number] => ({ kind: 'text', text: said, length: said.length });
const outcome = (said: string, isError = false) => ({ isError, at: AT, offset: 9, parts: [text(said)], agent: null });

const entries: Entry[] = [
  entry({ blocks: [text(`Look at \`log.ts\`, token ${SECRET}`)] }),
  entry({ kind: 'note', label: '/compact keep', blocks: [text('<command-name>/compact</command-name>')] }),
  entry({
    kind: 'answer',
    model: 'claude',
    blocks: [{ kind: 'thinking', text: 'hm', length: 2 }, text('I **look**.')],
  }),
  entry({
    kind: 'answer',
    model: 'claude',
    at: AT + 1_000,
    blocks: [
      {
        kind: 'tool',
        name: 'Bash',
        summary: 'cat log.ts',
        input: { text: '{"command":"cat log.ts"}', length: 24 },
        outcome: outcome('```\nfence\n````\n', true),
      },
      { kind: 'image', mediaType: 'image/png', data: 'iVBORw0KGgo=', bytes: 8 },
      { kind: 'redacted-thinking' },
    ],
  }),
];
const agentEntries: Entry[] = [entry({ kind: 'answer', blocks: [text('under the rug')] })];

/** A hub that gives its entries two at a time. */
const hub = {
  async request(
    method: string,
    params: { readonly agent?: string; readonly from?: 'start' | { after: number } },
  ): Promise<unknown> {
    if (method === 'history/session') return detail;
    const all = params.agent === undefined ? entries : agentEntries;
    const at = typeof params.from === 'object' ? params.from.after : 0;
    const more = at + 2 < all.length;
    return {
      session: SESSION,
      entries: all.slice(at, at + 2),
      before: null,
      after: more ? at + 2 : null,
      branch: null,
    };
  },
} as unknown as HubClient;

const fetched = (redact = false): Promise<ExportedConversation> => fetchConversation(hub, { session: SESSION, redact });

describe('an exported conversation', () => {
  it('is all of it, page by page, with what subagents did', async () => {
    const { entries: all, agents } = await fetched();
    assert.deepEqual(all, entries);
    assert.deepEqual(agents, [{ agent: 'ab12', title: 'where is it', entries: agentEntries }]);
  });

  it('reads as Markdown like this', async () => {
    const markdown = toMarkdown(await fetched()).replaceAll(SECRET, '(a token)');
    if (process.env['CLAUDE_SYNC_GOLDEN'] === 'write') writeFileSync(GOLDEN, markdown);
    assert.equal(markdown, readFileSync(GOLDEN, 'utf8'));
  });

  it('holds no secret and no picture when they are to be hidden', async () => {
    const hidden = await fetched(true);
    for (const rendered of [toMarkdown(hidden), toHtml(hidden), JSON.stringify(hidden)]) {
      assert.ok(!rendered.includes(SECRET) && rendered.includes('[hidden:github-token]'));
      assert.ok(!rendered.includes('iVBORw0KGgo'));
    }
  });

  it('is a page that loads nothing and runs nothing, whatever was said', async () => {
    const hostile = [
      '<script>alert(1)</script>',
      '<img src=x onerror=alert(1)>',
      '[x](javascript:alert(1)) [y](data:text/html,x) [z](vbscript:x) ![p](https://evil.example/p.png)',
      '"><svg onload=alert(1)>',
      '</code></pre></details><iframe src="https://evil.example">',
      '<https://ok.example/>',
    ].join('\n\n');
    const blocks: Entry['blocks'] = [
      text(hostile),
      { kind: 'thinking', text: hostile, length: hostile.length },
      { kind: 'tool', name: hostile, summary: hostile, input: text(hostile) as never, outcome: outcome(hostile) },
      { kind: 'image', mediaType: 'image/svg+xml', data: 'PHN2Zy8+', bytes: 6 },
      { kind: 'image', mediaType: 'image/png"onerror="x', data: 'AAAA', bytes: 3 },
      { kind: 'image', mediaType: 'image/png', data: 'AAAA"onerror="x', bytes: 3 },
      { kind: 'unknown', name: hostile },
    ];
    const conversation = {
      ...(await fetched()),
      entries: (['prompt', 'answer', 'note', 'summary'] as const).map((kind) =>
        entry({ kind, label: hostile, blocks }),
      ),
    };
    const html = toHtml(conversation);
    const tags = new Set([...html.matchAll(/<([a-z0-9]+)/gi)].map(([, name]) => name!.toLowerCase()));
    for (const tag of ['script', 'iframe', 'svg', 'object', 'link', 'img', 'form']) assert.ok(!tags.has(tag), tag);
    assert.ok(!/<[^>]*\son[a-z]+\s*=/i.test(html), 'an attribute that runs something');
    const links = [...html.matchAll(/\s(?:href|src)="([^"]*)"/g)].map(([, url]) => url);
    assert.deepEqual([...new Set(links)], ['https://ok.example/']);
    assert.match(html, /Content-Security-Policy" content="default-src 'none'/);
  });

  it('shows pictures that can hold no script', async () => {
    assert.match(toHtml(await fetched()), /<img alt="[^"]*" src="data:image\/png;base64,iVBORw0KGgo=">/);
  });
});
