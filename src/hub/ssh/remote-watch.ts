import type { RelativePath } from '../../core/domain.ts';
import type { Clock } from '../ports/clock.ts';
import { delay } from '../ports/clock.ts';
import { HintsTogether } from '../replica/hints-together.ts';
import { isPrivate } from '../replica/private-folder.ts';
import type { Hint } from '../replica/replica.ts';
import type { WatchSource } from '../replica/watch-source.ts';
import { Records } from './records.ts';
import type { CommandEnd, RemoteCommands, RunningCommand } from './remote-commands.ts';
import { NO_FOLDER } from './watch-script.ts';

/** What a watch on another machine works with. */
export interface RemoteWatchOptions {
  readonly commands: RemoteCommands;
  readonly clock: Clock;
  /** Absolute claudeDir there, symlinks resolved. */
  readonly root: string;
  /** Whether a folder (path below claudeDir) and everything in it is of no interest. The private folder never is. */
  readonly prune: (folder: RelativePath) => boolean;
}

/** What a record of a watcher says. */
export type Sign =
  | { readonly kind: 'file' | 'folder'; readonly path: RelativePath }
  /** From here on it tells of everything. */
  | { readonly kind: 'ready' }
  /** Something happened that it does not name. */
  | { readonly kind: 'scan' }
  /** The folder that it watches is another one now, or none. */
  | { readonly kind: 'root-lost' };

/** How one watcher is run and understood. */
export interface WatchDialect {
  readonly name: string;
  /** Script for `RemoteCommands.start`, see `watchScript`. */
  readonly script: string;
  /** Byte at the end of a record. */
  readonly separator: number;
  /** Longer than this nobody waits for `ready`, ms. */
  readonly readyWithinMs: number;
  /** What a line of its stderr says; a `trouble` is for the user, while it goes on. */
  readonly hear: (line: string) => 'ready' | { readonly trouble: string } | null;
  readonly read: (record: Buffer) => readonly Sign[];
  /** Why it ended, from its stderr and exit code. `isLasting`: another try soon would end alike. */
  readonly explain: (stderr: string, code: number | null) => { readonly reason: string; readonly isLasting: boolean };
}

/** A watcher watches a new folder some time after it has told of it; deep trees take longer, and tell of folders in them later. */
const FOLDERS_AGAIN_MS = 1500;
/** Time between two wishes for a full scan. */
const SCANS_APART_MS = 5000;
const LONGEST_BACKOFF_MS = 60_000;
/** A watcher that lasted this long begins again as if for the first time. */
const LASTED_MS = 60_000;
/** The machine may be gone without a word: closing does not wait for its answer for longer. */
const CLOSE_WITHIN_MS = 2000;
const MOST_STDERR = 4096;
/** A line of input: it need not be shown any longer that the watcher works, see `watchScript`. */
const SEEN = 'seen\n';

/** A watch whose watcher is a command on another machine. It is started again when it ends, and everything is looked at then. */
export function createRemoteWatch(options: RemoteWatchOptions, dialect: WatchDialect): WatchSource {
  let running: RemoteWatch | null = null;
  return {
    name: dialect.name,
    async start(onHint, onTrouble) {
      await running?.close();
      running = new RemoteWatch(options, dialect, onHint, onTrouble);
      await running.start();
    },
    close: async () => running?.close(),
  };
}

