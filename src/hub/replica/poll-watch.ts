import type { RelativePath } from '../../core/domain.ts';
import type { Clock } from '../ports/clock.ts';
import { FileSystemError } from '../ports/file-system.ts';
import type { Entry, FileSystem } from '../ports/file-system.ts';
import { isPrivate } from './private-folder.ts';
import type { Hint } from './replica.ts';
import type { WatchSource } from './watch-source.ts';

/** Every folder is looked at within this time, changes there or not (docs/sync.md section 8). */
const SEEN_WITHIN_MS = 10_000;
/** A folder in which something changed is looked at in every round for this long. */
const ACTIVE_MS = 10 * 60_000;
/** Folders that are listed at the same time. */
const AT_ONCE = 4;

/** What a polling watch works with. */
export interface PollWatchOptions {
  /** Rooted at the folder to watch. */
  readonly fs: FileSystem;
  readonly clock: Clock;
  /** Time between two rounds, ms. */
  readonly everyMs: number;
  /** Whether a folder (path below the root) and everything in it is of no interest. The private folder never is. */
  readonly prune: (folder: RelativePath) => boolean;
}

/** Where nothing tells of changes: network mounts, systems without free watches. Folders are listed again and again. */
export function createPollWatch(options: PollWatchOptions): WatchSource {
  let running: Polling | null = null;
  return {
    name: 'poll',
    async start(onHint, onTrouble) {
      await running?.stop();
      running = new Polling(options, onHint, onTrouble);
      await running.start();
    },
    close: async () => running?.stop(),
  };
}

/** A folder as it was at the last look: its files and links by what tells a change, its folders by which they are. */
interface Seen {
  readonly entries: ReadonlyMap<string, string>;
  changedAt: number;
}

class Polling {
  readonly #options: PollWatchOptions;
  readonly #onHint: (hint: Hint) => void;
  readonly #onTrouble: (reason: string) => void;
  /** In the order of their last look, the one that waits longest first. */
  readonly #folders = new Map<RelativePath, Seen>();
  readonly #troubles = new Set<string>();
  #cancel: (() => void) | null = null;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: PollWatchOptions, onHint: (hint: Hint) => void, onTrouble: (reason: string) => void) {
    this.#options = options;
    this.#onHint = onHint;
    this.#onTrouble = onTrouble;
  }

  /** Resolves when everything that exists was seen once. */
  async start(): Promise<void> {
    await this.#learn('');
    this.#plan(this.#options.everyMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#round;
  }

  #plan(ms: number): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(ms, () => {
      const startedAt = this.#options.clock.now();
      this.#round = this.#look().then(
        () => this.#plan(Math.max(0, startedAt + this.#options.everyMs - this.#options.clock.now())),
        (error: unknown) => {
          this.#trouble('', error);
          this.#plan(this.#options.everyMs);
        },
      );
    });
  }

  /** One round: the folders in which something happened lately, and of the others as many as are due. */
  async #look(): Promise<void> {
    const { clock, everyMs } = this.#options;
    const now = clock.now();
    const active: RelativePath[] = [];
    const others: RelativePath[] = [];
    for (const [folder, { changedAt }] of this.#folders) (now - changedAt < ACTIVE_MS ? active : others).push(folder);
    // One round less than there is time for: the present one takes time as well.
    const rounds = Math.max(1, Math.floor(SEEN_WITHIN_MS / everyMs) - 1);
    // A share of all, not of the others: those become fewer while they turn active, and the last of them would wait too long.
    const due = [...active, ...others.slice(0, Math.ceil(this.#folders.size / rounds))];
    const lane = async (): Promise<void> => {
      for (let folder = due.shift(); folder !== undefined && !this.#stopped; folder = due.shift())
        await this.#compare(folder);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  }

  async #compare(folder: RelativePath): Promise<void> {
    const before = this.#folders.get(folder);
    // It went with a folder above it in this round.
    if (before === undefined) return;
    const entries = await this.#list(folder);
    if (entries === null || this.#stopped || !this.#folders.has(folder)) return;
    let changedAt = before.changedAt;
    const after = new Map<string, string>();
    const hints: Hint[] = [];
    for (const entry of entries) {
      const path = below(folder, entry.name);
      const facts = factsOf(entry);
      after.set(entry.name, facts);
      const known = before.entries.get(entry.name);
      if (known === facts) continue;
      if (entry.type !== 'folder' && known?.startsWith('folder') !== true) hints.push({ path, kind: 'file' });
      else {
        this.#forget(path);
        // Seen before it is told: what comes into it after that is a change.
        if (entry.type === 'folder' && this.#isWanted(path)) await this.#learn(path);
        if (this.#isWanted(path)) hints.push({ path, kind: 'folder' });
      }
    }
    for (const [name, facts] of before.entries) {
      if (after.has(name)) continue;
      const path = below(folder, name);
      this.#forget(path);
      hints.push({ path, kind: facts.startsWith('folder') ? 'folder' : 'file' });
    }
    if (hints.length > 0) changedAt = this.#options.clock.now();
    this.#remember(folder, { entries: after, changedAt });
    for (const hint of hints) if (!this.#stopped && !isPrivate(hint.path)) this.#onHint(hint);
  }

  /** Sees `folder` and everything below it for the first time. */
  async #learn(folder: RelativePath): Promise<void> {
    const pending = [folder];
    for (let at = pending.pop(); at !== undefined && !this.#stopped; at = pending.pop()) {
      const entries = await this.#list(at);
      if (entries === null) continue;
      this.#remember(at, {
        entries: new Map(entries.map((entry) => [entry.name, factsOf(entry)])),
        changedAt: -Infinity,
      });
      for (const { name, type } of entries)
        if (type === 'folder' && this.#isWanted(below(at, name))) pending.push(below(at, name));
    }
  }

  #isWanted(folder: RelativePath): boolean {
    return !isPrivate(folder) && !this.#options.prune(folder);
  }

  /** `null` when it cannot be listed now. One that is gone is told by the folder above it. */
  async #list(folder: RelativePath): Promise<Entry[] | null> {
    try {
      return await this.#options.fs.list(folder);
    } catch (error) {
      // It keeps its turn, and what was seen of it: what cannot be listed did not change.
      const seen = this.#folders.get(folder);
      if (seen !== undefined) this.#remember(folder, seen);
      if (folder === '' || !FileSystemError.is(error, 'missing')) this.#trouble(folder, error);
      return null;
    }
  }

  #remember(folder: RelativePath, seen: Seen): void {
    this.#folders.delete(folder);
    this.#folders.set(folder, seen);
  }

  #forget(path: RelativePath): void {
    for (const folder of [...this.#folders.keys()]) {
      if (folder === path || folder.startsWith(`${path}/`)) this.#folders.delete(folder);
    }
  }

  #trouble(folder: RelativePath, error: unknown): void {
    const code = FileSystemError.is(error) ? error.code : String(error);
    const once = `${code} ${folder}`;
    if (this.#stopped || this.#troubles.has(once)) return;
    this.#troubles.add(once);
    this.#onTrouble(`${folder === '' ? 'the Claude folder' : folder} cannot be listed: ${code}`);
  }
}

function below(folder: RelativePath, name: string): RelativePath {
  return folder === '' ? name : `${folder}/${name}`;
}

/** What of an entry tells that it changed. The times of a folder do not: what is in it is looked at by itself. */
function factsOf({ type, size, mtimeMs, inode, executable }: Entry): string {
  return type === 'folder' ? `folder ${inode}` : `${type} ${size} ${mtimeMs} ${inode} ${executable ? 'x' : ''}`;
}
