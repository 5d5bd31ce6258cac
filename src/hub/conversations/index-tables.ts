import type Database from 'better-sqlite3';
import type { Tally } from '../../core/conversation/tally.ts';
import type { Key } from '../../core/domain.ts';

/** A row of `logs`, see `open-index.ts`. */
export interface LogRow {
  readonly id: number;
  readonly key: Key;
  readonly session: string;
  readonly agent: string | null;
  readonly project: string | null;
  readonly path: string;
  readonly inode: string;
  readonly bytes: number;
  /** Empty when it is not known. */
  readonly tail: string;
  /** Record that the active branch ends with, and the last user or assistant record on it. */
  readonly leaf: number | null;
  readonly turn: number | null;
  readonly tally: Tally;
}

/** How much of a log is in the index. */
export interface KnownLog {
  readonly key: Key;
  readonly bytes: number;
}

/** A record that is to be added. */
export interface NewRecord {
  readonly id: number;
  readonly log: number;
  readonly start: number;
  readonly bytes: number;
  readonly uuid: string | null;
  readonly parent: number | null;
  readonly depth: number;
  readonly onBranch: boolean;
  readonly kind: number;
  readonly at: number | null;
  readonly tool: number | null;
  readonly roles: number;
  readonly isSidechain: boolean;
}

/** Where a record stands in its tree. */
export interface TreePlace {
  readonly id: number;
  readonly depth: number;
  readonly onBranch: boolean;
  readonly isSidechain: boolean;
}

/** Records whose places are remembered: nearly every parent is one of the last records. */
const PLACES_KEPT = 20_000;

/** The statements that write the index. Transactions are the caller's. */
export class IndexTables {
  readonly #db: Database.Database;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #tools = new Map<string, number>();
  #next: number;
  /** Places of the records of one log, by uuid; `onBranch` as it was when it was added. */
  #places = new Map<string, TreePlace>();
  #placesOf = -1;
  /** Most calls are answered by the next record: those are written once. */
  readonly #calls = new Map<string, { readonly log: number; readonly record: number; readonly tool: number }>();

  constructor(db: Database.Database) {
    this.#db = db;
    this.#statements = prepare(db);
    const last = db.prepare<[], { last: number | null }>('SELECT max(id) AS last FROM records').get();
    this.#next = (last?.last ?? 0) + 1;
  }

  log(key: Key): LogRow | undefined {
    const row = this.#statements.log.get(key);
    return row === undefined ? undefined : { ...row, tally: JSON.parse(row.tally) as Tally };
  }

  known(): KnownLog[] {
    return this.#statements.known.all();
  }

  /** Forgets what is remembered of the tables: a transaction failed. */
  forget(): void {
    this.#places.clear();
    this.#calls.clear();
    this.#tools.clear();
  }

