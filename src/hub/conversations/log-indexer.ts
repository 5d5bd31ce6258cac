import { closeSync, fstatSync, openSync, readSync, type BigIntStats } from 'node:fs';
import type Database from 'better-sqlite3';
import { passagesOf, ROLES } from '../../core/conversation/passage.ts';
import { readRecord, type ConversationRecord } from '../../core/conversation/record.ts';
import { EMPTY_TALLY, TallyFold } from '../../core/conversation/tally.ts';
import { titleIn, titleOf } from '../../core/conversation/title.ts';
import { indexedText } from '../../core/conversation/words.ts';
import type { Key } from '../../core/domain.ts';
import { LINE_LIMIT } from '../../core/log/lines.ts';
import { hashTail, tailStart } from '../engine/logs/cursor.ts';
import { IndexTables, type KnownLog, type LogRow } from './index-tables.ts';
import { kindNumber } from './record-kinds.ts';

/** A log that is to be in the index. */
export interface LogPlace {
  readonly key: Key;
  readonly session: string;
  /** Id of the subagent whose log it is. */
  readonly agent: string | null;
  /** Id of the project; `null` while it is not known. */
  readonly project: string | null;
  /** The file in the archive. */
  readonly path: string;
  /** Bytes of it that are the head: what lies behind is not committed. */
  readonly size: number;
}

/** Bytes that are taken in before others have their turn. */
const PIECE_BYTES = 8 * 1024 * 1024;

/** Brings one log after the other into the index, from where it was left to the last complete line. Synchronous: it has a process of its own. */
export class LogIndexer {
  readonly #tables: IndexTables;
  readonly #db: Database.Database;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#tables = new IndexTables(db);
  }

  /**
   * Takes in a log, piece by piece: each `next` is one transaction. A log whose file is another one than before, or is gone, is taken out
   * first.
   * @returns whether anything changed
   * @throws what the file system says; what was taken in before stays.
   */
  *index(place: LogPlace): Generator<void, boolean, undefined> {
    const file = open(place.path);
    if (file === null) return this.remove(place.key);
    try {
      const stat = fstatSync(file, { bigint: true });
      let row = this.#tables.log(place.key);
      if (row !== undefined && !isSameFile(row, stat, file)) {
        this.remove(place.key);
        row = undefined;
      }
      const moved = row !== undefined && (row.project !== place.project || row.path !== place.path);
      if (row === undefined) row = this.#tables.addLog(place, String(stat.ino), EMPTY_TALLY);
      else if (moved) this.#tables.setPlace(row.id, place);
      const to = Math.min(place.size, Number(stat.size));
      let changed = moved;
      let from = row.bytes;
      let piece = PIECE_BYTES;
      while (from < to) {
        const bytes = read(file, from, Math.min(to, from + piece));
        const whole = bytes.lastIndexOf(0x0a) + 1;
        if (whole > 0) {
          row = this.#take(row, bytes.subarray(0, whole), from);
          from += whole;
          piece = PIECE_BYTES;
          changed = true;
        } else if (from + bytes.length >= to) {
          // The last line has no end yet.
          break;
        } else if (bytes.length > LINE_LIMIT) {
          const end = endOfLine(file, from + bytes.length, to);
          if (end === null) break;
          row = this.#skip(row, end, file);
          from = end;
          changed = true;
        } else piece = Math.min(2 * piece, LINE_LIMIT + 1);
        yield;
      }
      return changed;
    } finally {
      closeSync(file);
    }
  }

  /** Takes a log out of the index. */
  remove(key: Key): boolean {
    const row = this.#tables.log(key);
    if (row === undefined) return false;
    this.#whole(() => this.#tables.removeLog(row.id));
    return true;
  }

  /** All logs in the index, and how much of each is. */
  known(): KnownLog[] {
    return this.#tables.known();
  }

  /** The title in the file beside a transcript; `null` takes it back. */
  setFileTitle(session: string, title: string | null): void {
    this.#tables.setFileTitle(session, title);
  }

  /** Makes the words of what was taken out unreadable: until then they only are not found any more. */
  purge(): void {
    this.#db.exec("INSERT INTO passages (passages) VALUES ('optimize')");
    this.#db.pragma('wal_checkpoint(TRUNCATE)');
  }

  #take(row: LogRow, lines: Buffer, offset: number): LogRow {
    return this.#whole(() => {
      const piece = new Piece(this.#tables, row);
      for (let from = 0; from < lines.length;) {
        const newline = lines.indexOf(0x0a, from);
        piece.add(lines.subarray(from, newline), offset + from);
        from = newline + 1;
      }
      const bytes = offset + lines.length;
      const tail = hashTail(lines.subarray(Math.max(0, lines.length - (bytes - tailStart(bytes)))));
      return piece.finish(bytes, lines.length >= bytes - tailStart(bytes) ? tail : '');
    });
  }

  /** A transaction; when it fails nothing is left of it, in memory either. */
  #whole<T>(task: () => T): T {
    try {
      return this.#db.transaction(task)();
    } catch (error) {
      this.#tables.forget();
      throw error;
    }
  }

  /** A line that is too long to be a record for anybody. */
  #skip(row: LogRow, end: number, file: number): LogRow {
    return this.#whole(() => {
      const piece = new Piece(this.#tables, row);
      piece.noteDamage();
      return piece.finish(end, hashTail(read(file, tailStart(end), end)));
    });
  }
}

