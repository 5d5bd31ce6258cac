import {
  ATTENTIONS,
  type Pull,
  type PullsListResult,
  type PullsOfSessionResult,
  type PullsStatus,
} from '../protocol/pulls.ts';
import { ago, count, pointInTime } from '../client/figures.ts';
import { ATTENTION_WORDS, BELONGS_WORDS, CHANGE_WORDS } from '../client/pull-words.ts';
import type { Output, Tint } from './output.ts';
import { plainLine } from '../client/plain-text.ts';
import { table } from './table.ts';

/** What pull requests can be grouped by. */
export const GROUPINGS = ['attention', 'repository', 'query'] as const;
export type Grouping = (typeof GROUPINGS)[number];

const NO_QUERY = 'Of no query';

/** What a table is printed with. */
export interface TableContext {
  readonly out: Output;
  /** Unix ms. */
  readonly now: number;
  /** Columns of the screen; `Infinity` where nothing has to be cut. */
  readonly columns: number;
}

/** Colours of the states of checks. */
export const CHECK_TINT: Record<string, Tint> = { failed: 'red', pending: 'yellow', passed: 'green' };

/** A title that would be shorter than this, in columns, is worth giving up something else for. */
const LEAST_TITLE = 24;
/** Column of the title. */
const TITLE = 2;
/** Between two columns. */
const GAP = 2;

/** How much of each column is shown; `changes`: how many words. */
interface Layout {
  readonly changes: number;
  readonly name: number;
  /** 0: the column is left out. */
  readonly author: number;
  /** 0: without the names of those that failed. */
  readonly checks: number;
}

/** From the widest to the narrowest; the first that leaves enough for the titles is taken. */
const LAYOUTS: readonly Layout[] = [
  { changes: Infinity, name: Infinity, author: Infinity, checks: Infinity },
  { changes: 2, name: 40, author: 20, checks: 30 },
  { changes: 1, name: 30, author: 12, checks: 20 },
  { changes: 0, name: 24, author: 10, checks: 0 },
  { changes: 0, name: 24, author: 0, checks: 0 },
];

interface Row {
  readonly pull: Pull;
  readonly cells: readonly string[];
}

/** The rows under their headings, one width of columns for all; nothing for no rows. The order inside a group is the given one. */
export function printPulls(context: TableContext, pulls: readonly Pull[], by: Grouping): void {
  if (pulls.length === 0) return;
  const { out } = context;
  const groups = grouped(pulls, by);
  const { heading, rows } = fitted(
    context,
    groups.flatMap(([, members]) => members),
    by,
  );
  const checks = heading.indexOf('CHECKS');
  const text = table(
    heading,
    rows.map(({ cells }) => cells.map(spaced)),
    (spacedOut, column, row) => {
      const padded = unspaced(spacedOut);
      const pull = rows[row]?.pull;
      if (pull === undefined) return out.tint('dim', padded);
      if (column === 0 && pull.changes.length > 0) return out.tint('cyan', padded);
      const tint = column === checks ? CHECK_TINT[pull.checks.state] : undefined;
      return tint === undefined ? padded : out.tint(tint, padded);
    },
  );
  // Cells are single lines, so that every line is one row.
  const [headline = '', ...lines] = text.split('\n');
  out.line(headline);
  for (const [name, members] of groups) {
    const number = ` (${members.length})`;
    out.line(out.tint('bold', `${cut(name, context.columns - number.length)}${number}`));
    for (const line of lines.splice(0, members.length)) out.line(line);
  }
  if (pulls.some(({ changes }) => changes.length > 0)) out.line(out.tint('dim', '* changed since you last looked'));
  if (pulls.some(({ stale }) => stale))
    out.line(out.tint('dim', '? as it was before: the last refresh could not ask about it'));
}

