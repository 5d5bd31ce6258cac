import type { Key, UnixMs } from '../../core/domain.ts';
import { isSessionUuid } from '../../core/keys/key.ts';
import type { Archive } from '../archive/archive.ts';
import type { Clock } from '../ports/clock.ts';
import type { Store } from '../store/store.ts';
import type { LogPlace } from './log-indexer.ts';
import type { ReadTasks, TitleFile, WriteTasks } from './worker-messages.ts';
import { IndexProcess } from './index-process.ts';

/** What the index is kept with. */
export interface ConversationIndexOptions {
  /** The file of the index. */
  readonly path: string;
  readonly store: { readonly heads: Pick<Store['heads'], 'get' | 'values' | 'onChange'> };
  readonly archive: Pick<Archive, 'localPath'>;
  readonly clock: Clock;
  /** Entry of the workers, in a bundle. */
  readonly workerUrl?: URL | undefined;
  /** Id of the project that a session belongs to; `null` while it is not known. */
  readonly projectOf: (key: Key) => Promise<string | null>;
  /** Whether there is something more urgent than the index, such as a first sync. */
  readonly isBusy: () => boolean;
  /** These sessions are other ones in the index now. */
  readonly onChanged: (sessions: readonly string[]) => void;
  readonly onTrouble: (error: Error) => void;
}

/** What is still to be taken into the index. */
export interface Backlog {
  readonly logs: number;
  readonly bytes: number;
}

/** A line is in the index this long after it is in the archive, at most a little more. */
const SOON_MS = 200;
/** The index is compared with the archive this long after the start of the hub. */
const START_MS = 1_000;
/** While a first sync is under way, or after trouble, it is tried again this often. */
const LATER_MS = 2_000;
/** Workers that nobody needs are ended after this time, ms: each holds 50 MB and more. One is started again within 100 ms. */
const IDLE_MS = 10_000;
/** Logs, and bytes of them, that are handed over together. */
const LOGS_AT_ONCE = 64;
const BYTES_AT_ONCE = 32 * 1024 * 1024;

/** A log over which the worker died this often by itself is left alone. */
const MOST_DEATHS = 3;

const TITLE_FILE = '/custom-title.json';

/**
 * Keeps the index of all conversations level with the archive, and answers questions from it. What it does it does in processes of their own, after the sync:
 * nothing waits for it. The index holds nothing of its own; without it, it is made again.
 */
export class ConversationIndex {
  readonly #options: ConversationIndexOptions;
  readonly #writer: IndexProcess<WriteTasks>;
  readonly #reader: IndexProcess<ReadTasks>;
  /** Keys that are not level, oldest content first: the newest is found first, as it is indexed last. */
  readonly #due = new Set<Key>();
  /** How often the worker died over a key. */
  readonly #deaths = new Map<Key, number>();
  #stopListening: () => void = () => undefined;
  #cancelStart: () => void = () => undefined;
  #cancelTimer: () => void = () => undefined;
  #cancelIdle: () => void = () => undefined;
  #isTimed = false;
  #running: Promise<void> | null = null;
  #askedAt: UnixMs = 0;
  #purge = false;
  /** What is not in the index is known. */
  #isCompared = false;
  #stopped = false;

  constructor(options: ConversationIndexOptions) {
    this.#options = options;
    const { path, workerUrl: url, onTrouble } = options;
    const onAnew = (reason: string): void => {
      onTrouble(new Error(`the index of conversations is made anew: ${reason}`));
      this.#dueAll();
      // It has the old file open.
      this.#ended(this.#reader.end());
    };
    this.#reader = new IndexProcess({ role: 'read', path, url, onAnew: () => undefined });
    this.#writer = new IndexProcess({ role: 'write', path, url, onAnew });
  }