/** Rows of a log that are added together. */
class Piece {
  readonly #tables: IndexTables;
  readonly #row: LogRow;
  readonly #fold: TallyFold;
  #leaf: number | null;
  #turn: number | null;
  /** The active branch goes another way than the rows that were marked. */
  #hasJumped = false;

  constructor(tables: IndexTables, row: LogRow) {
    this.#tables = tables;
    this.#row = row;
    this.#leaf = row.leaf;
    this.#turn = row.turn;
    this.#fold = new TallyFold(row.tally, (message, usage) => (tables.countAnswer(row.id, message) ? usage : null));
  }

  noteDamage(): void {
    this.#fold.noteDamage();
  }

  add(line: Buffer, start: number): void {
    if (line.length === 0) return;
    const record = readRecord(line);
    if (record === null) return this.#fold.noteDamage();
    const isNewTitle = this.#isNewTitle(record);
    this.#fold.add(record);
    if (record.uuid === null) {
      if (record.leafUuid !== null) this.#checkpoint(record.leafUuid);
      if (isNewTitle)
        this.#addRow(record, start, line.length + 1, { parent: null, depth: 0, onBranch: false, repeats: false });
      return;
    }
    const parent = record.parentUuid === null ? null : this.#tables.byUuid(this.#row.id, record.parentUuid);
    // Only after a compaction records come again; every other uuid is looked for in vain.
    const mayRepeat = this.#fold.compactions > 0;
    const earlier = mayRepeat ? this.#tables.byUuid(this.#row.id, record.uuid) : null;
    const isMain = !record.isSidechain || this.#row.agent !== null;
    const isTurn = isMain && (record.type === 'user' || record.type === 'assistant');
    const extends_ = isMain && (parent === null ? this.#leaf === null : parent.id === this.#leaf);
    const id = this.#addRow(record, start, line.length + 1, {
      parent: parent?.id ?? null,
      depth: parent === null ? 0 : parent.depth + 1,
      onBranch: extends_ && !this.#hasJumped,
      repeats: earlier !== null && earlier.onBranch,
    });
    if (isTurn || extends_) {
      this.#leaf = id;
      if (isTurn) this.#turn = id;
      if (!extends_) this.#hasJumped = true;
    }
  }

  finish(bytes: number, tail: string): LogRow {
    this.#tables.keepOpenCalls();
    if (this.#hasJumped && this.#leaf !== null) this.#tables.moveBranch(this.#row.id, this.#leaf);
    const tally = this.#fold.value;
    const row: LogRow = { ...this.#row, bytes, tail, leaf: this.#leaf, turn: this.#turn, tally };
    this.#tables.putLog(row, titleOf(tally.titles));
    return row;
  }

  /** The CLI says a title again and again. */
  #isNewTitle(record: ConversationRecord): boolean {
    const title = record.uuid === null ? titleIn(record) : null;
    return title !== null && this.#fold.titles[title.source] !== title.text;
  }

  #checkpoint(uuid: string): void {
    const leaf = this.#tables.byUuid(this.#row.id, uuid);
    // One that names nothing here is none; the last turn may have notes behind it, which belong to it.
    if (leaf === null || leaf.id === this.#turn || (leaf.isSidechain && this.#row.agent === null)) return;
    this.#leaf = leaf.id;
    this.#turn = leaf.id;
    this.#hasJumped = true;
  }

  #addRow(
    record: ConversationRecord,
    start: number,
    bytes: number,
    at: {
      readonly parent: number | null;
      readonly depth: number;
      readonly onBranch: boolean;
      readonly repeats: boolean;
    },
  ): number {
    const log = this.#row.id;
    const id = this.#tables.nextRecord();
    const calls = this.#calls(record, id, at.repeats);
    const passages = at.repeats ? [] : passagesOf(record);
    let roles = 0;
    for (const { role, text } of passages) {
      const number = ROLES.indexOf(role);
      roles |= 1 << number;
      this.#tables.addPassage(id * 8 + number, indexedText(text));
    }
    this.#tables.addRecord({
      id,
      log,
      start,
      bytes,
      uuid: record.uuid,
      parent: at.parent,
      depth: at.depth,
      onBranch: at.onBranch,
      kind: at.repeats || calls.isPaired ? 0 : kindNumber(record.kind),
      at: record.at,
      tool: calls.tool,
      roles,
      isSidechain: record.isSidechain,
    });
    return id;
  }

  /** Ties what tools returned to where they were called. */
  #calls(record: ConversationRecord, id: number, repeats: boolean): { tool: number | null; isPaired: boolean } {
    let tool: number | null = null;
    let paired = 0;
    for (const block of record.blocks) {
      if (block.kind === 'tool-use') {
        const number = this.#tables.tool(block.name);
        tool ??= number;
        if (block.id !== null && !repeats) this.#tables.noteCall(this.#row.id, block.id, id, number);
      } else if (block.kind === 'tool-result' && block.id !== null && !repeats) {
        const call = this.#tables.answerCall(this.#row.id, block.id, id);
        tool ??= call.tool;
        if (call.isPaired) paired += 1;
      }
    }
    return { tool, isPaired: record.kind === 'results' && paired === record.blocks.length };
  }
}

function open(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function isSameFile(row: LogRow, stat: BigIntStats, file: number): boolean {
  if (row.inode !== String(stat.ino) || stat.size < BigInt(row.bytes)) return false;
  return row.tail === '' || row.bytes === 0 || hashTail(read(file, tailStart(row.bytes), row.bytes)) === row.tail;
}

/** Bytes `[from, to)`, fewer when the file ends before. */
function read(file: number, from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafe(to - from);
  let done = 0;
  while (done < bytes.length) {
    const more = readSync(file, bytes, done, bytes.length - done, from + done);
    if (more === 0) break;
    done += more;
  }
  return bytes.subarray(0, done);
}

/** Just behind the first newline from `from` on; `null` when there is none before `to`. */
function endOfLine(file: number, from: number, to: number): number | null {
  for (let at = from; at < to; at += PIECE_BYTES) {
    const found = read(file, at, Math.min(to, at + PIECE_BYTES)).indexOf(0x0a);
    if (found >= 0) return at + found + 1;
  }
  return null;
}
