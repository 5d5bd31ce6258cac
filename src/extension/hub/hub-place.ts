import type { HubClient } from '../../client/connect.ts';

/** How the extension presents itself to a hub. */
export interface Visitor {
  readonly client: 'extension';
  /** Version of the extension. */
  readonly version: string;
}

/** Where the user's hub is, and what can be done with it there. */
export interface HubPlace {
  /** `user@host:port` as the user wrote it, `null` for this computer. */
  readonly host: string | null;
  /** @throws {HubError} `not-running` where no hub runs, and whatever else kept it from being reached. */
  connect(): Promise<HubClient>;
  /** Starts one, or finds that one runs. @throws {HubError} with what it printed when it did not start. */
  start(): Promise<void>;
  /** Asks it to stop and waits until it has. @throws {HubError} `timed-out` when it is still stopping. */
  stop(hub: HubClient): Promise<void>;
}