class RemoteWatch {
  readonly #options: RemoteWatchOptions;
  readonly #dialect: WatchDialect;
  readonly #onHint: (hint: Hint) => void;
  readonly #onTrouble: (reason: string) => void;
  readonly #together: HintsTogether;
  readonly #closing = new AbortController();
  readonly #cancels = new Set<() => void>();
  #command: RunningCommand | null = null;
  #isReady = false;
  /** Whether something may have been missed since the caller's last full scan, which it makes after `start`. */
  #isBehind = false;
  #lastTrouble: string | null = null;
  #lastScanAt = -Infinity;
  #isScanDue = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(
    options: RemoteWatchOptions,
    dialect: WatchDialect,
    onHint: (hint: Hint) => void,
    onTrouble: (reason: string) => void,
  ) {
    this.#options = options;
    this.#dialect = dialect;
    this.#onHint = onHint;
    this.#onTrouble = onTrouble;
    this.#together = new HintsTogether(options.clock, onHint, { foldersAgainMs: FOLDERS_AGAIN_MS });
  }

  /** Resolves when it is ready, when the first try failed, or when it takes too long: of the latter two `onTrouble` is told before. */
  async start(): Promise<void> {
    await new Promise<void>((settled) => {
      this.#loop = this.#keepRunning(settled);
    });
    this.#isBehind ||= !this.#isReady;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#together.close();
    for (const cancel of this.#cancels) cancel();
    this.#command?.endInput();
    const late = new AbortController();
    await Promise.race([this.#loop, delay(this.#options.clock, CLOSE_WITHIN_MS, late.signal)]);
    late.abort();
    this.#command?.abandon();
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #keepRunning(settled: () => void): Promise<void> {
    const { clock } = this.#options;
    for (let failures = 0; !this.#isClosed;) {
      const startedAt = clock.now();
      const end = await this.#runOnce(settled);
      if (this.#isClosed) break;
      this.#isBehind = true;
      this.#tellTrouble(end.reason);
      settled();
      failures = this.#isReady && clock.now() - startedAt >= LASTED_MS ? 1 : failures + 1;
      this.#isReady = false;
      const backoff = end.isLasting ? LONGEST_BACKOFF_MS : Math.min(1000 * 2 ** (failures - 1), LONGEST_BACKOFF_MS);
      await delay(clock, backoff, this.#closing.signal);
    }
    settled();
  }

  /** Runs the watcher until it ends. */
  async #runOnce(settled: () => void): Promise<{ readonly reason: string; readonly isLasting: boolean }> {
    const records = new Records(this.#dialect.separator);
    const lines = new Records(0x0a);
    let stderr = '';
    let rootLost = false;
    const take = (sign: Sign): void => {
      if (sign.kind === 'ready') this.#becomeReady(settled);
      else if (sign.kind === 'scan') this.#askForScan();
      else if (sign.kind === 'root-lost') {
        rootLost = true;
        this.#askForScan();
        this.#command?.endInput();
      } else this.#tell(sign);
    };
    const cancelLate = this.#after(this.#dialect.readyWithinMs, () => {
      if (this.#isReady) return;
      this.#isBehind = true;
      this.#tellTrouble(
        `${this.#dialect.name} has not said that it sees every change; the folder is scanned until it does`,
      );
      settled();
    });
    try {
      const command = await this.#options.commands.start(this.#dialect.script, {
        stdout: (chunk) => {
          for (const record of this.#isClosed ? [] : records.push(chunk))
            for (const sign of record === null ? [{ kind: 'scan' } as const] : this.#dialect.read(record)) take(sign);
        },
        stderr: (chunk) => {
          stderr = (stderr + chunk.toString('utf8')).slice(-MOST_STDERR);
          for (const line of lines.push(chunk)) {
            const heard = this.#dialect.hear(line?.toString('utf8') ?? '');
            if (heard === 'ready') this.#becomeReady(settled);
            else if (heard !== null) {
              this.#tellTrouble(heard.trouble);
              // It may never become ready now, and something else has to look.
              this.#isBehind ||= !this.#isReady;
              settled();
            }
          }
        },
      });
      this.#command = command;
      // All of this may have happened while the channel was being opened.
      if (this.#isReady) command.write(SEEN);
      if (this.#isClosed || rootLost) command.endInput();
      const end = await command.ended;
      if (rootLost) return { reason: `the Claude folder was moved, removed or unmounted`, isLasting: false };
      return this.#explain(end, stderr);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { reason: `${this.#dialect.name} could not be started: ${why}`, isLasting: false };
    } finally {
      this.#command = null;
      cancelLate();
    }
  }

  #explain(end: CommandEnd, stderr: string): { readonly reason: string; readonly isLasting: boolean } {
    if (end.code === NO_FOLDER) return { reason: 'the Claude folder is not there', isLasting: false };
    if (end.code === null && end.signal === null)
      return { reason: `${this.#dialect.name} ended with its connection`, isLasting: false };
    return this.#dialect.explain(stderr, end.code);
  }

  #becomeReady(settled: () => void): void {
    if (this.#isReady || this.#isClosed) return;
    this.#isReady = true;
    this.#lastTrouble = null;
    this.#command?.write(SEEN);
    if (this.#isBehind) this.#askForScan();
    this.#isBehind = false;
    settled();
  }

  #tell({ kind, path }: { readonly kind: 'file' | 'folder'; readonly path: RelativePath }): void {
    if (path === '') return this.#askForScan();
    if (isPrivate(path) || this.#isPruned(path, kind)) return;
    if (kind === 'folder') this.#together.folder(path);
    else this.#together.file(path);
  }

  #isPruned(path: RelativePath, kind: 'file' | 'folder'): boolean {
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1))
      if (this.#options.prune(path.slice(0, at))) return true;
    return kind === 'folder' && this.#options.prune(path);
  }

  /** Nonsense in the output must not turn into one scan after the other. */
  #askForScan(): void {
    if (this.#isScanDue || this.#isClosed) return;
    const { clock } = this.#options;
    const tell = (): void => {
      this.#isScanDue = false;
      this.#lastScanAt = clock.now();
      this.#onHint({ path: '', kind: 'folder' });
    };
    const wait = this.#lastScanAt + SCANS_APART_MS - clock.now();
    if (wait <= 0) return tell();
    this.#isScanDue = true;
    this.#after(wait, tell);
  }

  #tellTrouble(reason: string): void {
    // Each try may fail for the same reason; once is enough to be told.
    if (this.#isClosed || reason === this.#lastTrouble) return;
    this.#lastTrouble = reason;
    this.#onTrouble(reason);
  }

  #after(ms: number, task: () => void): () => void {
    const cancel = this.#options.clock.after(ms, () => {
      this.#cancels.delete(cancel);
      if (!this.#isClosed) task();
    });
    this.#cancels.add(cancel);
    return () => {
      this.#cancels.delete(cancel);
      cancel();
    };
  }
}
