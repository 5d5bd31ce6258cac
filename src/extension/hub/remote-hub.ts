import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { HubClient } from '../../client/connect.ts';
import { connectToRemoteHub, valueOf } from '../../client/remote/connect-remote-hub.ts';
import type * as RemoteRoom from '../../client/remote/index.ts';
import { HubError } from '../../protocol/errors.ts';
import { SETTINGS } from '../contributions.ts';
import { textSetting } from '../settings.ts';
import type { HostKeys } from './host-keys.ts';
import type { HubPlace, Visitor } from './hub-place.ts';

/** A hub puts everything in order before it ends, ms. */
const STOP_MS = 30_000;

/** What a hub on another machine is reached with. */
export interface RemoteHubOptions {
  /** `[user@]host[:port]`. */
  readonly host: string;
  readonly visitor: Visitor;
  readonly extensionPath: string;
  readonly hostKeys: HostKeys;
}

/** A hub on another machine, over SSH with the user's own keys, agent and ssh_config. */
export class RemoteHub implements HubPlace {
  readonly host: string;
  readonly #options: RemoteHubOptions;

  constructor(options: RemoteHubOptions) {
    this.host = options.host;
    this.#options = options;
  }

  connect(): Promise<HubClient> {
    return connectToRemoteHub(this.#room(), { ...this.#access(), ...this.#options.visitor });
  }

  async start(): Promise<void> {
    this.#options.hostKeys.askAgain();
    valueOf(await this.#room().startRemoteHub(this.#access()));
  }

  async stop(hub: HubClient): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const ended = new Promise<boolean>((resolve) => {
      hub.onClose(() => resolve(true));
      timer = setTimeout(() => resolve(false), STOP_MS);
    });
    try {
      await hub.request('hub/shutdown', {});
    } catch (error) {
      // A hub that is quick to stop may be gone before its answer is.
      if (!HubError.is(error, 'disconnected', 'shutting-down')) throw error;
    }
    const isGone = await ended;
    clearTimeout(timer);
    if (isGone) return;
    throw new HubError('timed-out', `the hub on ${this.host} is still stopping after ${STOP_MS / 1000} s`, {
      unchanged: 'It was asked to stop, and will end when it is done.',
      next: 'Its log on that machine says what it is doing.',
    });
  }

  #access(): RemoteRoom.RemoteHubOptions {
    const dataDir = textSetting(SETTINGS.hubDataDir);
    return {
      host: this.host,
      home: homedir(),
      env: process.env,
      dataDir: dataDir === '' ? null : dataDir,
      acceptHostKey: (question) => this.#options.hostKeys.ask(question),
    };
  }

  /** A bundle of its own: SSH is larger than the whole rest of the extension, and most windows never need it. */
  #room(): typeof RemoteRoom {
    const load = createRequire(join(this.#options.extensionPath, 'package.json'));
    return load(join(this.#options.extensionPath, 'dist', 'remote-hub.cjs')) as typeof RemoteRoom;
  }
}
