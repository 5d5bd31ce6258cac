import { isDeepStrictEqual } from 'node:util';
import { HubError } from '../protocol/errors.ts';
import type { Approval } from '../protocol/approve.ts';
import type { Conflict } from '../protocol/conflicts.ts';
import type { PullsListResult } from '../protocol/pulls.ts';
import type { StatusResult } from '../protocol/status.ts';
import type { HelloResult } from '../protocol/version.ts';
import { HubNotRunning, type HubClient } from './connect.ts';
import { Refetch } from './refetch.ts';

/** What is known about the hub: its latest status, or why there is none. */
export type HubState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'not-running' }
  | { readonly kind: 'trouble'; readonly message: string; readonly next: string | null }
  | { readonly kind: 'running'; readonly status: StatusResult };

/** A part of the mirror that changes by itself. */
export type MirrorPart = 'state' | 'conflicts' | 'approvals' | 'pulls';

/** A hub that was connected and is no longer. */
export interface HubEnd {
  readonly hello: HelloResult;
  /** As of `HubClient`. */
  readonly elsewhere: string | null;
  /** Whether it said before that it was stopping. */
  readonly wasStopping: boolean;
}

/** What a mirror needs. */
export interface HubMirrorOptions {
  /** Makes a connection. @throws {HubError} `not-running` where there is no hub; anything else is shown as trouble. */
  readonly connect: () => Promise<HubClient>;
  /** Told after each change; does not throw. */
  readonly onChange: (part: MirrorPart) => void;
  /** Told when a connection ends that was not left from here; does not throw. */
  readonly onEnd?: (end: HubEnd) => void;
  /** Waits between attempts, ms; the last one is repeated. Asked before each. Default 1, 2, 4 s. */
  readonly retryMs?: () => readonly number[];
}

/** A hub may be started at any moment, and looking for it costs a look at one file: the longest wait is short. */
const RETRY_MS = [1_000, 2_000, 4_000];

/**
 * What the hub shows its clients, kept the same as long as this lives. A hub that is not there is looked for again and again; after each
 * connection everything is fetched whole, then notifications say what to fetch anew. What was known when a connection ended stays,
 * and `state` tells that it may be old.
 */
export class HubMirror {
  readonly #options: HubMirrorOptions;
  #client: HubClient | null = null;
  #connecting: Promise<void> | null = null;
  #retry: NodeJS.Timeout | null = null;
  #attempt = 0;
  #closed = false;
  #state: HubState = { kind: 'connecting' };
  #conflicts: readonly Conflict[] = [];
  #approvals: readonly Approval[] = [];
  #pulls: PullsListResult | null = null;

