import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import type { Head, UnixMs } from '../../core/domain.ts';
import { isSessionUuid, keyForSession } from '../../core/keys/key.ts';
import { tellingRanges } from '../../core/projects/recorded-folders.ts';
import type { MarkedSession } from '../../core/pulls/session-links.ts';
import { MOST_BRANCHES, MOST_CWDS, MOST_LINKS, readMarks, validRepository } from '../../core/pulls/session-marks.ts';
import type { SessionMarks } from '../../core/pulls/session-marks.ts';
import type { Archive } from '../archive/archive.ts';
import { jsonOrNull } from '../json-or-null.ts';
import type { Clock } from '../ports/clock.ts';
import type { SessionMarkRow, Store } from '../store/store.ts';
import { RepositoryPlaces } from './repository-places.ts';

/** What the reader works with. */
export interface SessionMarksOptions {
  readonly store: Pick<Store, 'heads' | 'sessionMarks' | 'projects' | 'machines'>;
  readonly archive: Pick<Archive, 'read'>;
  readonly clock: Clock;
  /** Told once of each session that cannot be read, until it can be. By default nobody is. */
  readonly onTrouble?: (error: Error) => void;
}

/** A session changes every second while it is live. It is not worth reading more often than this. */
const READ_AGAIN_MS = 60_000;

/** Rows that are looked at before other work has its turn. */
const ROWS_AT_ONCE = 200;

/** Another form than this one is read from the archive again. To be counted up when `readMarks` finds something else. */
const FORM = 1;

const StoredMarks = z.object({
  form: z.literal(FORM),
  branches: z.array(z.string()).max(MOST_BRANCHES),
  links: z
    .array(
      z.object({
        repository: z.string().refine((text) => validRepository(text) !== null),
        number: z.number().int().positive(),
        url: z.string().startsWith('https://'),
      }),
    )
    .max(MOST_LINKS),
  cwds: z.array(z.string()).max(MOST_CWDS),
  at: z.number().nullable(),
});

/** A run of `refresh`, with all who wait for it. */
interface Run {
  readonly signals: (AbortSignal | undefined)[];
  now: boolean;
  readonly done: Promise<void>;
}

/**
 * What all conversations say about their branches and pull requests: read from the archive where that is newer than what was kept,
 * and kept in the store.
 */
export class SessionMarksReader {
  readonly #store: SessionMarksOptions['store'];
  readonly #archive: SessionMarksOptions['archive'];
  readonly #clock: Clock;
  readonly #onTrouble: (error: Error) => void;
  /** The run that is under way, or the last one. */
  #last: Promise<void> = Promise.resolve();
  /** The run that begins when that one has ended. */
  #next: Run | null = null;
  /** When sessions were read, as far as that is less than `READ_AGAIN_MS` ago. */
  readonly #readAt = new Map<string, UnixMs>();
  readonly #inTrouble = new Set<string>();
  /** Every row is parsed once. */
  readonly #parsed = new WeakMap<SessionMarkRow, SessionMarks | null>();

  constructor({ store, archive, clock, onTrouble }: SessionMarksOptions) {
    this.#store = store;
    this.#archive = archive;
    this.#clock = clock;
    this.#onTrouble = onTrouble ?? (() => undefined);
  }

  /**
   * Reads the sessions whose heads have changed since they were read, the latest ones first, one after the other with other work in
   * between; at most 128 KiB of each. One run at a time: a call while one is under way waits for a run that begins after it, and
   * shares it with other such calls. A session that cannot be read keeps its old marks, is told to `onTrouble` and tried again.
   *
   * @param signal when all who wait for a run have aborted, it ends after the session that is being read, without an error
   * @param options `now`: also those that were read less than a minute ago
   */
  refresh(signal?: AbortSignal, { now = false }: { readonly now?: boolean } = {}): Promise<void> {
    this.#next ??= this.#plan();
    this.#next.signals.push(signal);
    this.#next.now ||= now;
    return this.#next.done;
  }

