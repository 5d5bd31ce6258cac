import type * as vscode from 'vscode';
import type { HubClient } from '../../client/connect.ts';
import { SETTINGS } from '../contributions.ts';
import { onSettingChange, textSetting } from '../settings.ts';
import { HostKeys } from './host-keys.ts';
import type { HubPlace, Visitor } from './hub-place.ts';
import { LocalHub } from './local-hub.ts';
import { RemoteHub } from './remote-hub.ts';

/** A hub of this computer may be started at any moment, and looking for it costs a look at one file, ms. */
const NEAR_MS = [1_000, 2_000, 4_000];
/** An SSH server that does not let us in is not asked every few seconds, ms. */
const FAR_MS = [2_000, 5_000, 15_000, 60_000];

/** The hub that the settings name. */
export class HubAccess {
  readonly hostKeys = new HostKeys();
  readonly #visitor: Visitor;
  readonly #extensionPath: string;

  constructor(visitor: Visitor, extensionPath: string) {
    this.#visitor = visitor;
    this.#extensionPath = extensionPath;
  }

  /** Where it is now. */
  get place(): HubPlace {
    const host = textSetting(SETTINGS.hubHost);
    const { hostKeys } = this;
    const [visitor, extensionPath] = [this.#visitor, this.#extensionPath];
    return host === ''
      ? new LocalHub(visitor, extensionPath)
      : new RemoteHub({ host, visitor, extensionPath, hostKeys });
  }

  connect(): Promise<HubClient> {
    return this.place.connect();
  }

  /** Waits between attempts to connect, ms. */
  retryMs(): readonly number[] {
    return this.place.host === null ? NEAR_MS : FAR_MS;
  }

  /** Calls `listener` when the settings name another hub. */
  onMove(listener: () => void): vscode.Disposable {
    return onSettingChange([SETTINGS.hubHost, SETTINGS.hubDataDir], () => {
      this.hostKeys.askAgain();
      listener();
    });
  }
}
