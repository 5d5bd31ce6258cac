import type * as vscode from 'vscode';
import type { HubMirror } from '../../client/hub-mirror.ts';
import { HubError } from '../../protocol/errors.ts';
import type { HubAccess } from './hub-access.ts';

/** Where it is remembered, for all windows, that the user stopped the hub. */
const STOPPED = 'hub.stoppedByUser';

/** Starts, stops and restarts the hub that the settings name, and knows what the user wanted last. */
export class HubControl {
  readonly #mirror: HubMirror;
  readonly #access: HubAccess;
  readonly #memory: vscode.Memento;

  constructor(mirror: HubMirror, access: HubAccess, memory: vscode.Memento) {
    this.#mirror = mirror;
    this.#access = access;
    this.#memory = memory;
  }

  /** Whether it was stopped from an editor, and not started from one since: then it stays stopped. */
  get isWantedStopped(): boolean {
    return this.#memory.get(STOPPED, false);
  }

  /** Whether the hub is meant to be on this computer. */
  get isHere(): boolean {
    return this.#access.place.host === null;
  }

  /** Starts one where none runs; a start that another window won is as good. @throws {HubError} */
  async start(): Promise<void> {
    await this.#mirror.refresh();
    await this.#memory.update(STOPPED, false);
    if (this.#mirror.state.kind === 'running') return;
    await this.#access.place.start();
    await this.#mirror.refresh();
  }

  /** Where none runs there is nothing to do. @throws {HubError} `refused` for one that is run as a service. */
  async stop(): Promise<void> {
    await this.#end();
    await this.#memory.update(STOPPED, true);
  }

  /** @throws {HubError} as `stop` and `start`. */
  async restart(): Promise<void> {
    await this.#end();
    await this.start();
  }

  /** The service that runs the hub which is connected; `null` where it is none. */
  async service(): Promise<string | null> {
    const { service } = await this.#mirror.ask((hub) => hub.request('hub/where', {}));
    return service ?? null;
  }

  async #end(): Promise<void> {
    try {
      const service = await this.service();
      if (service !== null) throw runByService(service);
      await this.#mirror.ask((hub) => this.#access.place.stop(hub));
    } catch (error) {
      if (!HubError.is(error, 'not-running')) throw error;
    }
  }
}

/** Whoever starts it again would win against us, and whoever set it up did so on purpose. */
function runByService(service: string): HubError {
  return new HubError('refused', `the hub is run as a service (${service}), which starts it again when it ends`, {
    unchanged: 'It goes on running.',
    next: 'Stop or restart the service itself, for example: systemctl --user restart claude-sync.',
  });
}
