import { watch, type FSWatcher } from 'chokidar';
import type { Clock } from '../ports/clock.ts';
import { ConfigError } from './config-error.ts';
import { loadConfig, type LoadedConfig } from './load.ts';
import { isDeepStrictEqual } from 'node:util';

/** What `watchConfig` needs and whom it tells. */
export interface WatchConfigOptions {
  readonly file: string;
  /** Home folder of the hub's user. */
  readonly home: string;
  readonly clock: Clock;
  /** The configuration that the hub runs with; it stays in force while the file has mistakes. */
  readonly current: LoadedConfig;
  /** A good configuration that differs from the last good one. */
  readonly onConfig: (loaded: LoadedConfig) => void;
  /** The file cannot be used; the last good configuration stays in force. Told once per distinct mistake. */
  readonly onError: (error: ConfigError) => void;
  /** The file can be used again after a mistake was told; `onConfig` comes first when it also says something new. */
  readonly onMended?: () => void;
  /** The watching itself has a problem (the reason); the file is no longer followed reliably. */
  readonly onTrouble: (reason: string) => void;
  /** A mistake has to last this long: editors write in steps. Default 200 ms. */
  readonly settleMs?: number;
}

/** A watched configuration. */
export interface ConfigWatch {
  /** The last good configuration. */
  readonly lastGood: LoadedConfig;
  /** Reads the file now, as after a change (SIGHUP). */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Follows a configuration file. Resolves when it is watched; the file is read once more then, so that an edit made while
 * the hub was starting is not missed. The folder of the file has to exist.
 */
export async function watchConfig(options: WatchConfigOptions): Promise<ConfigWatch> {
  const following = new Following(options);
  await following.start();
  return following;
}

class Following implements ConfigWatch {
  readonly #options: WatchConfigOptions;
  #lastGood: LoadedConfig;
  #toldMistake: string | null = null;
  #watcher: FSWatcher | null = null;
  #cancelSettle: (() => void) | null = null;
  #reading: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: WatchConfigOptions) {
    this.#options = options;
    this.#lastGood = options.current;
  }

  get lastGood(): LoadedConfig {
    return this.#lastGood;
  }

  async start(): Promise<void> {
    const watcher = watch(this.#options.file, { ignoreInitial: true, followSymlinks: true, atomic: false, depth: 0 });
    this.#watcher = watcher;
    watcher.on('all', () => void this.reload());
    watcher.on('error', (error) => this.#options.onTrouble(error instanceof Error ? error.message : String(error)));
    await new Promise<void>((resolve) => watcher.once('ready', () => resolve()));
    await this.reload();
  }

  /** One read at a time, each after the change that asked for it. */
  reload(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#read(false));
    return this.#reading;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelSettle?.();
    await this.#watcher?.close();
    await this.#reading;
  }

  async #read(settled: boolean): Promise<void> {
    if (this.#closed) return;
    this.#cancelSettle?.();
    this.#cancelSettle = null;
    try {
      this.#accept(await loadConfig(this.#options.file, this.#options.home));
    } catch (error) {
      this.#refuse(error, settled);
    }
  }

  #accept(loaded: LoadedConfig): void {
    const wasMistaken = this.#toldMistake !== null;
    this.#toldMistake = null;
    if (this.#closed) return;
    if (!isDeepStrictEqual(loaded, this.#lastGood)) {
      this.#lastGood = loaded;
      this.#options.onConfig(loaded);
    }
    if (wasMistaken) this.#options.onMended?.();
  }

  #refuse(error: unknown, settled: boolean): void {
    if (this.#closed) return;
    if (!ConfigError.is(error)) {
      this.#options.onTrouble(error instanceof Error ? error.message : String(error));
      return;
    }
    // No file is no mistake for a hub that runs on the embedded default.
    if (error.code === 'missing' && this.#lastGood.file === null) return;
    if (error.message === this.#toldMistake) return;
    if (!settled) {
      const again = (): void => {
        this.#reading = this.#reading.then(() => this.#read(true));
      };
      this.#cancelSettle = this.#options.clock.after(this.#options.settleMs ?? 200, again);
      return;
    }
    this.#toldMistake = error.message;
    this.#options.onError(error);
  }
}