/** A pull request that several queries found is in the group of each. */
function grouped(pulls: readonly Pull[], by: Grouping): (readonly [string, readonly Pull[]])[] {
  const groups = new Map<string, Pull[]>();
  for (const pull of pulls) {
    for (const name of groupsOf(pull, by)) {
      const members = groups.get(name);
      if (members === undefined) groups.set(name, [pull]);
      else members.push(pull);
    }
  }
  if (by === 'repository') return [...groups];
  if (by === 'query')
    return [...groups].sort(([one], [other]) => Number(one === NO_QUERY) - Number(other === NO_QUERY));
  return ATTENTIONS.flatMap((attention) => {
    const members = groups.get(attention);
    return members === undefined ? [] : [[ATTENTION_WORDS[attention], members] as const];
  });
}

function groupsOf(pull: Pull, by: Grouping): readonly string[] {
  if (by !== 'query') return [pull[by]];
  return pull.queries.length === 0 ? [NO_QUERY] : pull.queries;
}

/** Heading and rows in the widest layout that fits, with titles cut to what is left. */
function fitted(
  { now, columns }: TableContext,
  pulls: readonly Pull[],
  by: Grouping,
): { readonly heading: readonly string[]; readonly rows: readonly Row[] } {
  const wish = Math.min(LEAST_TITLE, Math.max(...pulls.map(({ title }) => columnsOf(plainLine(title)))));
  let heading: readonly string[] = [];
  let rows: readonly Row[] = [];
  let room = 0;
  for (const layout of LAYOUTS) {
    heading = headingOf(layout);
    rows = pulls.map((pull) => ({ pull, cells: cellsOf(pull, layout, by, now) }));
    room = roomForTitles(
      columns,
      heading,
      rows.map(({ cells }) => cells),
    );
    if (room >= wish) break;
  }
  return { heading, rows: rows.map(({ pull, cells }) => ({ pull, cells: cells.with(TITLE, cut(pull.title, room)) })) };
}

/** Columns that a title can have when every other cell is shown. */
function roomForTitles(columns: number, heading: readonly string[], rows: readonly (readonly string[])[]): number {
  const widths = heading.map((name, column) =>
    column === TITLE ? 0 : Math.max(name.length, ...rows.map((cells) => columnsOf(cells[column] ?? ''))),
  );
  const others = widths.reduce((sum, width) => sum + width, GAP * (heading.length - 1));
  return Math.max(heading[TITLE]?.length ?? 0, columns - others);
}

function headingOf({ author }: Layout): string[] {
  return ['', 'PULL REQUEST', 'TITLE', ...(author > 0 ? ['AUTHOR'] : []), 'CHECKS', 'REVIEW', 'UPDATED'];
}

function cellsOf(pull: Pull, layout: Layout, by: Grouping, now: number): string[] {
  const number = `#${pull.number}`;
  return [
    markOf(pull, layout.changes),
    by === 'repository' ? number : `${cut(pull.repository, layout.name - number.length)}${number}`,
    plainLine(pull.title),
    ...(layout.author > 0 ? [cut(pull.author, layout.author)] : []),
    checksOf(pull, layout.checks),
    reviewOf(pull),
    ago(pull.updatedAt, now),
  ];
}

function markOf({ changes, stale }: Pull, words: number): string {
  const marks = `${stale ? '?' : ''}${changes.length > 0 ? '*' : ''}`;
  const shown = changes.slice(0, words).map((change) => CHANGE_WORDS[change]);
  return [marks, shown.join(', ')].filter((part) => part !== '').join(' ');
}

function checksOf({ checks: { state, failing } }: Pull, limit: number): string {
  if (state !== 'failed' || failing.length === 0 || limit === 0) return state;
  return cut(`failed: ${failing.join(', ')}`, limit);
}

/** What stands between it and its merge, as far as people decide it. */
function reviewOf({ isDraft, isMyTurn, reviewDecision }: Pull): string {
  if (isDraft) return 'draft';
  if (isMyTurn) return 'your turn';
  if (reviewDecision === 'changes-requested') return 'changes';
  return reviewDecision === 'review-required' ? 'required' : (reviewDecision ?? 'none');
}