  addLog(
    log: {
      readonly key: Key;
      readonly session: string;
      readonly agent: string | null;
      readonly project: string | null;
      readonly path: string;
    },
    inode: string,
    tally: Tally,
  ): LogRow {
    const { key, session, agent, project, path } = log;
    const { lastInsertRowid } = this.#statements.addLog.run(
      key,
      session,
      agent,
      project,
      path,
      inode,
      JSON.stringify(tally),
    );
    return {
      id: Number(lastInsertRowid),
      key,
      session,
      agent,
      project,
      path,
      inode,
      bytes: 0,
      tail: '',
      leaf: null,
      turn: null,
      tally,
    };
  }

  putLog(row: LogRow, title: string | null): void {
    const { bytes, tail, leaf, turn, tally, id } = row;
    const { input, output, cacheRead, cacheWrite } = tally.tokens;
    const tokens = input + output + cacheRead + cacheWrite;
    const columns = [
      bytes,
      tail,
      leaf,
      turn,
      JSON.stringify(tally),
      title,
      tally.firstAt,
      tally.lastAt,
      tally.prompts,
      tokens,
    ];
    this.#statements.putLog.run(...columns, id);
  }

  setPlace(log: number, { project, path }: { readonly project: string | null; readonly path: string }): void {
    this.#statements.setPlace.run(project, path, log);
  }

  setFileTitle(session: string, title: string | null): void {
    if (title === null) this.#statements.dropTitle.run(session);
    else this.#statements.putTitle.run(session, title);
  }

  removeLog(log: number): void {
    for (const { id, roles } of this.#statements.passagesOf.all(log)) {
      for (let role = 0; role < 8; role += 1)
        if ((roles & (1 << role)) !== 0) this.#statements.dropPassage.run(id * 8 + role);
    }
    for (const table of ['records', 'calls', 'answers', 'secrets'])
      this.#db.prepare(`DELETE FROM ${table} WHERE log = ?`).run(log);
    this.#statements.dropLog.run(log);
    this.#places.clear();
  }

  nextRecord(): number {
    return this.#next++;
  }

  addRecord(record: NewRecord): void {
    const { id, log, start, bytes, uuid, parent, depth, onBranch, at, tool, roles, isSidechain } = record;
    // A record of a subagent inside of a transcript, as old versions wrote them, is marked by its kind.
    const kind = record.kind + (isSidechain ? SIDECHAIN : 0);
    const blob = uuid === null ? null : uuidBytes(uuid);
    this.#statements.addRecord.run(id, log, start, bytes, blob, parent, depth, onBranch ? 1 : 0, kind, at, tool, roles);
    if (uuid === null) return;
    this.#openPlaces(log);
    this.#places.set(uuid, { id, depth, onBranch, isSidechain });
  }

  addPassage(row: number, text: string): void {
    this.#statements.addPassage.run(row, text);
  }

  /** The record that bears a uuid now: the last one that came. */
  byUuid(log: number, uuid: string): TreePlace | null {
    this.#openPlaces(log);
    const known = this.#places.get(uuid);
    if (known !== undefined) return known;
    const row = this.#statements.byUuid.get(log, uuidBytes(uuid));
    if (row === undefined) return null;
    const place = { id: row.id, depth: row.depth, onBranch: row.on_branch === 1, isSidechain: row.kind >= SIDECHAIN };
    this.#places.set(uuid, place);
    return place;
  }

  /** Marks the way from `leaf` to the root as the active branch, and nothing else. */
  moveBranch(log: number, leaf: number): void {
    const way: number[] = [];
    let at: number | null = leaf;
    let junction = -1;
    while (at !== null) {
      const row = this.#statements.place.get(at);
      if (row === undefined) break;
      if (row.on_branch === 1) {
        junction = row.depth;
        break;
      }
      way.push(at);
      at = row.parent;
    }
    this.#statements.leaveBranch.run(log, junction);
    for (const id of way) this.#statements.joinBranch.run(id);
    this.#places.clear();
  }

  tool(name: string): number {
    let id = this.#tools.get(name);
    if (id === undefined) {
      this.#statements.addTool.run(name);
      id = this.#statements.tool.get(name)!.id;
      this.#tools.set(name, id);
    }
    return id;
  }

  noteCall(log: number, call: string, record: number, tool: number): void {
    this.#calls.set(call, { log, record, tool });
  }

  /** `isPaired`: the call is known, and this is the first answer to it. */
  answerCall(log: number, call: string, record: number): { readonly tool: number | null; readonly isPaired: boolean } {
    const open = this.#calls.get(call);
    if (open?.log === log) {
      this.#calls.delete(call);
      const isPaired = this.#statements.noteCall.run(log, call, open.record, record).changes === 1;
      return { tool: open.tool, isPaired };
    }
    const found = this.#statements.call.get(log, call);
    if (found === undefined) return { tool: null, isPaired: false };
    if (found.result !== null) return { tool: found.tool, isPaired: false };
    this.#statements.answerCall.run(record, log, call);
    return { tool: found.tool, isPaired: true };
  }

  /** Writes down the calls that nothing has answered yet. */
  keepOpenCalls(): void {
    for (const [call, { log, record }] of this.#calls) this.#statements.noteCall.run(log, call, record, null);
    this.#calls.clear();
  }

  /** Whether an answer of the API was not counted yet. */
  countAnswer(log: number, message: string): boolean {
    return this.#statements.countAnswer.run(log, message).changes === 1;
  }

  #openPlaces(log: number): void {
    if (this.#placesOf === log && this.#places.size < PLACES_KEPT) return;
    this.#places = new Map();
    this.#placesOf = log;
  }
}

