import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import picomatch from 'picomatch';
import type { UnixMs } from '../core/domain.ts';
import { createRules, type Rules } from '../core/rules/classify.ts';
import { createArchive } from './archive/create-archive.ts';
import type { Archive } from './archive/archive.ts';
import type { LoadedConfig } from './config/load.ts';
import type { Config, MachineConfig } from './config/schema.ts';
import type { EngineSettings, MachineSettings } from './engine/context.ts';
import { DiskTrouble } from './disk-trouble.ts';
import type { SyncEvent } from './engine/events.ts';
import { createEngine, type Engine, type EngineMachine } from './engine/engine.ts';
import { ALL_GUARDS } from './engine/guards.ts';
import { hubIdentity } from './hub-identity.ts';
import type { RecoveryReport } from './engine/recovery.ts';
import { createLocalMachine } from './local-machine.ts';
import type { Clock, Random } from './ports/clock.ts';
import { CopyThreads } from './replica/many/copy-threads.ts';
import { createNodeFileSystem } from './replica/node-file-system.ts';
import { createSshMachine } from './ssh-machine.ts';
import { openStore } from './store/open-store.ts';
import type { Store } from './store/store.ts';

/** With a live watcher, everything is listed this often all the same: watchers lose events silently. */
const SCAN_SECONDS = 900;
/** Lines of the sync log are kept this long. */
const SYNC_LOG_DAYS = 30;
const DAY_MS = 86_400_000;
/** More threads than this only wait for the journal of the file system. */
const COPY_THREADS = 2;
/** This long after a first sync its files are brought to stable storage, and memory is given back. */
const PAIRED_QUIET_MS = 2_000;

/** What a hub is made of. */
export interface HubOptions {
  readonly dataDir: string;
  readonly loaded: LoadedConfig;
  readonly home: string;
  readonly platform: NodeJS.Platform;
  readonly clock: Clock;
  readonly random: Random;
  readonly onChange: () => void;
  /** See `EngineOptions.onEvent`; of every engine that the hub has. */
  readonly onEvent?: (event: SyncEvent) => void;
  readonly onTrouble: (error: Error) => void;
  /** Another configuration is in force. */
  readonly onReconfigured?: () => void;
  /** The entries of the threads, in a bundle. */
  readonly threads?: { readonly writer: URL | undefined; readonly copy: URL | undefined };
}

/** Why the configuration file is not what the hub runs with. */
export interface ConfigProblem {
  /** With line and column of every mistake. */
  readonly message: string;
  readonly at: UnixMs;
}

/**
 * Store, archive and engine for one configuration. A change of the configuration replaces the engine; store and archive stay.
 */
export class Hub {
  readonly store: Store;
  readonly archive: Archive;
  readonly diskTrouble: DiskTrouble;
  readonly #options: HubOptions;
  #engine: Engine;
  #loaded: LoadedConfig;
  #rules: Rules;
  #turn: Promise<void> = Promise.resolve();
  #configProblem: ConfigProblem | null = null;
  #closed = false;
  #stopping: Promise<void> | null = null;

  private constructor(options: HubOptions, store: Store, archive: Archive, built: Built, diskTrouble: DiskTrouble) {
    this.diskTrouble = diskTrouble;
    this.#options = options;
    this.store = store;
    this.archive = archive;
    this.#loaded = options.loaded;
    this.#engine = built.engine;
    this.#rules = built.rules;
  }

  /** Opens the data folder; nothing runs before `start`. */
  static async open(given: HubOptions): Promise<Hub> {
    const diskTrouble = new DiskTrouble();
    const onTrouble = (error: Error): void => {
      diskTrouble.note(error, given.clock.now());
      given.onTrouble(error);
    };
    const options = { ...given, onTrouble };
    const store = await openStore({
      path: join(options.dataDir, 'sync.db'),
      clock: options.clock,
      onTrouble: options.onTrouble,
      ...(options.threads?.writer ? { workerUrl: options.threads.writer } : {}),
    });
    const root = resolve(options.dataDir).replaceAll('\\', '/');
    const archive = createArchive({ fs: createNodeFileSystem(root), random: options.random, guards: ALL_GUARDS, root });
    await archive.open();
    return new Hub(options, store, archive, await build(options, options.loaded, store, archive), diskTrouble);
  }

  get engine(): Engine {
    return this.#engine;
  }

  get config(): Config {
    return this.#loaded.config;
  }

  get configFile(): string | null {
    return this.#loaded.file;
  }

  /** Set while the configuration file cannot be used. */
  get configProblem(): ConfigProblem | null {
    return this.#configProblem;
  }

  /** What is wrong with the configuration file now; `null`: it is the one in force. */
  noteConfigProblem(message: string | null): void {
    this.#configProblem = message === null ? null : { message, at: this.#options.clock.now() };
    this.#options.onChange();
  }

  get rules(): Rules {
    return this.#rules;
  }

  /** A mark for a replica (`.claude-sync/replica-id`) that no other has. */
  newMark(): string {
    return this.#options.random.hex(16);
  }