  readonly #fetchConflicts = this.#part('conflicts', async (hub) => {
    this.#conflicts = (await hub.request('conflicts/list', {})).conflicts;
    return 'new';
  });
  readonly #fetchApprovals = this.#part('approvals', async (hub) => {
    const { approvals } = await hub.request('approve/list', {});
    if (isDeepStrictEqual(approvals, this.#approvals)) return 'as-before';
    this.#approvals = approvals;
    return 'new';
  });
  readonly #fetchPulls = this.#part('pulls', async (hub) => {
    this.#pulls = await hub.request('pulls/list', {});
    return 'new';
  });

  constructor(options: HubMirrorOptions) {
    this.#options = options;
  }

  get state(): HubState {
    return this.#state;
  }

  /** What the hub said when it was connected, `null` while none is. */
  get hello(): HelloResult | null {
    return this.#client?.hello ?? null;
  }

  /** Where the connected hub is, when that is another machine (`HubClient.elsewhere`); else `null`. */
  get elsewhere(): string | null {
    return this.#client?.elsewhere ?? null;
  }

  /** Open ones, newest first. */
  get conflicts(): readonly Conflict[] {
    return this.#conflicts;
  }

  /** Those that wait, newest first. */
  get approvals(): readonly Approval[] {
    return this.#approvals;
  }

  /** `null` until the hub was asked once. */
  get pulls(): PullsListResult | null {
    return this.#pulls;
  }

  /** Begins; returns at once. */
  start(): void {
    void this.#connect();
  }

  /** Looks for the hub now, or asks it for its status; resolves when `state` says what came of it. Never rejects. */
  async refresh(): Promise<void> {
    if (this.#client === null) return this.#connect();
    await this.#fetchStatus(this.#client);
  }

  /** Looks for a hub anew, for one that may be another: what is connected now is left. Resolves like `refresh`. */
  async reconnect(): Promise<void> {
    this.#leave();
    // An attempt that is under way may still be for the one of before, and may succeed.
    if (this.#connecting !== null) {
      await this.#connecting;
      this.#leave();
    }
    this.#attempt = 0;
    await this.#connect();
  }

  /**
   * Asks the hub for something.
   * @throws {HubError} `not-running` while there is no connection; what `task` throws.
   */
  async ask<T>(task: (hub: HubClient) => Promise<T>): Promise<T> {
    if (this.#client === null) await this.#connect();
    if (this.#client === null) throw this.#whyNot();
    return task(this.#client);
  }

  /** Ends the connection; nothing is told any more. */
  dispose(): void {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#client?.close();
  }

  #connect(): Promise<void> {
    this.#connecting ??= this.#tryOnce().finally(() => (this.#connecting = null));
    return this.#connecting;
  }

  async #tryOnce(): Promise<void> {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    if (this.#closed) return;
    try {
      const client = await this.#options.connect();
      // Disposed while it was made.
      if (this.#isClosed()) return client.close();
      await this.#follow(client);
    } catch (error) {
      this.#become(stateOf(error));
    }
    if (this.#client === null) this.#tryLater();
  }

  async #follow(client: HubClient): Promise<void> {
    this.#client = client;
    client.onNotification('status/changed', (status) => this.#statusIs(status));
    client.onNotification('conflicts/changed', () => void this.#fetchConflicts.now());
    client.onNotification('pulls/changed', () => void this.#fetchPulls.now());
    let wasStopping = false;
    client.onNotification('hub/stopping', () => (wasStopping = true));
    client.onClose(() => {
      // Left for another one.
      if (this.#client !== client) return;
      this.#client = null;
      this.#become({ kind: 'not-running' });
      this.#options.onEnd?.({ hello: client.hello, elsewhere: client.elsewhere ?? null, wasStopping });
      this.#tryLater();
    });
    await this.#fetchStatus(client);
    await Promise.all([this.#fetchConflicts.now(), this.#fetchApprovals.now(), this.#fetchPulls.now()]);
    this.#attempt = 0;
  }

  async #fetchStatus(client: HubClient): Promise<void> {
    try {
      this.#statusIs(await client.request('hub/status', {}));
    } catch (error) {
      if (this.#client === client) this.#become(stateOf(error));
    }
  }

  #statusIs(status: StatusResult): void {
    const before = this.#state.kind === 'running' ? this.#state.status.approvals?.waiting : undefined;
    this.#become({ kind: 'running', status });
    // Approvals have no notification of their own: their number is in the status, and what one is about may change while it waits.
    const waiting = status.approvals?.waiting;
    if (before !== undefined && (before !== waiting || waiting !== 0)) void this.#fetchApprovals.now();
  }

  /** A part that fails keeps what was known: a hub that is older, or ends, shows in `state`. */
  #part(part: MirrorPart, fetch: (hub: HubClient) => Promise<'as-before' | 'new'>): Refetch {
    return new Refetch(async () => {
      const client = this.#client;
      if (client === null) return;
      let news;
      try {
        news = await fetch(client);
      } catch (error) {
        if (!HubError.is(error)) throw error;
        return;
      }
      if (news === 'new' && this.#client === client && !this.#closed) this.#options.onChange(part);
    });
  }

  #leave(): void {
    const client = this.#client;
    this.#client = null;
    client?.close();
    this.#conflicts = [];
    this.#approvals = [];
    this.#pulls = null;
    this.#become({ kind: 'connecting' });
  }

  #tryLater(): void {
    if (this.#closed || this.#retry !== null) return;
    const waits = this.#options.retryMs?.() ?? RETRY_MS;
    const wait = waits[Math.min(this.#attempt, waits.length - 1)];
    this.#attempt += 1;
    this.#retry = setTimeout(() => void this.#connect(), wait);
  }

  #become(state: HubState): void {
    if (this.#closed) return;
    this.#state = state;
    this.#options.onChange('state');
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  #whyNot(): HubError {
    const { state } = this;
    if (state.kind === 'trouble') return new HubError('not-running', state.message, { next: state.next });
    return new HubNotRunning('its socket');
  }
}

function stateOf(error: unknown): HubState {
  if (HubError.is(error, 'not-running', 'disconnected')) return { kind: 'not-running' };
  if (HubError.is(error)) return { kind: 'trouble', message: error.message, next: error.next };
  return { kind: 'trouble', message: error instanceof Error ? error.message : String(error), next: null };
}
