import type Database from 'better-sqlite3';
import { entryOf, type Entry } from '../../core/conversation/entry.ts';
import { textOf } from '../../core/conversation/block.ts';
import { readRecord, type ConversationRecord } from '../../core/conversation/record.ts';
import { titleIn } from '../../core/conversation/title.ts';
import type { UnixMs } from '../../core/domain.ts';
import { SIDECHAIN } from './index-tables.ts';
import type { LineReader } from './line-reader.ts';

/** A page of a conversation. */
export interface PageRequest {
  readonly session: string;
  /** The log of a subagent instead of the transcript. */
  readonly agent?: string | undefined;
  /** Branch that ends with the record at this offset; without it the active one. */
  readonly branch?: number | undefined;
  /** Where the page lies: at an end, next to another page, or around a record. */
  readonly from:
    'start' | 'end' | { readonly after: number } | { readonly before: number } | { readonly around: number };
  readonly limit: number;
  readonly textLimit: number;
  readonly dataLimit: number;
}

/** Entries in the order of the conversation. */
export interface Page {
  readonly entries: readonly Entry[];
  /** For the page before this one and behind it; `null` at the end of the branch. */
  readonly before: number | null;
  readonly after: number | null;
  /** The branch of the page; `null` for the active one. */
  readonly branch: number | null;
}

/** An end of a conversation that is not the active one. */
export interface BranchTip {
  /** Where its last record begins: what `branch` of a request takes. */
  readonly offset: number;
  readonly at: UnixMs | null;
  /** Records that only it has. */
  readonly records: number;
  /** The first thing said on it. */
  readonly prompt: string | null;
}

interface LogPlace {
  readonly id: number;
  readonly path: string;
}

interface Row {
  readonly id: number;
  readonly start: number;
  readonly bytes: number;
  readonly depth: number;
}

/** Characters of JSON that a page may have, about: a message has a limit. */
const PAGE_LENGTH = 4 * 1024 * 1024;
/** Records of side branches that are looked at. */
const MOST_OFF_BRANCH = 20_000;
const MOST_TIPS = 50;

/** Reads conversations by pages: the tree from the index, the records from the archive. */
export class TranscriptPages {
  readonly #db: Database.Database;
  readonly #lines: LineReader;

  constructor(db: Database.Database, lines: LineReader) {
    this.#db = db;
    this.#lines = lines;
  }

  /** `null` when the log, or the record that was asked for, is not in the index. */
  page(request: PageRequest): Page | null {
    const log = this.#log(request.session, request.agent);
    if (log === null) return null;
    const branch = this.#branchOf(log, request);
    if (branch === null) return null;
    const { rows, hasBefore, hasAfter } = this.#rows(log, branch, request);
    const entries: Entry[] = [];
    let length = 0;
    // From the end that the page hangs on: what is too much is left to the next one.
    const fromEnd = request.from === 'end' || (typeof request.from === 'object' && 'before' in request.from);
    let cut = false;
    const taken: Row[] = [];
    for (const row of fromEnd ? rows.toReversed() : rows) {
      const entry = this.#entry(log, row, request);
      if (entry !== null) length += JSON.stringify(entry).length;
      if (length > PAGE_LENGTH && taken.length > 0) {
        cut = true;
        break;
      }
      taken.push(row);
      if (entry !== null) entries.push(entry);
    }
    if (fromEnd) {
      entries.reverse();
      taken.reverse();
    }
    const first = taken[0];
    const last = taken.at(-1);
    return {
      entries,
      before: first !== undefined && (hasBefore || (cut && fromEnd)) ? first.depth : null,
      after: last !== undefined && (hasAfter || (cut && !fromEnd)) ? last.depth : null,
      branch: branch.tip,
    };
  }

  /** Other ends of the conversation, the newest first. */
  tips(session: string): BranchTip[] {
    const log = this.#log(session, undefined);
    if (log === null) return [];
    const rows = this.#db
      .prepare<
        [number, number],
        { id: number; parent: number | null; start: number; bytes: number; at: number | null; kind: number }
      >(
        `SELECT id, parent, start, bytes, at, kind FROM records
         WHERE log = ? AND on_branch = 0 AND kind < ${SIDECHAIN} AND uuid IS NOT NULL ORDER BY id DESC LIMIT ?`,
      )
      .all(log.id, MOST_OFF_BRANCH);
    const byId = new Map(rows.map((row) => [row.id, row]));
    const parents = new Set(rows.map(({ parent }) => parent));
    const tips: BranchTip[] = [];
    for (const tip of rows) {
      if (parents.has(tip.id)) continue;
      let prompt: { readonly start: number; readonly bytes: number } | null = null;
      let records = 0;
      let isShown = false;
      for (let at: typeof tip | undefined = tip; at !== undefined; at = byId.get(at.parent ?? -1)) {
        records += 1;
        isShown ||= at.kind !== 0;
        if (at.kind === 1) prompt = at;
      }
      if (!isShown || tips.length >= MOST_TIPS) continue;
      const record = prompt === null ? null : this.#record(log.path, prompt);
      tips.push({ offset: tip.start, at: tip.at, records, prompt: record === null ? null : promptOf(record) });
    }
    return tips;
  }