  /**
   * All sessions whose marks are known, in no order. What a row holds that is not understood is left out until the next refresh.
   * Repositories are those of the projects as they are known now.
   */
  *sessions(): Generator<MarkedSession & { readonly marks: SessionMarks }, void, undefined> {
    const places = new RepositoryPlaces(this.#store);
    for (const row of this.#store.sessionMarks.values()) {
      const marks = this.#marksOf(row);
      if (marks === null) continue;
      yield { session: row.session, at: row.at, marks, repositories: places.repositoriesOf(marks.cwds) };
    }
  }

  #plan(): Run {
    const begin = async (): Promise<void> => {
      this.#next = null;
      await this.#run(run);
    };
    // A run that failed is its own callers' affair.
    const run: Run = { signals: [], now: false, done: this.#last.then(begin, begin) };
    this.#last = run.done;
    return run;
  }

  async #run({ signals, now }: Run): Promise<void> {
    const stopped = (): boolean => signals.every((signal) => signal?.aborted === true);
    if (stopped()) return;
    this.#dropRows();
    const due = await this.#due(now, stopped);
    for (const session of due) {
      if (stopped()) return;
      await this.#read(session);
      await setImmediate();
    }
  }

  /** Removes what is kept of sessions that are gone. */
  #dropRows(): void {
    for (const { session } of [...this.#store.sessionMarks.values()]) {
      if (this.#headOf(session) === null) this.#store.sessionMarks.delete(session);
    }
    for (const session of this.#inTrouble) {
      if (this.#headOf(session) === null) this.#inTrouble.delete(session);
    }
    for (const [session, at] of this.#readAt) {
      // A clock that was put back must not keep a session from being read.
      const ago = this.#clock.now() - at;
      if (ago < 0 || ago >= READ_AGAIN_MS) this.#readAt.delete(session);
    }
  }

  /** Sessions to be read, the latest one first. */
  async #due(now: boolean, stopped: () => boolean): Promise<string[]> {
    const heads = [...this.#store.heads.values()].filter((head) => head.kind === 'file' && sessionOf(head) !== null);
    const due: { readonly session: string; readonly mtimeMs: UnixMs }[] = [];
    for (const [at, head] of heads.entries()) {
      if (at % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) await setImmediate();
      if (stopped()) return [];
      const session = sessionOf(head);
      if (session === null || (!now && this.#readAt.has(session))) continue;
      const row = this.#store.sessionMarks.get(session);
      if (row === undefined || row.seq !== head.seq || this.#marksOf(row) === null)
        due.push({ session, mtimeMs: head.mtimeMs });
    }
    return due.sort((one, other) => other.mtimeMs - one.mtimeMs).map(({ session }) => session);
  }

  async #read(session: string): Promise<void> {
    const head = this.#headOf(session);
    if (head === null) return;
    this.#readAt.set(session, this.#clock.now());
    let marks: SessionMarks;
    try {
      marks = readMarks(await this.#pieces(head));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // Other content took its place meanwhile: the next refresh reads that.
      if (this.#headOf(session)?.seq !== head.seq || this.#inTrouble.has(session)) return;
      this.#inTrouble.add(session);
      this.#onTrouble(error);
      return;
    }
    this.#inTrouble.delete(session);
    // It may have gone while it was read.
    if (this.#headOf(session) === null) return;
    const at = marks.at === null || marks.at > this.#clock.now() ? head.mtimeMs : marks.at;
    // The column takes whole numbers only.
    const row = { session, seq: head.seq, at: Math.floor(at), json: JSON.stringify({ form: FORM, ...marks }) };
    this.#store.sessionMarks.put(row);
  }

  /** The two ends of a transcript. */
  async #pieces(head: Head): Promise<string[]> {
    const pieces: string[] = [];
    for (const [from, to] of tellingRanges(head.size)) {
      const chunks: Buffer[] = [];
      for await (const chunk of this.#archive.read(head.key, from, to)) chunks.push(chunk);
      pieces.push(Buffer.concat(chunks).toString('utf8'));
    }
    return pieces;
  }

  #headOf(session: string): Head | null {
    // A row of the database may name anything.
    if (!isSessionUuid(session)) return null;
    const head = this.#store.heads.get(keyForSession(session));
    return head?.kind === 'file' ? head : null;
  }

  #marksOf(row: SessionMarkRow): SessionMarks | null {
    let marks = this.#parsed.get(row);
    if (marks === undefined) {
      marks = parseMarks(row.json);
      this.#parsed.set(row, marks);
    }
    return marks;
  }
}

function parseMarks(json: string): SessionMarks | null {
  const { success, data } = StoredMarks.safeParse(jsonOrNull(json));
  return success ? { branches: data.branches, links: data.links, cwds: data.cwds, at: data.at } : null;
}

const SESSION_PREFIX = 'session/';

/** The session whose transcript `head` is. Not with `parseKey`: this is asked of every key there is. */
function sessionOf({ key }: Head): string | null {
  if (!key.startsWith(SESSION_PREFIX)) return null;
  const session = key.slice(SESSION_PREFIX.length);
  return isSessionUuid(session) ? session : null;
}
