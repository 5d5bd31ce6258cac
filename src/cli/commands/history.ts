import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { fetchConversation } from '../../client/export/conversation.ts';
import { toMarkdown } from '../../client/export/markdown.ts';
import type { Entry } from '../../client/export/entry.ts';
import { HubError } from '../../protocol/errors.ts';
import { RoleSchema, type Role } from '../../protocol/history.ts';
import type { Cli, CommandHost } from '../cli.ts';
import { EXIT, UsageError, type ExitCode } from '../failure.ts';
import { printHits, printProjects, printSecrets, printSession, printSessions } from '../history-text.ts';
import { plainText, safeJson } from '../../client/plain-text.ts';
import { wholeNumber } from './arguments.ts';

const ORDERS = ['activity', 'started', 'title', 'prompts', 'tokens', 'size'] as const;
const FORMATS = ['md', 'html', 'json'] as const;

interface ListOptions {
  readonly project?: string;
  readonly machine?: string;
  readonly title?: string;
  readonly live?: true;
  readonly archived?: true;
  readonly projects?: true;
  readonly sort: (typeof ORDERS)[number];
  readonly reverse?: true;
  readonly limit: number;
  readonly offset: number;
}

interface SearchOptions {
  readonly project?: string;
  readonly machine?: string;
  readonly session?: string;
  readonly role?: readonly Role[];
  readonly tool?: string;
  readonly without?: readonly string[];
  readonly after?: number;
  readonly before?: number;
  readonly limit: number;
  readonly cursor?: string;
}

interface ShowOptions {
  readonly limit: number;
  readonly from: 'start' | 'end';
  readonly agent?: string;
  readonly branch?: number;
  readonly around?: number;
}

interface ExportOptions {
  readonly format: (typeof FORMATS)[number];
  readonly output?: string;
  readonly force?: true;
  readonly redact?: true;
  readonly branch?: number;
}

/** `history`: conversations of all machines. */
export function addHistory(program: Command, host: CommandHost): void {
  const history = program.command('history').description('conversations of all machines: find, read, export, resume');

  host
    .command(history, 'list', 'the conversations, the latest first', { isDefault: true })
    .option('--project <name>', 'of one project')
    .option('--machine <name>', 'that this machine has')
    .option('--title <text>', 'with this in their title')
    .addOption(new Option('--live', 'that are open somewhere now').conflicts('archived'))
    .option('--archived', 'that no machine has any more')
    .option('--projects', 'the projects instead, with how many conversations they have')
    .addOption(new Option('--sort <order>', 'order').choices(ORDERS).default('activity'))
    .option('--reverse', 'the other way round')
    .option('--limit <n>', 'rows', wholeNumber, 50)
    .option('--offset <n>', 'rows to leave out first', wholeNumber, 0)
    .action(host.run((cli, options: ListOptions) => list(cli, options)));

  host
    .command(history, 'search', 'search what was said, asked of tools, and returned by them')
    .argument('<query...>', 'words; "words in a row"')
    .option('--without <words...>', 'none of these words')
    .option('--project <name>', 'in one project')
    .option('--machine <name>', 'in conversations that this machine has')
    .option('--session <uuid>', 'in one conversation')
    .addOption(new Option('--role <role...>', 'who says it').choices(RoleSchema.options))
    .option('--tool <name>', 'in calls of this tool and what they returned')
    .option('--after <date>', 'from this day or moment on, for example 2026-01-31', moment)
    .option('--before <date>', 'before this day or moment', moment)
    .option('--limit <n>', 'most results', wholeNumber, 20)
    .option('--cursor <cursor>', 'go on where an earlier page ended')
    .action(host.run((cli, query: string[], options: SearchOptions) => search(cli, query, options)));

  host
    .command(history, 'show', 'one conversation: what it is, where it can be resumed and how, and its last entries')
    .argument('<session>', 'its uuid, or the beginning of it')
    .option('--limit <n>', 'entries', wholeNumber, 20)
    .addOption(new Option('--from <end>', 'which end').choices(['start', 'end']).default('end'))
    .option('--agent <id>', 'the log of a subagent')
    .option('--branch <offset>', 'another branch, as show --json tells it', wholeNumber)
    .option('--around <offset>', 'the entries around this one, as search --json tells it', wholeNumber)
    .action(host.run((cli, session: string, options: ShowOptions) => show(cli, session, options)));

  host
    .command(history, 'secrets', 'conversations in which something looks like a token or key; never the secret itself')
    .argument('[session]', 'only this one')
    .action(host.run((cli, session: string | undefined) => secrets(cli, session)));

  host
    .command(history, 'export', 'write a conversation with everything in it to a file, or to the standard output')
    .argument('<session>', 'its uuid, or the beginning of it')
    .addOption(new Option('--format <format>', 'format').choices(FORMATS).default('md'))
    .option('-o, --output <file>', 'the file; only you can read it')
    .option('--force', 'replace the file if there is one')
    .option('--redact', 'hide what looks like a secret, and leave pictures out')
    .option('--branch <offset>', 'another branch, as show --json tells it', wholeNumber)
    .action(host.run((cli, session: string, options: ExportOptions) => exportSession(cli, session, options)));
}

