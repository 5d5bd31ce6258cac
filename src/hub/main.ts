import { hostname, homedir } from 'node:os';
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { isDeepStrictEqual } from 'node:util';
import { HubError } from '../protocol/errors.ts';
import type { HubNotification, NotificationSource } from '../protocol/notifications.ts';
import { PRODUCT_VERSION } from '../protocol/product-version.ts';
import type { StatusResult } from '../protocol/status.ts';
import type { ConversationIndex } from './conversations/conversation-index.ts';
import { indexOf } from './conversations/index-of-hub.ts';
import { createHistoryService } from './conversations/history-service.ts';
import { ConfigError } from './config/config-error.ts';
import { defaultConfig, defaultConfigText } from './config/default-config.ts';
import { loadConfig, type LoadedConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { watchConfig, type ConfigWatch } from './config/watch-config.ts';
import { Health } from './health.ts';
import { Hub } from './hub.ts';
import { createHubService } from './hub-service.ts';
import { Gh } from './github/gh.ts';
import { acquireHubLock } from './lock.ts';
import { createMachineService } from './machine-service.ts';
import { systemClock, systemRandom } from './ports/system.ts';
import { PullBoard } from './pulls/pull-board.ts';
import { createPullService } from './pulls/pull-service.ts';
import { SessionMarksReader } from './pulls/session-marks.ts';
import { statusOf, TransferRate } from './reports.ts';
import { serviceOf } from './run-by-service.ts';
import { startRpcServer, type RpcServer } from './rpc/server.ts';
import { startFailure } from './start-failure.ts';

/** At most this often clients are told of a new status. */
const STATUS_EVERY_MS = 250;

/** A hub that did not start may take this long to close what it had opened. */
const FAILED_CLOSE_MS = 5_000;

/** Where and how a hub runs. */
export interface RunHubOptions {
  readonly configPath: string;
  readonly dataDir: string;
  readonly socketPath: string;
  readonly foreground: true;
  readonly log: Logger;
  /** Puts what the configuration says about the log into force. */
  readonly setUpLog: (settings: Config['logs']) => void;
}

/**
 * Runs the daemon until it is told to stop (signal or `hub/shutdown`). The process has to end soon after: it keeps the lock on the data
 * folder, so that nothing of it is left at work when another hub begins.
 * @returns the exit code: 0 after an orderly stop.
 * @throws {HubAlreadyRunning} when another hub has this data folder; {ConfigError} when the configuration cannot be used;
 *   {StoreDamaged} when the database cannot be used; {HubError} when the data folder cannot (full, not writable).
 */
export async function runHub(options: RunHubOptions): Promise<number> {
  // Nothing that the hub makes is for others. Set once, before any thread is at work: it counts for all of them.
  process.umask(0o077);
  const { log, dataDir, socketPath } = options;
  const home = homedir();
  const startedAt = Date.now();
  const loaded = await configuration(options.configPath, home);
  const lock = await acquireHubLock({ dataDir, socketPath }).catch((error: unknown) => {
    throw startFailure(error, dataDir);
  });
  const notifications = new Notifications();
  const rate = new TransferRate();
  const stopping = new Stopping();
  let hub: Hub | null = null;
  let health: Health | null = null;
  let pulls: PullBoard | null = null;
  let conversations: ConversationIndex | null = null;
  let server: RpcServer | null = null;
  let following: ConfigWatch | null = null;
  let started = false;
  const running = (): Hub => {
    if (hub === null) throw new HubError('shutting-down', 'The hub is starting.', { next: 'Try again in a moment.' });
    return hub;
  };
  let statusDue = false;
  const status = (): StatusResult => {
    const now = running();
    if (health === null)
      throw new HubError('shutting-down', 'The hub is starting.', { next: 'Try again in a moment.' });
    return statusOf(now, { pid: process.pid, startedAt }, Date.now(), rate, health);
  };
  const onChange = (): void => {
    health?.changed();
    if (statusDue || health === null) return;
    statusDue = true;
    systemClock.after(STATUS_EVERY_MS, () => {
      statusDue = false;
      if (notifications.hasListeners && health !== null)
        notifications.send({ method: 'status/changed', params: status() });
    });
  };
  try {
    const opened = await Hub.open({
      dataDir,
      loaded,
      home,
      platform: process.platform,
      clock: systemClock,
      random: systemRandom,
      onChange,
      onEvent: (event) => health?.note(event),
      onTrouble: (error) => log.warn({ err: error }, 'trouble'),
      onReconfigured: () => {
        options.setUpLog(running().config.logs);
        pulls?.reconfigured();
        conversations?.reconfigured();
      },
      threads: { writer: bundled('writer-thread.js'), copy: bundled('copy-thread.js') },
    });
    hub = opened;
    options.setUpLog(loaded.config.logs);
    const watched = new Health({
      hub: opened,
      dataDir,
      clock: systemClock,
      log,
      startedAt,
      notifications: { isWanted: () => notifications.hasListeners, send: (one) => notifications.send(one) },
    });
    health = watched;
    const board = createPullBoard(opened, notifications, log);
    pulls = board;
    const index = indexOf({
      hub: opened,
      dataDir,
      clock: systemClock,
      workerUrl: bundled('index-worker.js'),
      notifications: { isWanted: () => notifications.hasListeners, send: (one) => notifications.send(one) },
      log,
    });
    conversations = index;
    following = await follow(options, home, opened, log);
    const reloadNow = async (): Promise<string[]> => {
      const changes = await reload(options, home, opened);
      // The embedded default has no file to follow; there may be one now.
      following ??= await follow(options, home, opened, log);
      return changes;
    };
    const service = createHubService({
      hub: running,
      pid: process.pid,
      service: serviceOf(process.env, process.pid),
      startedAt,
      socket: socketPath,
      dataDir,
      status,
      health: watched,
      now: () => systemClock.now(),
      clock: systemClock,
      shutdown: (reason) => stopping.begin(reason),
      reload: reloadNow,
      pulls: createPullService(board),
      history: createHistoryService(running, index),
      machines: createMachineService({
        hub: running,
        target: {
          file: options.configPath,
          home,
          ifMissing: defaultConfigText({ hostName: hostname(), home, env: process.env }),
        },
        reload: reloadNow,
        home,
        clock: systemClock,
        random: systemRandom,
      }),
    });
    const recovered = await opened.start();
    watched.start();
    board.start();
    index.start();
    log.info({ ...recovered, machines: Object.keys(opened.config.machines) }, 'hub started');
    server = await startRpcServer({ socketPath, service, notifications, log, clock: systemClock });
    await lock.publish({
      pid: process.pid,
      socket: socketPath,
      version: PRODUCT_VERSION,
      startedAt,
      dataDir,
      config: opened.configFile,
    });
    started = true;
    greet(opened, socketPath);
    const reason = await stopping.begun;
    log.info({ reason }, 'hub stopping');
    notifications.send({ method: 'hub/stopping', params: { reason } });
    return 0;
  } catch (error) {
    log.error({ err: error }, 'hub failed');
    throw started ? error : startFailure(error, dataDir);
  } finally {
    const closed = close({ following, server, pulls, conversations, health, hub, stopping, log });
    // What began badly may never end well, for example on a full disk: the process ends all the same.
    try {
      await (started ? closed : Promise.race([closed.catch(() => undefined), setTimeout(FAILED_CLOSE_MS)]));
    } finally {
      await lock.withdraw();
    }
  }
}

/** Ends everything that was begun, in the order that clients and machines are to see. */
async function close(begun: {
  readonly following: ConfigWatch | null;
  readonly server: RpcServer | null;
  readonly pulls: PullBoard | null;
  readonly conversations: ConversationIndex | null;
  readonly health: Health | null;
  readonly hub: Hub | null;
  readonly stopping: Stopping;
  readonly log: Logger;
}): Promise<void> {
  const { following, server, pulls, conversations, health, hub, stopping, log } = begun;
  await following?.close();
  await server?.close();
  stopping.dispose();
  await pulls?.stop();
  await conversations?.stop();
  // What the engine does until it has stopped is counted; its figures need the store.
  try {
    await hub?.stopEngine();
    await health?.stop();
  } finally {
    await hub?.close();
  }
  log.info({}, 'hub stopped');
}

/** The pull requests, asked for in the name of whoever is logged in at the GitHub CLI here. */
function createPullBoard(hub: Hub, notifications: Notifications, log: Logger): PullBoard {
  const { store, archive } = hub;
  const onTrouble = (error: Error): void => log.warn({ err: error }, 'trouble with pull requests');
  return new PullBoard({
    store,
    clock: systemClock,
    gh: new Gh({ clock: systemClock }),
    settings: () => hub.config.pulls,
    sessions: new SessionMarksReader({ store, archive, clock: systemClock, onTrouble }),
    onChanged: (params) => notifications.send({ method: 'pulls/changed', params }),
    onTrouble,
  });
}

/** The configured machines, or the embedded default while there is no configuration file. */
async function configuration(file: string, home: string): Promise<LoadedConfig> {
  try {
    return await loadConfig(file, home);
  } catch (error) {
    if (!(error instanceof ConfigError) || error.code !== 'missing') throw error;
    return defaultConfig({ hostName: hostname(), home, env: process.env });
  }
}

/** Follows the configuration file; a faulty one leaves the last good one in force. */
async function follow(options: RunHubOptions, home: string, hub: Hub, log: Logger): Promise<ConfigWatch | null> {
  if (hub.configFile === null) return null;
  return watchConfig({
    file: options.configPath,
    home,
    clock: systemClock,
    current: { config: hub.config, file: hub.configFile },
    onConfig: (loaded) => {
      hub.noteConfigProblem(null);
      hub.reconfigure(loaded).then(
        () => log.info({ machines: Object.keys(loaded.config.machines) }, 'configuration changed'),
        (error: unknown) => {
          log.error({ err: error }, 'configuration could not be put into force');
          hub.noteConfigProblem(
            `it could not be put into force: ${error instanceof Error ? error.message : String(error)}`,
          );
        },
      );
    },
    onError: (error) => {
      log.error({ err: error }, 'configuration is faulty, the last good one stays in force');
      hub.noteConfigProblem(error.message);
    },
    onMended: () => {
      log.info({}, 'configuration is good again');
      hub.noteConfigProblem(null);
    },
    onTrouble: (reason) => log.warn({ reason }, 'the configuration file is not followed'),
  });
}

async function reload(options: RunHubOptions, home: string, hub: Hub): Promise<string[]> {
  let loaded: LoadedConfig;
  try {
    loaded = await configuration(options.configPath, home);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new HubError('config', error.message, {
      unchanged: 'The last good configuration stays in force.',
      cause: error,
    });
  }
  if (isDeepStrictEqual(loaded.config, hub.config)) return [];
  const before = new Set(Object.keys(hub.config.machines));
  const after = new Set(Object.keys(loaded.config.machines));
  await hub.reconfigure(loaded);
  return [
    ...[...after].filter((name) => !before.has(name)).map((name) => `machine ${name} was added`),
    ...[...before]
      .filter((name) => !after.has(name))
      .map((name) => `machine ${name} was removed; its files are left as they are`),
    'the configuration was put into force',
  ];
}

/** Says, on a terminal or in the log of whoever started it, what runs and what to do next. */
function greet(hub: Hub, socketPath: string): void {
  const machines = Object.entries(hub.config.machines);
  const lines = [`claude-sync ${PRODUCT_VERSION} runs (pid ${process.pid}, socket ${socketPath})`];
  if (hub.configFile === null) {
    lines.push(
      `no configuration yet: ${machines[0]?.[1].claudeDir ?? 'your Claude folder'} is archived and protected from clean-up, and synced with nobody`,
      `add machines in ${process.env['XDG_CONFIG_HOME'] ?? '~/.config'}/claude-sync/config.jsonc (see README), or try: claude-sync demo`,
    );
  } else {
    lines.push(`machines: ${machines.map(([name]) => name).join(', ')}`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** In the bundle the entry of a thread is a file beside the program; from source each finds its own. */
function bundled(entry: string): URL | undefined {
  const url = new URL(`./${entry}`, import.meta.url);
  return url.protocol === 'file:' && existsSync(url) ? url : undefined;
}

/** The one decision to stop: the first reason counts. */
class Stopping {
  readonly begun: Promise<string>;
  readonly begin: (reason: string) => void;
  readonly #onSignal: (signal: NodeJS.Signals) => void;

  constructor() {
    let begin: (reason: string) => void = () => undefined;
    this.begun = new Promise((resolve) => (begin = resolve));
    this.begin = begin;
    this.#onSignal = (signal) => this.begin(signal);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, this.#onSignal);
  }

  dispose(): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, this.#onSignal);
  }
}

class Notifications implements NotificationSource {
  readonly #listeners = new Set<(notification: HubNotification) => void>();

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  subscribe(listener: (notification: HubNotification) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  send(notification: HubNotification): void {
    for (const listener of this.#listeners) listener(notification);
  }
}
