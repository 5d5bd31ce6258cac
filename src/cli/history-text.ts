import { outcomeText, turnsOf, type Entry, type EntryBlock } from '../client/export/entry.ts';
import { ago, bytes, count, pointInTime } from '../client/figures.ts';
import { plainLine, plainText } from '../client/plain-text.ts';
import type {
  HistoryProjectsResult,
  HistorySearchResult,
  HistorySecretsResult,
  HistorySessionResult,
  HistorySessionsResult,
  Session,
} from '../protocol/history.ts';
import type { Cli } from './cli.ts';
import { table } from './table.ts';

/** Characters of a uuid that are shown, as long as they tell it from the others. */
const SHORT = 8;
/** Lines of what a tool returned that are shown. */
const OUTCOME_LINES = 5;
const TITLE_WIDTH = 60;

/** Prints projects with how many conversations each has. */
export function printProjects({ out, world }: Cli, { projects, backlog }: HistoryProjectsResult): void {
  const rows = projects.map(({ name, sessions, lastAt, places }) => [
    name ?? '(not known yet)',
    String(sessions),
    lastAt === null ? '' : ago(lastAt, world.now()),
    Object.keys(places).join(', '),
  ]);
  out.line(table(['PROJECT', 'CONVERSATIONS', 'LAST', 'ON'], rows));
  noteBacklog(out, backlog);
}

/** Prints a list of conversations. */
export function printSessions(
  { out, world }: Cli,
  { sessions, total, backlog }: HistorySessionsResult,
  offset: number,
): void {
  if (sessions.length === 0) out.line('no conversations');
  else {
    const telling = tellingLength(sessions.map(({ session }) => session));
    const rows = sessions.map((one) => [
      one.session.slice(0, telling),
      shortened(one.title ?? '(no title)'),
      one.projectName ?? '',
      one.lastAt === null ? '' : ago(one.lastAt, world.now()),
      String(one.prompts),
      bytes(one.bytes),
      whereOf(one),
    ]);
    out.line(table(['SESSION', 'TITLE', 'PROJECT', 'LAST', 'PROMPTS', 'SIZE', 'ON'], rows));
  }
  if (offset + sessions.length < total)
    out.note(`${offset + sessions.length} of ${total}; the next ones: --offset ${offset + sessions.length}`);
  noteBacklog(out, backlog);
}

/** Prints where secrets were found, and of what kind. */
export function printSecrets({ out, world }: Cli, { sessions, isComplete }: HistorySecretsResult): void {
  if (sessions.length === 0) out.line(isComplete ? 'nothing that looks like a token or key' : 'nothing found so far');
  else {
    const rows = sessions.map(({ session, title, projectName, lastAt, secrets }) => [
      session,
      secrets
        .map(({ kind, lines, agent }) => `${kind} in ${count(lines, 'line')}${agent === null ? '' : ` of ${agent}`}`)
        .join(', '),
      projectName ?? '',
      lastAt === null ? '' : ago(lastAt, world.now()),
      shortened(title ?? '(no title)'),
    ]);
    out.line(table(['SESSION', 'FOUND', 'PROJECT', 'LAST', 'TITLE'], rows));
    out.note('They lie on every machine that has the conversation. Revoke them: that helps at once and for good.');
  }
  if (!isComplete) out.note('not complete yet, conversations are still being looked through');
}

/** Prints what a search found, under the conversations it was found in. */
export function printHits({ out, world }: Cli, { hits, cursor, backlog }: HistorySearchResult): void {
  if (hits.length === 0) out.line('nothing found');
  let session = '';
  for (const hit of hits) {
    if (hit.session !== session) {
      session = hit.session;
      const title = plainLine(hit.title ?? '(no title)');
      out.line(
        `${out.tint('bold', title)}  ${out.tint('dim', `${session} ${plainLine(hit.projectName ?? '')}`.trimEnd())}`,
      );
    }
    const tool = hit.tool === null ? '' : ` ${plainLine(hit.tool)}`;
    const at = hit.at === null ? '' : `, ${ago(hit.at, world.now())}`;
    out.line(`  ${hit.role}${tool}${at}: ${hit.snippet === null ? '(a long line)' : marked(out, hit.snippet)}`);
  }
  if (cursor !== null) out.note(`there is more: add --cursor ${cursor}`);
  noteBacklog(out, backlog);
}