  #log(session: string, agent: string | undefined): LogPlace | null {
    const found =
      agent === undefined
        ? this.#db.prepare<[string], LogPlace>('SELECT id, path FROM logs WHERE key = ?').get(`session/${session}`)
        : this.#db
            .prepare<[string, string], LogPlace>('SELECT id, path FROM logs WHERE session = ? AND agent = ?')
            .get(session, agent);
    return found ?? null;
  }

  /** The branch that is asked for: records of its own, by id, and how deep it leaves the active one. */
  #branchOf(log: LogPlace, { branch, from }: PageRequest): Branch | null {
    const wanted = branch ?? (typeof from === 'object' && 'around' in from ? from.around : undefined);
    if (wanted === undefined) return ACTIVE;
    const at = this.#db
      .prepare<[number, number], { id: number; on_branch: number }>(
        'SELECT id, on_branch FROM records WHERE log = ? AND start = ? ORDER BY id DESC LIMIT 1',
      )
      .get(log.id, wanted);
    if (at === undefined) return null;
    if (at.on_branch === 1) return ACTIVE;
    const tip = branch === undefined ? this.#newestEnd(at.id) : at.id;
    const own: number[] = [];
    let junction = -1;
    const up = this.#db.prepare<[number], { parent: number | null; on_branch: number; depth: number }>(
      'SELECT parent, on_branch, depth FROM records WHERE id = ?',
    );
    for (let id: number | null = tip; id !== null;) {
      const row = up.get(id);
      if (row === undefined) break;
      if (row.on_branch === 1) {
        junction = row.depth;
        break;
      }
      own.push(id);
      id = row.parent;
    }
    const { start } = this.#db.prepare<[number], { start: number }>('SELECT start FROM records WHERE id = ?').get(tip)!;
    return { tip: start, own, junction };
  }

  /** The end of the branch through a record: always the child that came last. */
  #newestEnd(id: number): number {
    const child = this.#db.prepare<[number, number], { id: number | null }>(
      'SELECT max(id) AS id FROM records WHERE log = (SELECT log FROM records WHERE id = ?) AND parent = ? AND on_branch = 0',
    );
    for (let at = id; ;) {
      const next = child.get(at, at)?.id ?? null;
      if (next === null) return at;
      at = next;
    }
  }

  #rows(
    log: LogPlace,
    branch: Branch,
    { from, limit }: PageRequest,
  ): { rows: Row[]; hasBefore: boolean; hasAfter: boolean } {
    const own = branch.own.length === 0 ? '' : ` OR id IN (SELECT value FROM json_each(?))`;
    const on = `((log = ? AND on_branch = 1 AND depth <= ?)${own}) AND kind <> 0`;
    const values = [log.id, branch.junction, ...(own === '' ? [] : [JSON.stringify(branch.own)])];
    const select = (condition: string, order: string, most: number, ...more: number[]): Row[] =>
      this.#db
        .prepare<unknown[], Row>(
          // Without a branch of its own the partial index gives the rows in their order, whatever the size of the session.
          `SELECT id, start, bytes, depth FROM records${own === '' ? ' INDEXED BY records_branch' : ''}
           WHERE ${on} AND ${condition} ORDER BY depth ${order} LIMIT ?`,
        )
        .all(...values, ...more, most);
    const upTo = (depth: number, most: number): Row[] => select('depth < ?', 'DESC', most, depth).reverse();
    const behind = (depth: number, most: number): Row[] => select('depth > ?', 'ASC', most, depth);
    if (from === 'start' || (typeof from === 'object' && 'after' in from)) {
      const rows = behind(from === 'start' ? -1 : from.after, limit + 1);
      return { rows: rows.slice(0, limit), hasBefore: from !== 'start', hasAfter: rows.length > limit };
    }
    if (from === 'end' || 'before' in from) {
      const rows = upTo(from === 'end' ? Number.MAX_SAFE_INTEGER : from.before, limit + 1);
      return { rows: rows.slice(-limit), hasBefore: rows.length > limit, hasAfter: from !== 'end' };
    }
    const { depth } = this.#db
      .prepare<[number, number], { depth: number }>(
        'SELECT depth FROM records WHERE log = ? AND start = ? ORDER BY id DESC LIMIT 1',
      )
      .get(log.id, from.around)!;
    const half = Math.floor(limit / 2);
    const before = upTo(depth, half + 1);
    const after = behind(depth - 1, limit - half + 1);
    return {
      rows: [...before.slice(-half), ...after.slice(0, limit - half)],
      hasBefore: before.length > half,
      hasAfter: after.length > limit - half,
    };
  }

  /** `null` when other content took the place of the record: it is being indexed anew. */
  #entry(log: LogPlace, row: Row, { textLimit, dataLimit }: PageRequest): Entry | null {
    const record = this.#record(log.path, row);
    if (record === null) return null;
    return entryOf(record, {
      offset: row.start,
      text: textLimit,
      data: dataLimit,
      outcomeOf: (call) => {
        const found = this.#db
          .prepare<[number, string], { start: number; bytes: number }>(
            'SELECT r.start, r.bytes FROM calls c JOIN records r ON r.id = c.result WHERE c.log = ? AND c.call = ?',
          )
          .get(log.id, call);
        const outcome = found === undefined ? null : this.#record(log.path, found);
        return outcome === null ? null : { record: outcome, offset: found!.start };
      },
    });
  }

  #record(
    path: string,
    { start, bytes }: { readonly start: number; readonly bytes: number },
  ): ConversationRecord | null {
    const line = this.#lines.read(path, start, bytes);
    return line === null ? null : readRecord(line);
  }
}

interface Branch {
  /** Where its last record begins; `null` for the active branch. */
  readonly tip: number | null;
  /** Rows that only it has. */
  readonly own: readonly number[];
  /** Depth of the last record that it shares with the active branch. */
  readonly junction: number;
}

const ACTIVE: Branch = { tip: null, own: [], junction: Number.MAX_SAFE_INTEGER };

function promptOf(record: ConversationRecord): string {
  return titleIn(record)?.text ?? textOf(record.blocks).slice(0, 200);
}