async function list(cli: Cli, options: ListOptions): Promise<ExitCode> {
  if (options.projects === true) {
    const result = await cli.withHub((hub) => hub.request('history/projects', {}));
    cli.out.result(result, () => printProjects(cli, result));
    return EXIT.done;
  }
  const { project, machine, title, live, archived, sort: order, reverse, limit, offset } = options;
  if (limit < 1 || limit > 500) throw new UsageError('--limit is a number from 1 to 500');
  const state = live === true ? ('live' as const) : archived === true ? ('archived' as const) : undefined;
  // Names are read from A on, everything else from the most or the latest on.
  const ascending = (order === 'title') !== (reverse === true);
  const params = defined({ project, machine, title, state, order, ascending, limit, offset });
  const result = await cli.withHub((hub) => hub.request('history/sessions', params));
  cli.out.result(result, () => printSessions(cli, result, offset));
  return EXIT.done;
}

async function search(cli: Cli, query: readonly string[], options: SearchOptions): Promise<ExitCode> {
  if (options.limit < 1 || options.limit > 200) throw new UsageError('--limit is a number from 1 to 200');
  const { role: roles, project, machine, session, tool, after, before, limit, cursor } = options;
  // A shell has taken the quotes away: several words in one argument were in quotes.
  const inRow = (words: string): string => (/\s/.test(words) && !words.includes('"') ? `"${words}"` : words);
  const wanted = query.length > 1 ? query.map(inRow) : query;
  const text = [...wanted, ...(options.without ?? []).map((words) => `-${inRow(words)}`)].join(' ');
  const params = defined({
    query: text,
    roles: roles === undefined ? undefined : [...roles],
    ...{ project, machine, session, tool, after, before, limit, cursor },
  });
  const result = await cli.withHub((hub) => hub.request('history/search', params));
  cli.out.result(result, () => printHits(cli, result));
  return EXIT.done;
}

async function show(cli: Cli, session: string, options: ShowOptions): Promise<ExitCode> {
  const { limit, agent, branch, around } = options;
  if (limit < 1 || limit > 500) throw new UsageError('--limit is a number from 1 to 500');
  const from = around === undefined ? options.from : { around };
  const { detail, page } = await cli.withHub(async (hub) => ({
    detail: await hub.request('history/session', { session }),
    page: await hub.request('history/page', defined({ session, agent, branch, from, limit, textLimit: 4_000 })),
  }));
  cli.out.result({ ...detail, page }, () => printSession(cli, detail, page.entries as Entry[], page.before !== null));
  return EXIT.done;
}

async function secrets(cli: Cli, session: string | undefined): Promise<ExitCode> {
  const result = await cli.withHub((hub) => hub.request('history/secrets', defined({ session })));
  cli.out.result(result, () => printSecrets(cli, result));
  return EXIT.done;
}

async function exportSession(cli: Cli, session: string, options: ExportOptions): Promise<ExitCode> {
  const { output, force, branch } = options;
  const format = cli.out.json ? 'json' : options.format;
  const conversation = await cli.withHub((hub) =>
    fetchConversation(hub, { session, branch, redact: options.redact === true }),
  );
  if (conversation.backlog !== null) cli.out.note('not complete yet: conversations are still being read');
  let text: string;
  // Only for HTML: it brings a parser of Markdown with it.
  if (format === 'html') text = (await import('../../client/export/html.ts')).toHtml(conversation);
  else if (format === 'md') text = toMarkdown(conversation);
  else text = `${safeJson({ ...conversation, backlog: undefined }, 2)}\n`;
  if (output === undefined) {
    // A file gets it as it is; on a terminal what was said must not do anything.
    cli.world.stdout.write(cli.world.stdout.isTTY === true ? plainText(text) : text);
    return EXIT.done;
  }
  const file = resolve(cli.world.cwd, output);
  await write(file, text, force === true);
  cli.out.note(`${conversation.entries.length} entries written to ${file}`);
  return EXIT.done;
}

/** For its owner alone, like the conversation it comes from. */
async function write(file: string, text: string, force: boolean): Promise<void> {
  try {
    const handle = await open(file, force ? 'w' : 'wx', 0o600);
    try {
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const exists = code === 'EEXIST';
    throw new HubError('io', exists ? `There is a file ${file} already.` : `${file} could not be written: ${message}`, {
      unchanged: exists ? 'It was left as it is.' : null,
      next: exists ? 'Name another file, or add --force.' : null,
      cause: error,
    });
  }
}

/** A day counts from its beginning in UTC, like all times that are printed. */
function moment(text: string): number {
  const at = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2}))?$/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(at)) throw new UsageError(`${text} is no date: write 2026-01-31 or 2026-01-31T12:00:00Z`);
  return at;
}

type Defined<T> = { [Name in keyof T]: Exclude<T[Name], undefined> };

function defined<T extends object>(params: T): Defined<T> {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)) as Defined<T>;
}
