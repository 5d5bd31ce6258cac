import type Database from 'better-sqlite3';
import type { Tally } from '../../core/conversation/tally.ts';
import { titleOf, type Titles } from '../../core/conversation/title.ts';

/** How sessions can be ordered. */
export const SESSION_ORDERS = ['activity', 'started', 'title', 'prompts', 'tokens', 'size'] as const;

/** See {@link SESSION_ORDERS}. */
export type SessionOrder = (typeof SESSION_ORDERS)[number];

/** Which sessions are wanted. */
export interface SessionsRequest {
  readonly project?: string | undefined;
  /** Only these. */
  readonly sessions?: readonly string[] | undefined;
  /** Part of the title, whatever the case. */
  readonly title?: string | undefined;
  readonly order: SessionOrder;
  readonly ascending: boolean;
  readonly offset: number;
  readonly limit: number;
}

/** A session as the index knows it. */
export interface IndexedSession {
  readonly session: string;
  readonly project: string | null;
  readonly title: string | null;
  readonly tally: Omit<Tally, 'titles'>;
  /** Size of the transcript in bytes, as far as it is in the index. */
  readonly bytes: number;
  /** Subagents that have a log. */
  readonly agents: number;
}

/** A project with its sessions, counted. */
export interface IndexedProject {
  readonly project: string | null;
  readonly sessions: number;
  readonly lastAt: number | null;
}

/** A subagent of a session. */
export interface IndexedAgent {
  readonly agent: string;
  readonly title: string | null;
  readonly tally: Omit<Tally, 'titles'>;
}

const ORDER: Readonly<Record<SessionOrder, string>> = {
  activity: 'l.last_at',
  started: 'l.first_at',
  title: 'title COLLATE NOCASE',
  prompts: 'l.prompts',
  tokens: 'l.tokens',
  size: 'l.bytes',
};

/** A title that the user gave counts most, then the file, then what Claude made of it. */
const TITLE = "coalesce(json_extract(l.tally, '$.titles.custom'), f.title, l.title)";

interface Row {
  readonly session: string;
  readonly project: string | null;
  readonly title: string | null;
  readonly tally: string;
  readonly bytes: number;
  readonly agents: number;
}

/** A page of sessions, and how many there are on all pages. */
export function listSessions(
  db: Database.Database,
  request: SessionsRequest,
): { sessions: IndexedSession[]; total: number } {
  const { where, values } = conditions(request);
  const from = `FROM logs l LEFT JOIN titles f ON f.session = l.session WHERE ${where.join(' AND ')}`;
  const direction = request.ascending ? 'ASC' : 'DESC';
  const rows = db
    .prepare<unknown[], Row>(
      `SELECT l.session, l.project, ${TITLE} AS title, l.tally, l.bytes,
              (SELECT count(*) FROM logs a WHERE a.session = l.session AND a.agent IS NOT NULL) AS agents
       ${from} ORDER BY ${ORDER[request.order]} ${direction} NULLS LAST, l.id ${direction} LIMIT ? OFFSET ?`,
    )
    .all(...values, request.limit, request.offset);
  const { total } = db.prepare<unknown[], { total: number }>(`SELECT count(*) AS total ${from}`).get(...values)!;
  return { sessions: rows.map(sessionOf), total };
}

/** One session; `null` when it is not in the index. */
export function findSession(db: Database.Database, session: string): IndexedSession | null {
  const request = { sessions: [session], order: 'activity', ascending: false, offset: 0, limit: 1 } as const;
  return listSessions(db, request).sessions[0] ?? null;
}

/** Uuids of sessions that begin with `prefix`, two at most. */
export function sessionsWithPrefix(db: Database.Database, prefix: string): string[] {
  return db
    .prepare<[string, string], { session: string }>(
      'SELECT session FROM logs WHERE agent IS NULL AND session >= ? AND session < ? ORDER BY session LIMIT 2',
    )
    .all(prefix, `${prefix}g`)
    .map(({ session }) => session);
}

/** The subagents of a session, in the order of their beginning. */
export function listAgents(db: Database.Database, session: string): IndexedAgent[] {
  return db
    .prepare<[string], { agent: string; tally: string }>(
      'SELECT agent, tally FROM logs WHERE session = ? AND agent IS NOT NULL ORDER BY first_at, id LIMIT 1000',
    )
    .all(session)
    .map(({ agent, tally: json }) => {
      const { titles, tally } = readTally(json);
      return { agent, title: titleOf(titles), tally };
    });
}

/** All projects, the one used last first. */
export function listProjects(db: Database.Database): IndexedProject[] {
  return db
    .prepare<[], IndexedProject>(
      `SELECT project, count(*) AS sessions, max(last_at) AS lastAt FROM logs
       WHERE agent IS NULL AND bytes > 0 GROUP BY project ORDER BY lastAt DESC NULLS LAST`,
    )
    .all();
}

function conditions({ project, sessions, title }: Pick<SessionsRequest, 'project' | 'sessions' | 'title'>): {
  where: string[];
  values: unknown[];
} {
  const where = ['l.agent IS NULL', 'l.bytes > 0'];
  const values: unknown[] = [];
  if (project !== undefined) {
    where.push('l.project = ?');
    values.push(project);
  }
  if (sessions !== undefined) {
    where.push('l.session IN (SELECT value FROM json_each(?))');
    values.push(JSON.stringify(sessions));
  }
  if (title !== undefined) {
    where.push(`instr(lower(${TITLE}), lower(?)) > 0`);
    values.push(title);
  }
  return { where, values };
}

function sessionOf({ session, project, title, tally: json, bytes, agents }: Row): IndexedSession {
  return { session, project, title, tally: readTally(json).tally, bytes, agents };
}

function readTally(json: string): { titles: Titles; tally: Omit<Tally, 'titles'> } {
  const { titles, ...tally } = JSON.parse(json) as Tally;
  return { titles, tally };
}
