import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { secretsInLine } from '../../core/conversation/secrets-in-line.ts';
import type { SecretKind } from '../../core/secrets/patterns.ts';

/** Secrets of one kind in a conversation, with what its subagents did. */
export interface SecretFinding {
  readonly kind: SecretKind;
  /** Lines that hold any. */
  readonly lines: number;
  /** The log and the place of the first of them; `agent` is `null` for the transcript. */
  readonly agent: string | null;
  readonly offset: number;
}

/** A conversation that holds secrets. */
export interface SessionWithSecrets {
  readonly session: string;
  readonly project: string | null;
  readonly title: string | null;
  readonly lastAt: number | null;
  readonly secrets: readonly SecretFinding[];
}

/** Bytes that are looked through before others have their turn. */
const PIECE_BYTES = 8 * 1024 * 1024;

/**
 * Looks for secrets in what is in the index, log by log, after the index itself is level: that is what people wait for. Only where a secret is and
 * of what kind is kept.
 */
export class SecretRadar {
  readonly #db: Database.Database;

  constructor(db: Database.Database) {
    this.#db = db;
  }

  /** Looks through one piece. @returns the session it was of, `null` when everything has been looked through. */
  next(): string | null {
    const log = this.#db
      .prepare<[], { id: number; session: string; path: string; bytes: number; looked: number }>(
        'SELECT id, session, path, bytes, looked FROM logs WHERE looked < bytes ORDER BY id DESC LIMIT 1',
      )
      .get();
    if (log === undefined) return null;
    const piece = read(log.path, log.looked, log.bytes);
    this.#db.transaction(() => {
      const add = this.#db.prepare('INSERT OR REPLACE INTO secrets (log, start, kind, count) VALUES (?, ?, ?, ?)');
      for (let from = 0; from < piece.length;) {
        const newline = piece.indexOf(0x0a, from);
        const end = newline < 0 ? piece.length : newline;
        for (const [kind, count] of secretsInLine(piece.subarray(from, end)))
          add.run(log.id, log.looked + from, kind, count);
        from = end + 1;
      }
      // Without anything to read the file is another one by now, and is on its way into the index again.
      const looked = piece.length === 0 ? log.bytes : log.looked + piece.length;
      this.#db.prepare('UPDATE logs SET looked = ? WHERE id = ?').run(looked, log.id);
    })();
    return log.session;
  }
}

/** Conversations with secrets, the latest first; of one session when it is named. */
export function listSecrets(db: Database.Database, session: string | null): SessionWithSecrets[] {
  const rows = db
    .prepare<[string | null, string | null], Row>(
      `SELECT l.session, l.agent, s.kind, count(*) AS lines, min(s.start) AS offset, m.project, m.last_at AS lastAt,
              coalesce(json_extract(m.tally, '$.titles.custom'), f.title, m.title) AS title
       FROM secrets s JOIN logs l ON l.id = s.log
         LEFT JOIN logs m ON m.key = 'session/' || l.session
         LEFT JOIN titles f ON f.session = l.session
       WHERE ? IS NULL OR l.session = ?
       GROUP BY l.id, s.kind ORDER BY m.last_at DESC NULLS LAST, l.session, l.agent NULLS FIRST, s.kind`,
    )
    .all(session, session);
  const sessions = new Map<string, SessionWithSecrets & { readonly secrets: SecretFinding[] }>();
  for (const { session: name, project, title, lastAt, kind, lines, agent, offset } of rows) {
    const one = sessions.get(name) ?? { session: name, project, title, lastAt, secrets: [] };
    one.secrets.push({ kind, lines, agent, offset });
    sessions.set(name, one);
  }
  return [...sessions.values()];
}

/** Whether every line in the index has been looked through. */
export function hasLooked(db: Database.Database): boolean {
  return db.prepare('SELECT 1 FROM logs WHERE looked < bytes LIMIT 1').get() === undefined;
}

interface Row extends Omit<SessionWithSecrets, 'secrets'>, SecretFinding {}

/** Whole lines from `from` on, at least one unless there is nothing; empty when the file ends before `to`. */
function read(path: string, from: number, to: number): Buffer {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
  try {
    if (fstatSync(file).size < to) return Buffer.alloc(0);
    for (let most = PIECE_BYTES; ; most *= 2) {
      const bytes = Buffer.allocUnsafe(Math.min(most, to - from));
      let done = 0;
      while (done < bytes.length) {
        const more = readSync(file, bytes, done, bytes.length - done, from + done);
        if (more === 0) return Buffer.alloc(0);
        done += more;
      }
      const whole = bytes.lastIndexOf(0x0a) + 1;
      // Lines that are too long to be records are looked through in pieces all the same: a secret is short.
      if (whole > 0 || most > 8 * PIECE_BYTES || bytes.length === to - from)
        return whole > 0 ? bytes.subarray(0, whole) : bytes;
    }
  } finally {
    closeSync(file);
  }
}
