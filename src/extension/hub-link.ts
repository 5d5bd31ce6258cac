import { readHubFile } from '../hub/rpc/hub-file.ts';
import { connectToHub, type HubClient } from '../client/connect.ts';
import { HubError } from '../protocol/errors.ts';
import type { StatusResult } from '../protocol/status.ts';

/** What is known about the hub: its latest status, or why there is none. */
export type HubState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'not-running' }
  | { readonly kind: 'trouble'; readonly message: string; readonly next: string | null }
  | { readonly kind: 'running'; readonly status: StatusResult };

/** What a link needs and whom it tells. */
export interface HubLinkOptions {
  /** Data folder of the hub; its `hub.json` says where the hub listens, the socket is never guessed. */
  readonly dataDir: string;
  /** Version of the extension. */
  readonly version: string;
  readonly onState: (state: HubState) => void;
  /** How long to wait between two attempts, in ms. Default 5000. */
  readonly retryMs?: number;
}

/**
 * Keeps a connection to the hub for as long as the window lives, and says what it knows. A hub that is not there is looked for
 * again and again; a connection that ends is made anew, and the status fetched whole.
 */
export class HubLink {
  readonly #options: HubLinkOptions;
  #client: HubClient | null = null;
  #retry: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: HubLinkOptions) {
    this.#options = options;
  }

  /** Begins; returns at once. */
  start(): void {
    this.#tell({ kind: 'connecting' });
    void this.#connect();
  }

  /** Asks the hub now, also where it had not been reached; the answer is told as every state is. */
  async refresh(): Promise<void> {
    if (this.#client === null) await this.#connect();
    else await this.#fetch(this.#client);
  }

  dispose(): void {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#client?.close();
  }

  async #connect(): Promise<void> {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    try {
      const file = await readHubFile(this.#options.dataDir);
      if (file === null) this.#tell({ kind: 'not-running' });
      else await this.#follow(await connectToHub(file.socket, { client: 'extension', version: this.#options.version }));
    } catch (error) {
      this.#tell(HubError.is(error, 'not-running') ? { kind: 'not-running' } : trouble(error));
    }
    if (this.#client === null) this.#tryLater();
  }

  async #follow(client: HubClient): Promise<void> {
    if (this.#closed || this.#client !== null) return client.close();
    this.#client = client;
    client.onNotification('status/changed', (status) => this.#tell({ kind: 'running', status }));
    client.onClose(() => {
      this.#client = null;
      this.#tell({ kind: 'not-running' });
      this.#tryLater();
    });
    await this.#fetch(client);
  }

  async #fetch(client: HubClient): Promise<void> {
    try {
      this.#tell({ kind: 'running', status: await client.request('hub/status', {}) });
    } catch (error) {
      this.#tell(trouble(error));
    }
  }

  #tryLater(): void {
    if (this.#closed || this.#retry !== null) return;
    this.#retry = setTimeout(() => void this.#connect(), this.#options.retryMs ?? 5000);
  }

  #tell(state: HubState): void {
    if (!this.#closed) this.#options.onState(state);
  }
}

function trouble(error: unknown): HubState {
  if (HubError.is(error)) return { kind: 'trouble', message: error.message, next: error.next };
  return { kind: 'trouble', message: error instanceof Error ? error.message : String(error), next: null };
}