/** Added to the kind of a record that belongs to a subagent. */
export const SIDECHAIN = 16;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A uuid as the index keeps it: 16 bytes, and any other text as it is. */
export function uuidBytes(uuid: string): Buffer {
  return UUID.test(uuid) ? Buffer.from(uuid.replaceAll('-', ''), 'hex') : Buffer.from(uuid);
}

interface RawLog extends Omit<LogRow, 'tally'> {
  readonly tally: string;
}

function prepare(db: Database.Database) {
  return {
    log: db.prepare<[string], RawLog>(
      'SELECT id, key, session, agent, project, path, inode, bytes, tail, leaf, turn, tally FROM logs WHERE key = ?',
    ),
    known: db.prepare<[], KnownLog>('SELECT key, bytes FROM logs'),
    addLog: db.prepare(
      `INSERT INTO logs (key, session, agent, project, path, inode, bytes, tail, tally, prompts, tokens)
       VALUES (?, ?, ?, ?, ?, ?, 0, '', ?, 0, 0)`,
    ),
    putLog: db.prepare(
      `UPDATE logs SET bytes = ?, tail = ?, leaf = ?, turn = ?, tally = ?, title = ?, first_at = ?, last_at = ?, prompts = ?, tokens = ?
       WHERE id = ?`,
    ),
    setPlace: db.prepare('UPDATE logs SET project = ?, path = ? WHERE id = ?'),
    dropLog: db.prepare('DELETE FROM logs WHERE id = ?'),
    putTitle: db.prepare('INSERT OR REPLACE INTO titles (session, title) VALUES (?, ?)'),
    dropTitle: db.prepare('DELETE FROM titles WHERE session = ?'),
    addRecord: db.prepare(
      `INSERT INTO records (id, log, start, bytes, uuid, parent, depth, on_branch, kind, at, tool, roles)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    passagesOf: db.prepare<[number], { id: number; roles: number }>(
      'SELECT id, roles FROM records WHERE log = ? AND roles <> 0',
    ),
    addPassage: db.prepare('INSERT INTO passages (rowid, text) VALUES (?, ?)'),
    dropPassage: db.prepare('DELETE FROM passages WHERE rowid = ?'),
    byUuid: db.prepare<[number, Buffer], { id: number; depth: number; on_branch: number; kind: number }>(
      'SELECT id, depth, on_branch, kind FROM records WHERE log = ? AND uuid = ? ORDER BY id DESC LIMIT 1',
    ),
    place: db.prepare<[number], { parent: number | null; depth: number; on_branch: number }>(
      'SELECT parent, depth, on_branch FROM records WHERE id = ?',
    ),
    leaveBranch: db.prepare('UPDATE records SET on_branch = 0 WHERE log = ? AND on_branch = 1 AND depth > ?'),
    joinBranch: db.prepare('UPDATE records SET on_branch = 1 WHERE id = ?'),
    addTool: db.prepare('INSERT OR IGNORE INTO tools (name) VALUES (?)'),
    tool: db.prepare<[string], { id: number }>('SELECT id FROM tools WHERE name = ?'),
    noteCall: db.prepare('INSERT OR IGNORE INTO calls (log, call, used, result) VALUES (?, ?, ?, ?)'),
    call: db.prepare<[number, string], { tool: number | null; result: number | null }>(
      'SELECT r.tool AS tool, c.result AS result FROM calls c LEFT JOIN records r ON r.id = c.used WHERE c.log = ? AND c.call = ?',
    ),
    answerCall: db.prepare('UPDATE calls SET result = ? WHERE log = ? AND call = ?'),
    countAnswer: db.prepare('INSERT OR IGNORE INTO answers (log, message) VALUES (?, ?)'),
  };
}