  /** Begins to follow the archive. */
  start(): void {
    this.#stopListening = this.#options.store.heads.onChange((key) => {
      if (isIndexed(key)) this.#mark(key);
    });
    // Whoever has just started a hub waits for the machines first.
    this.#cancelStart = this.#options.clock.after(START_MS, () => {
      this.#compare().catch((error: unknown) => this.#failed(error));
    });
  }

  /** What is not in the index yet; `null`: it is level. */
  backlog(): Backlog | null {
    let bytes = 0;
    for (const key of this.#due) bytes += this.#options.store.heads.get(key)?.size ?? 0;
    const isLevel = this.#isCompared && this.#due.size === 0 && this.#running === null;
    return isLevel ? null : { logs: this.#due.size, bytes };
  }

  /** The map of projects changed: every session is placed anew. */
  reconfigured(): void {
    this.#dueAll();
  }

  /** Asks the worker that reads. */
  async ask<Name extends keyof ReadTasks>(
    task: Name,
    takes: ReadTasks[Name]['takes'],
  ): Promise<ReadTasks[Name]['gives']> {
    this.#askedAt = this.#options.clock.now();
    this.#endIdle();
    return this.#reader.ask(task, takes);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopListening();
    this.#cancelStart();
    this.#cancelTimer();
    this.#cancelIdle();
    const ended = Promise.all([this.#writer.end(), this.#reader.end()]);
    await this.#running;
    await ended;
  }

  /** Finds what changed while no hub was at work: logs of another length, and those that are gone. */
  async #compare(): Promise<void> {
    const known = new Map((await this.#writer.ask('known', null)).map(({ key, bytes }) => [key, bytes]));
    for (const head of [...this.#options.store.heads.values()].sort((one, other) => one.mtimeMs - other.mtimeMs)) {
      const { key, kind, size } = head;
      if (!isIndexed(key)) continue;
      const bytes = known.get(key);
      known.delete(key);
      if (kind === 'file' && (bytes === undefined || bytes !== size)) this.#mark(key);
    }
    for (const key of known.keys()) this.#mark(key);
    this.#isCompared = true;
    this.#endIdle();
  }

  #dueAll(): void {
    const heads = [...this.#options.store.heads.values()].filter(({ key }) => isIndexed(key));
    for (const { key } of heads.sort((one, other) => one.mtimeMs - other.mtimeMs)) this.#mark(key);
  }

  #mark(key: Key): void {
    this.#due.add(key);
    this.#later(SOON_MS);
  }

  #later(ms: number): void {
    if (this.#isTimed || this.#running !== null || this.#stopped) return;
    this.#isTimed = true;
    this.#cancelTimer = this.#options.clock.after(ms, () => {
      this.#isTimed = false;
      if (this.#options.isBusy()) return this.#later(LATER_MS);
      let again = SOON_MS;
      this.#running = this.#run()
        .catch((error: unknown) => {
          again = LATER_MS;
          this.#failed(error);
        })
        .finally(() => {
          this.#running = null;
          if (this.#due.size > 0) this.#later(again);
          else this.#endIdle();
        });
    });
  }

  async #run(): Promise<void> {
    while (this.#due.size > 0 && !this.#stopped && !this.#options.isBusy()) {
      const logs: LogPlace[] = [];
      const gone: Key[] = [];
      const titles: TitleFile[] = [];
      const taken: Key[] = [];
      let bytes = 0;
      for (const key of this.#due) {
        // One that may be to blame comes alone.
        if (taken.length > 0 && this.#deaths.has(key)) continue;
        if (taken.length >= LOGS_AT_ONCE || bytes >= BYTES_AT_ONCE || this.#deaths.has(taken[0] ?? '')) break;
        this.#due.delete(key);
        taken.push(key);
        const head = this.#options.store.heads.get(key);
        const path = head?.kind === 'file' ? this.#options.archive.localPath(key) : null;
        if (key.endsWith(TITLE_FILE)) titles.push({ session: sessionIn(key), path });
        else if (head === undefined || path === null) gone.push(key);
        else {
          bytes += head.size;
          const project = await this.#options.projectOf(`session/${sessionIn(key)}`).catch(() => null);
          logs.push({ key, session: sessionIn(key), agent: agentIn(key), project, path, size: head.size });
        }
      }
      try {
        const { changed, failed } = await this.#writer.ask('index', { logs, gone, titles });
        for (const key of taken) this.#deaths.delete(key);
        if (gone.length > 0) this.#purge = true;
        const [first] = failed;
        if (first !== undefined) this.#failed(new Error(`${first.key} is not in the index: ${first.reason}`));
        if (changed.length > 0) this.#options.onChanged([...new Set(changed.map(sessionIn))]);
      } catch (error) {
        // Nothing is lost: what was taken in is known, and the rest is found by its length.
        for (const key of taken) this.#died(key, taken.length === 1);
        throw error;
      }
    }
    if (this.#purge && this.#due.size === 0 && !this.#stopped) {
      this.#purge = false;
      await this.#writer.ask('purge', null);
    }
    // What is new is indexed first.
    while (this.#due.size === 0 && !this.#stopped && !this.#options.isBusy()) {
      const sessions = await this.#writer.ask('look', null);
      if (sessions.length === 0) return;
      this.#options.onChanged(sessions);
    }
  }

  /** A log that kills the worker again and again stays out of the index until it changes: the others are to be found all the same. */
  #died(key: Key, alone: boolean): void {
    const deaths = (this.#deaths.get(key) ?? 0) + (alone ? 1 : 0);
    this.#deaths.set(key, deaths);
    if (deaths < MOST_DEATHS) this.#due.add(key);
    else this.#failed(new Error(`${key} is left out of the index: the worker died over it ${deaths} times`));
  }

  /** Ends workers that were not needed for a while. */
  #endIdle(): void {
    this.#cancelIdle();
    if (this.#stopped) return;
    this.#cancelIdle = this.#options.clock.after(IDLE_MS, () => {
      if (this.#running === null && this.#due.size === 0) this.#ended(this.#writer.end());
      if (this.#options.clock.now() - this.#askedAt >= IDLE_MS) this.#ended(this.#reader.end());
      if (this.#writer.isRunning || this.#reader.isRunning) this.#endIdle();
    });
  }

  #ended(ending: Promise<void>): void {
    ending.catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    if (!this.#stopped) this.#options.onTrouble(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Whether a key is a log of a conversation, or a title of one. */
function isIndexed(key: Key): boolean {
  if (!key.startsWith('session/')) return false;
  const slash = key.indexOf('/', 8);
  if (slash < 0) return isSessionUuid(key.slice(8));
  return key.endsWith(TITLE_FILE) ? key.indexOf('/', slash + 1) < 0 : agentIn(key) !== null;
}

function sessionIn(key: Key): string {
  return key.split('/')[1] ?? '';
}

/** `session/<uuid>/subagents/**`: the logs of the session's subagents. */
function agentIn(key: Key): string | null {
  return /^session\/[^/]+\/subagents\/(?:.*\/)?agent-([^/]+)\.jsonl$/.exec(key)?.[1] ?? null;
}
