import type Database from 'better-sqlite3';
import { passagesOf, ROLES, type Role } from '../../core/conversation/passage.ts';
import { isPlain, matchesIn, parseQuery, type Query, type Term } from '../../core/conversation/query.ts';
import { readRecord } from '../../core/conversation/record.ts';
import { snippetOf, type Snippet } from '../../core/conversation/snippet.ts';
import type { UnixMs } from '../../core/domain.ts';
import type { LineReader } from './line-reader.ts';

/** What is searched for, and where. */
export interface SearchRequest {
  readonly query: string;
  readonly project?: string | undefined;
  readonly session?: string | undefined;
  /** Only these sessions. */
  readonly sessions?: readonly string[] | undefined;
  readonly roles?: readonly Role[] | undefined;
  readonly tool?: string | undefined;
  readonly after?: UnixMs | undefined;
  readonly before?: UnixMs | undefined;
  readonly limit: number;
  /** Where an earlier page of the same search ended. */
  readonly cursor?: string | undefined;
}

/** A passage that was found. */
export interface SearchHit {
  readonly session: string;
  readonly agent: string | null;
  readonly project: string | null;
  readonly title: string | null;
  readonly role: Role;
  readonly tool: string | null;
  readonly at: UnixMs | null;
  /** Where the record begins in its log, in bytes: what a page can be asked for. */
  readonly offset: number;
  /** `null` when the line is too long to be read in passing. */
  readonly snippet: Snippet | null;
}

/** A page of what was found, the best ones first. */
export interface SearchPage {
  readonly hits: readonly SearchHit[];
  /** `null`: there is no more. */
  readonly cursor: string | null;
}

/** Passages that are ranked together: the newest ones that match. */
const WINDOW = 200;
/** A search with words in a row reads what it finds; after this many lines it answers with what it has. */
const MOST_READ = 2_000;
/** Longer lines are read only where it has to be known whether they match. */
const SHORT_LINE = 1024 * 1024;

/** Between two words in a row: no letter or digit, or a character that JSON writes with one. */
const BETWEEN = '(?:[^A-Za-z0-9]|\\\\[bfnrt])+';
/** With characters beyond ASCII, or such as JSON writes by their numbers, a word may be spelled in many ways. */
// eslint-disable-next-line no-control-regex
const MANY_SPELLINGS = /[^\u0000-\u007f]|\\u/;

/**
 * What a line has to contain so that words of a query can stand in a row in it; to be asked of lines in ASCII. Most lines that have the words have
 * them apart, and are found out without being parsed.
 */
function rowsOf({ wanted }: Query): RegExp[] {
  return wanted.filter(({ words }) => words.length > 1).map(({ words }) => new RegExp(words.join(BETWEEN), 'i'));
}

/** What somebody said weighs more than what a tool returned. */
const WEIGHT: Readonly<Record<Role, number>> = {
  title: 4,
  prompt: 3,
  answer: 2,
  thinking: 1.2,
  tool: 1.2,
  result: 1,
  note: 0.8,
};
/** A passage of this age weighs half as much as one of today, ms. */
const HALF_LIFE_MS = 30 * 86_400_000;

interface Row {
  readonly row: number;
  readonly start: number;
  readonly bytes: number;
  readonly at: number | null;
  readonly tool: string | null;
  readonly session: string;
  readonly agent: string | null;
  readonly title: string | null;
  readonly project: string | null;
  readonly path: string;
}

/**
 * Searches the index. Matches are taken in windows of the newest ones and ranked within each; going through all pages gives every passage that
 * `matchesIn` accepts, once.
 */
export function search(db: Database.Database, lines: LineReader, request: SearchRequest): SearchPage {
  const query = parseQuery(request.query);
  if (query.wanted.length === 0) return { hits: [], cursor: null };
  const hits: SearchHit[] = [];
  let { top, skip } = readCursor(request.cursor);
  const rowsWanted = rowsOf(query);
  let read = 0;
  for (;;) {
    const rows = windowOf(db, query, request, top);
    const ranked = rank(rows);
    for (; skip < ranked.length; skip += 1) {
      if (hits.length >= request.limit || read >= MOST_READ) return { hits, cursor: `${top}:${skip}` };
      const row = ranked[skip]!;
      const hit = hitOf(row, query, rowsWanted, lines);
      read += 1;
      if (hit !== null) hits.push(hit);
    }
    const lowest = rows.at(-1);
    if (rows.length < WINDOW || lowest === undefined) return { hits, cursor: null };
    top = lowest.row - 1;
    skip = 0;
  }
}