  start(): Promise<RecoveryReport> {
    return this.#inTurn(() => {
      this.store.syncLog.prune(this.#options.clock.now() - SYNC_LOG_DAYS * DAY_MS);
      return this.#engine.start();
    });
  }

  /** Puts another configuration into force. Machines that are gone from it are left as they are. */
  reconfigure(loaded: LoadedConfig): Promise<void> {
    return this.#inTurn(async () => {
      // A reload that was asked for and the watch on the file tell of the same change.
      if (this.#closed || isDeepStrictEqual(loaded, this.#loaded)) return;
      const built = await build(this.#options, loaded, this.store, this.archive);
      await this.#engine.stop();
      this.#loaded = loaded;
      this.#engine = built.engine;
      this.#rules = built.rules;
      await this.#engine.start();
      this.#options.onReconfigured?.();
      this.#options.onChange();
    });
  }

  /** Nothing is synced any more; the store stays open for what is to be noted of that. */
  stopEngine(): Promise<void> {
    this.#closed = true;
    return (this.#stopping ??= this.#inTurn(() => this.#engine.stop()));
  }

  async close(): Promise<void> {
    try {
      await this.stopEngine();
    } finally {
      await this.store.close();
    }
  }

  /** One after the other: two engines on one archive would take each other's work for damage. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(task);
    this.#turn = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }
}

/** From this many files on the trees are listed by threads when the hub starts. */
const MANY_FILES = 2_000;

interface Built {
  readonly engine: Engine;
  readonly rules: Rules;
}

async function build(options: HubOptions, { config }: LoadedConfig, store: Store, archive: Archive): Promise<Built> {
  const rules = createRules({ include: config.sync.include, exclude: config.sync.exclude });
  const { home, platform, clock, random } = options;
  const threads = new CopyThreads({
    clock,
    most: Math.min(COPY_THREADS, availableParallelism()),
    url: options.threads?.copy,
    onTrouble: options.onTrouble,
  });
  if (holdsMany(store)) threads.begin();
  const hub = hubIdentity(store, options.random);
  const machines: EngineMachine[] = [];
  for (const [name, machine] of Object.entries(config.machines)) {
    const common = { name, hub, home, store, clock, random, rules };
    const replica =
      machine.transport === 'ssh'
        ? createSshMachine({
            ...common,
            config: machine,
            sync: config.sync,
            dataDir: options.dataDir,
            threads,
            onTrouble: options.onTrouble,
          })
        : await createLocalMachine({
            ...common,
            config: machine,
            platform,
            dataDir: options.dataDir,
            pollSeconds: config.sync.pollSeconds,
            threads,
          });
    machines.push({ replica, settings: machineSettings(machine) });
  }
  const engine = createEngine({
    store,
    archive,
    clock: options.clock,
    random: options.random,
    rules,
    settings: engineSettings(config),
    machines,
    onPaired: function settle() {
      clock.after(PAIRED_QUIET_MS, () => {
        // Another first sync is under way, which this would slow down.
        if ([...engine.links.values()].some((link) => link.pairing && link.connected)) return settle();
        giveMemoryBack();
        // First heads are not synced one by one; in the background now, so that a stop need not do it.
        archive
          .sync([...store.heads.values()].map((head) => head.key))
          .catch((error: unknown) => options.onTrouble(error as Error));
      });
    },
    onChange: options.onChange,
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    onTrouble: options.onTrouble,
  });
  return { engine, rules };
}

/** Whether the trees are large enough for threads to list them; starting one takes longer than listing a small one. */
function holdsMany(store: Store): boolean {
  let count = 0;
  for (const head of store.heads.values()) if (head.kind === 'file' && ++count === MANY_FILES) return true;
  return false;
}

/**
 * After a first sync the heap is full of what it took, and V8 sees no reason to look at it while nothing happens. The last resort is
 * the one collection that also gives back the pages it keeps for later: 15 MB and more, for a pause of a fifth of a second. Only where the
 * program was started with `--expose-gc` (`cli/lean-memory.ts`).
 */
function giveMemoryBack(): void {
  globalThis.gc?.({ type: 'major', flavor: 'last-resort' });
}

function machineSettings(config: MachineConfig): MachineSettings {
  return {
    trust: config.trust,
    paused: config.paused,
    scope: {
      projects: config.scope.projects ?? null,
      maxAgeDays: config.scope.maxAgeDays ?? null,
      maxFileBytes: config.scope.maxFileMB === undefined ? null : config.scope.maxFileMB * 1_000_000,
      placement: config.scope.placement,
    },
  };
}

function engineSettings(config: Config): EngineSettings {
  return {
    projects: config.projects,
    conflictStrategy: config.conflicts.strategy,
    conflictOverrides: Object.entries(config.conflicts.overrides).map(([glob, strategy]) => ({
      matches: picomatch(glob, { dot: true, nonegate: true }),
      strategy,
    })),
    scanSeconds: SCAN_SECONDS,
    versions: config.versions,
  };
}