/** Prints a conversation: what it is, how to resume it, and entries of it. */
export function printSession(
  cli: Cli,
  detail: HistorySessionResult,
  entries: readonly Entry[],
  hasEarlier: boolean,
): void {
  const { out, world } = cli;
  const { session, agents, branches, resume, backlog } = detail;
  out.line(out.tint('bold', plainLine(session.title ?? '(no title)')));
  const { tokens } = session;
  const period = [session.firstAt, session.lastAt].map((at) => (at === null ? '?' : pointInTime(at))).join(' to ');
  const facts: [string, string][] = [
    ['session', session.session],
    ['project', session.projectName ?? 'not known'],
    ['on', whereOf(session)],
    ['time', `${period}${session.lastAt === null ? '' : ` (${ago(session.lastAt, world.now())})`}`],
    ['branch', session.gitBranch ?? ''],
    ['models', Object.keys(session.models).join(', ')],
    ['size', `${bytes(session.bytes)}, ${count(session.prompts, 'prompt')}, ${count(session.toolCalls, 'tool call')}`],
    [
      'tokens',
      `${tokens.input} in, ${tokens.output} out, ${tokens.cacheRead} from cache, ${tokens.cacheWrite} to cache`,
    ],
    [
      'subagents',
      agents.map(({ agent, title }) => (title === null ? agent : `${agent} (${shortened(title)})`)).join(', '),
    ],
    ['branches', branches.length === 0 ? '' : `${branches.length} besides this one: --json tells them`],
    ['damage', session.damagedLines === 0 ? '' : `${count(session.damagedLines, 'line')} that cannot be read`],
  ];
  for (const [name, value] of facts) if (value !== '') out.line(`  ${name.padEnd(9)} ${plainLine(value)}`);
  out.line();
  out.line('resume');
  for (const { machine, command, reason, warnings } of resume) {
    out.line(`  ${plainLine(machine)}: ${plainLine(command ?? out.tint('dim', `not possible: ${reason ?? ''}`))}`);
    for (const warning of warnings) out.line(`    ${out.tint('yellow', plainLine(warning))}`);
  }
  out.line();
  if (hasEarlier) out.line(out.tint('dim', '... (earlier entries: --limit, --from start, or history export)'));
  for (const { speaker, entries: said } of turnsOf(entries)) {
    const at = said[0]?.at ?? null;
    const label = said[0]?.label ?? null;
    const heading = `${plainLine(speaker)}${label === null ? '' : `: ${plainLine(label)}`}`;
    out.line(`${out.tint('cyan', heading)}${at === null ? '' : out.tint('dim', `  ${pointInTime(at)}`)}`);
    // A note is in its heading already.
    for (const entry of said) if (entry.kind !== 'note') for (const block of entry.blocks) printBlock(cli, block);
    out.line();
  }
  noteBacklog(out, backlog);
}

function printBlock({ out }: Cli, block: EntryBlock): void {
  switch (block.kind) {
    case 'text':
      return out.line(indented(block.text, block.length));
    case 'thinking':
      return out.line(out.tint('dim', `  (thinking, ${block.length} characters)`));
    case 'tool': {
      const { name, summary, outcome } = block;
      const state = outcome === null ? 'no result' : outcome.isError ? 'failed' : 'done';
      out.line(
        `  ${out.tint(outcome?.isError === true ? 'red' : 'dim', `[${plainLine(name)}: ${plainLine(summary)}] ${state}`)}`,
      );
      if (outcome !== null) printOutcome(out, outcomeText(outcome));
      return;
    }
    case 'outcome':
      return printOutcome(out, outcomeText(block.outcome));
    case 'image':
    case 'document':
      return out.line(`  (${block.kind}, ${plainLine(block.mediaType)}, ${bytes(block.bytes)})`);
    case 'redacted-thinking':
      return out.line(out.tint('dim', '  (thinking, encrypted)'));
    case 'unknown':
      return out.line(`  (${plainLine(block.name)})`);
  }
}

function printOutcome(out: Cli['out'], text: string): void {
  const lines = plainText(text).split('\n');
  for (const line of lines.slice(0, OUTCOME_LINES)) out.line(out.tint('dim', `    ${line.slice(0, 200)}`));
  if (lines.length > OUTCOME_LINES) out.line(out.tint('dim', `    ... ${lines.length - OUTCOME_LINES} more lines`));
}

/** What was said is indented below our own words, so that no line of it can pass for one of them. */
function indented(text: string, length: number): string {
  const lines = plainText(text)
    .split('\n')
    .map((line) => `  ${line}`.trimEnd());
  if (text.length < length) lines.push(`  ... (${length} characters in all)`);
  return lines.join('\n');
}

/** The marks count characters of the snippet as it came: each piece is made harmless by itself. */
function marked(out: Cli['out'], { text, marks }: NonNullable<HistorySearchResult['hits'][number]['snippet']>): string {
  let line = '';
  let done = 0;
  for (const [from, to] of marks) {
    line += plainLine(text.slice(done, from)) + out.tint('yellow', plainLine(text.slice(from, to)));
    done = to;
  }
  return line + plainLine(text.slice(done));
}

function whereOf({ machines, live, archivedOnly, diverged }: Session): string {
  if (archivedOnly) return 'archive only';
  const names = machines.map((name) => (live.includes(name) ? `${name} (open)` : name)).join(', ');
  return diverged ? `${names} (copies differ)` : names;
}

function tellingLength(sessions: readonly string[]): number {
  let length = SHORT;
  while (length < 36 && new Set(sessions.map((session) => session.slice(0, length))).size < sessions.length)
    length += 1;
  return length;
}

function shortened(text: string): string {
  return text.length > TITLE_WIDTH ? `${text.slice(0, TITLE_WIDTH - 1)}…` : text;
}

function noteBacklog(out: Cli['out'], backlog: HistorySessionsResult['backlog']): void {
  if (backlog === null) return;
  const left = backlog.logs === 0 ? '' : `: ${count(backlog.logs, 'log')}, ${bytes(backlog.bytes)}`;
  out.note(`not complete yet, conversations are still being read${left}`);
}