function readCursor(cursor: string | undefined): { top: number; skip: number } {
  const match = /^(\d{1,16}):(\d{1,6})$/.exec(cursor ?? '');
  return match === null ? { top: Number.MAX_SAFE_INTEGER, skip: 0 } : { top: Number(match[1]), skip: Number(match[2]) };
}

/** The newest passages up to row `top` that have all the words. */
function windowOf(db: Database.Database, query: Query, request: SearchRequest, top: number): Row[] {
  const where = ['p.passages MATCH ?', 'p.rowid <= ?'];
  const values: unknown[] = [matchExpression(query), top];
  const and = (condition: string, ...more: readonly unknown[]): void => {
    where.push(condition);
    values.push(...more);
  };
  if (request.roles !== undefined)
    and(`(p.rowid & 7) IN (${request.roles.map((role) => ROLES.indexOf(role)).join(', ')})`);
  if (request.tool !== undefined) and('r.tool IN (SELECT id FROM tools WHERE lower(name) = lower(?))', request.tool);
  if (request.after !== undefined) and('r.at >= ?', request.after);
  if (request.before !== undefined) and('r.at < ?', request.before);
  if (request.project !== undefined) and('l.project = ?', request.project);
  if (request.session !== undefined) and('l.session = ?', request.session);
  if (request.sessions !== undefined)
    and('l.session IN (SELECT value FROM json_each(?))', JSON.stringify(request.sessions));
  return db
    .prepare<unknown[], Row>(
      `SELECT p.rowid AS row, r.start, r.bytes, r.at, t.name AS tool, l.session, l.agent, l.project, l.path,
              coalesce(json_extract(m.tally, '$.titles.custom'), f.title, m.title) AS title
       FROM passages p CROSS JOIN records r ON r.id = (p.rowid >> 3) CROSS JOIN logs l ON l.id = r.log
         LEFT JOIN tools t ON t.id = r.tool
         LEFT JOIN logs m ON m.key = 'session/' || l.session
         LEFT JOIN titles f ON f.session = l.session
       WHERE ${where.join(' AND ')}
       ORDER BY p.rowid DESC LIMIT ${WINDOW}`,
    )
    .all(...values);
}

/** The words of a query for FTS5. They hold letters and digits only. */
function matchExpression({ wanted, unwanted }: Query): string {
  const words = (term: Term): string[] =>
    term.words.map((word, at) => `"${word}"${term.isPrefix && at === term.words.length - 1 ? '*' : ''}`);
  const all = wanted.flatMap(words).join(' AND ');
  // Words that may not stand in a row may well stand apart: that is for reading to find out.
  const none = unwanted.filter((term) => term.words.length === 1).flatMap(words);
  return none.length === 0 ? all : `(${all}) NOT (${none.join(' OR ')})`;
}

function rank(rows: readonly Row[]): Row[] {
  const newest = Math.max(...rows.map(({ at }) => at ?? 0));
  const score = ({ row, at }: Row): number =>
    WEIGHT[ROLES[row & 7] ?? 'note'] * 2 ** (-(newest - (at ?? 0)) / HALF_LIFE_MS);
  return rows
    .map((row) => ({ row, score: score(row) }))
    .sort((one, other) => other.score - one.score || other.row.row - one.row.row)
    .map(({ row }) => row);
}

/** `null` when it does not match after all. */
function hitOf(row: Row, query: Query, rowsWanted: readonly RegExp[], lines: LineReader): SearchHit | null {
  const role = ROLES[row.row & 7] ?? 'note';
  const { session, agent, project, title, tool, at, start: offset } = row;
  const hit = { session, agent, project, title, role, tool, at, offset };
  if (row.bytes > SHORT_LINE && isPlain(query)) return { ...hit, snippet: null };
  const line = lines.read(row.path, row.start, row.bytes);
  if (line !== null && rowsWanted.length > 0) {
    const json = line.toString('latin1');
    if (!MANY_SPELLINGS.test(json) && !rowsWanted.every((wanted) => wanted.test(json))) return null;
  }
  const record = line === null ? null : readRecord(line);
  const text = record === null ? undefined : passagesOf(record).find((passage) => passage.role === role)?.text;
  // Other content took the place of this one: it is being indexed anew.
  if (text === undefined) return null;
  const matches = matchesIn(text, query);
  return matches === null ? null : { ...hit, snippet: snippetOf(text, matches) };
}