/** Characters that take two columns: East Asian ones and most pictures. */
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/gu;

function wideOnes(text: string): number {
  return text.match(WIDE)?.length ?? 0;
}

function columnsOf(text: string): number {
  return [...text].length + wideOnes(text);
}

/** `table` pads by characters: a cell gets one more for each that is wide, which `unspaced` takes away after the padding. */
function spaced(cell: string): string {
  return cell + ' '.repeat(wideOnes(cell));
}

function unspaced(padded: string): string {
  return padded.slice(0, padded.length - wideOnes(padded));
}

/** Hostile `text` as one harmless line of at most `limit` columns. */
function cut(text: string, limit: number): string {
  const line = plainLine(text);
  if (columnsOf(line) <= limit) return line;
  let kept = '';
  let used = 1;
  for (const character of line) {
    used += columnsOf(character);
    if (used > limit) break;
    kept += character;
  }
  return `${kept.trimEnd()}…`;
}

/** The pull requests of a conversation, open or not. */
export function printPullsOfSession({ out, columns }: TableContext, { pulls }: PullsOfSessionResult): void {
  const heading = ['PULL REQUEST', 'BELONGS', 'GROUP', 'TITLE'];
  const rows = pulls.map(({ repository, number, url, by, pull }) => [
    plainLine(`${repository}#${number}`),
    BELONGS_WORDS[by],
    pull === null ? 'not listed' : ATTENTION_WORDS[pull.attention],
    pull === null ? url : plainLine(pull.title),
  ]);
  const widths = heading
    .slice(0, -1)
    .map((name, column) => Math.max(name.length, ...rows.map((row) => columnsOf(row[column] ?? ''))));
  const room = columns - widths.reduce((sum, width) => sum + width + GAP, 0);
  out.line(
    table(
      heading,
      // An address that is cut off is of no use.
      rows.map((row, index) =>
        pulls[index]?.pull === null ? row : row.with(-1, cut(row.at(-1) ?? '', Math.max(LEAST_TITLE, room))),
      ),
      (padded, _column, row) => (row < 0 ? out.tint('bold', padded) : padded),
    ),
  );
}

/** How the hub stands with GitHub: what the rows above are worth, and what to do. */
export function printPullsState({ out, now }: TableContext, { status, pulls }: PullsListResult): void {
  if (status.refreshedAt > 0) {
    if (pulls.length === 0 && status.state !== 'off') out.line('no open pull requests');
    out.line(out.tint('dim', refreshLine(status, now)));
    if (status.stale) {
      const since = `${pointInTime(status.refreshedAt)}, ${ago(status.refreshedAt, now)}`;
      out.line(out.tint('yellow', `out of date: this is from ${since}`));
    }
  }
  for (const warning of status.warnings) out.line(out.tint('yellow', `warning: ${plainLine(warning)}`));
  printTrouble(out, status);
}

function refreshLine(status: PullsStatus, now: number): string {
  const { rate, viewer, repositories } = status;
  return [
    `refreshed ${ago(status.refreshedAt, now)}`,
    count(repositories, 'repository', 'repositories'),
    ...(viewer === null ? [] : [`as ${plainLine(viewer)}`]),
    ...(rate === null ? [] : [`${rate.remaining} of ${rate.limit} points left`]),
    ...(status.isRefreshing ? ['refreshing now'] : []),
  ].join(', ');
}

function printTrouble(out: Output, { state, message, next }: PullsStatus): void {
  if (state === 'ok' || state === 'partial') return;
  if (state === 'never') return out.line(plainLine(message ?? 'GitHub has not been asked yet'));
  if (state === 'off') {
    // How to turn them on is known here, whatever the hub says.
    out.line(plainLine(message ?? 'pull requests are off'));
    out.line('  Set pulls.enabled to true in the configuration to turn them on.');
    return;
  }
  out.line(out.tint('red', plainLine(message ?? `GitHub could not be asked: ${state}`)));
  if (next !== null) out.line(`  ${plainLine(next)}`);
}
