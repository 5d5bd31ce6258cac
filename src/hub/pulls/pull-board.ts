import { isDeepStrictEqual } from 'node:util';
import { ATTENTION_ORDER, attentionOf, byUrgency, type Attention } from '../../core/pulls/attention.ts';
import { mergeRefresh, type KnownPull, type MergedRefresh } from '../../core/pulls/merge-refresh.ts';
import { nextRefreshAt } from '../../core/pulls/pace.ts';
import { publicRepositoryOf, pullsOf, SessionIndex, type MarkedSession } from '../../core/pulls/session-links.ts';
import type { UnixMs } from '../../core/domain.ts';
import type {
  Pull,
  PullsChanged,
  PullsDetailResult,
  PullsListResult,
  PullsOfSessionResult,
  PullsStatus,
} from '../../protocol/pulls.ts';
import type { Config } from '../config/schema.ts';
import { fetchPulls, type Fetched } from '../github/fetch-pulls.ts';
import type { Gh } from '../github/gh.ts';
import { GithubFailure } from '../github/github-failure.ts';
import type { Clock } from '../ports/clock.ts';
import type { Store } from '../store/store.ts';
import { pullDetail } from './pull-detail.ts';
import { readRows, writeRows } from './pull-rows.ts';
import { pullsStatus, readRemembered, type Remembered } from './pulls-status.ts';
import type { SessionMarksReader } from './session-marks.ts';
import { wanted } from './wanted-repositories.ts';

/** A hub that starts has other things to do first. */
const FIRST_MS = 5_000;
const SETTING = 'pulls.status';

/** What the board works with. */
export interface PullBoardOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly gh: Gh;
  readonly settings: () => Config['pulls'];
  readonly sessions: { refresh: SessionMarksReader['refresh']; sessions(): Iterable<MarkedSession> };
  readonly onChanged: (changed: PullsChanged) => void;
  readonly onTrouble: (error: Error) => void;
}

/**
 * The open pull requests of everything that the user can reach: asked of GitHub from time to time, kept in the database, and told to
 * all clients. Nothing of it touches the sync.
 */
export class PullBoard {
  readonly #options: PullBoardOptions;
  readonly #stopping = new AbortController();
  #rows: readonly KnownPull[];
  #remembered: Remembered;
  #failure: GithubFailure | null = null;
  #failures = 0;
  #nextAt: UnixMs = 0;
  #cancel: (() => void) | null = null;
  #refreshing: Promise<void> | null = null;
  /** What is read of conversations because of a refresh. */
  #reading: Promise<unknown> = Promise.resolve();
  /** What the refresh under way found out, to be told at its end. */
  #events: MergedRefresh['events'] = [];
  #isStarted = false;
  #links: SessionIndex | null = null;
  #settings: Config['pulls'];
  /** The rows are of other settings. */
  #isOutdated = false;

  constructor(options: PullBoardOptions) {
    this.#options = options;
    this.#settings = options.settings();
    this.#rows = readRows(options.store.pulls);
    this.#remembered = readRemembered(options.store.getSetting(SETTING));
  }

  /** From now on GitHub is asked from time to time. */
  start(): void {
    this.#isStarted = true;
    this.#plan(FIRST_MS);
  }

  /** Nothing is asked any more; what is under way is given up. */
  async stop(): Promise<void> {
    this.#isStarted = false;
    this.#cancel?.();
    this.#cancel = null;
    this.#stopping.abort();
    await this.#refreshing;
    await this.#reading;
  }

  /** The settings may have changed. */
  reconfigured(): void {
    const before = this.#settings;
    this.#settings = this.#options.settings();
    if (!this.#isStarted || isDeepStrictEqual(before, this.#settings)) return;
    const isWanted = wanted(this.#settings.include, this.#settings.exclude);
    this.#keep(this.#rows.filter(({ facts }) => isWanted(facts.repository)));
    this.#isOutdated = true;
    this.#failures = 0;
    this.#plan(FIRST_MS);
    this.#tell([]);
  }

  /** @param look see `PullsListParams`. */
  list(look: boolean): PullsListResult {
    const result = { status: this.status(), pulls: this.#pulls() };
    if (look) this.#looked();
    return result;
  }

  /** Asks GitHub now, unless it wants to be left alone, or waits for the answer to what is being asked. Failures are in the result. */
  async refresh(look: boolean): Promise<PullsListResult> {
    const { settings, clock } = this.#options;
    const isWelcome = clock.now() >= (this.#remembered.notBefore ?? 0);
    if (settings().enabled && (isWelcome || this.#refreshing !== null)) {
      await this.#refresh();
      await this.#readSessions();
    }
    return this.list(look);
  }

  /** @throws {HubError} `not-found`, `unreachable` */
  async detail(
    asked: { readonly repository: string; readonly number: number },
    signal: AbortSignal,
  ): Promise<PullsDetailResult> {
    const more = await pullDetail(this.#options.gh, asked, AbortSignal.any([signal, this.#stopping.signal]));
    const name = asked.repository.toLowerCase();
    const row = this.#rows.find(
      ({ facts }) => facts.number === asked.number && facts.repository.toLowerCase() === name,
    );
    return { pull: row === undefined ? null : this.#pull(row), ...more };
  }

  async ofSession(session: string): Promise<PullsOfSessionResult> {
    await this.#readSessions();
    const marked = [...this.#options.sessions.sessions()].find((one) => one.session === session);
    if (marked === undefined) return { pulls: [] };
    const found = pullsOf(
      marked,
      this.#rows.map((row) => ({ ...row.facts, row })),
    );
    return {
      pulls: found.map(({ repository, number, url, by, pull }) => ({
        ...{ repository, number, url, by },
        pull: pull === null ? null : this.#pull(pull.row),
      })),
    };
  }

  status(): PullsStatus {
    return pullsStatus({
      now: this.#options.clock.now(),
      settings: this.#options.settings(),
      remembered: this.#remembered,
      failure: this.#failure,
      nextRefreshAt: this.#isStarted ? this.#nextAt : 0,
      isRefreshing: this.#refreshing !== null,
      hasRows: this.#rows.length > 0,
    });
  }

  #pulls(): Pull[] {
    return [...this.#rows].sort((a, b) => byUrgency(a.facts, b.facts)).map((row) => this.#pull(row));
  }

  #pull({ facts, changes, stale }: KnownPull): Pull {
    this.#links ??= new SessionIndex(this.#options.sessions.sessions());
    return {
      ...facts,
      labels: [...facts.labels],
      requestedReviewers: [...facts.requestedReviewers],
      reviews: [...facts.reviews],
      checks: { ...facts.checks, failing: [...facts.checks.failing] },
      queries: [...facts.queries],
      attention: attentionOf(facts),
      changes: [...changes],
      stale,
      sessions: this.#links.linksOf(facts),
    };
  }

  #looked(): void {
    if (this.#rows.every(({ changes }) => changes.length === 0)) return;
    this.#keep(this.#rows.map((row) => ({ ...row, changes: [] })));
    this.#tell([]);
  }

  #keep(rows: readonly KnownPull[]): void {
    this.#rows = rows;
    writeRows(this.#options.store.pulls, rows);
  }

  /** Plans the next refresh: when the rows are old, but not before `atLeastMs` from now. */
  #plan(atLeastMs = 0): void {
    this.#cancel?.();
    this.#cancel = null;
    const { clock, settings } = this.#options;
    const { enabled, refreshMinutes } = settings();
    if (!this.#isStarted || !enabled) return;
    const now = clock.now();
    const everyMs = refreshMinutes * 60_000;
    const { rate, refreshedAt, notBefore } = this.#remembered;
    // After a restart the rows may be fresh enough.
    const from = this.#failures === 0 ? Math.min(refreshedAt, now) : now;
    const due = nextRefreshAt({ now: from, everyMs, rate, failures: this.#failures, notBefore });
    this.#nextAt = Math.max(now + atLeastMs, this.#isOutdated ? (notBefore ?? 0) : due);
    this.#cancel = clock.after(this.#nextAt - now, () => {
      this.#cancel = null;
      void this.#refresh();
    });
  }

  #refresh(): Promise<void> {
    return (this.#refreshing ??= this.#ask()
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error : new Error(String(error));
        this.#failed(new GithubFailure('failed', `the refresh broke off (${reason.message})`, { cause: reason }));
        this.#options.onTrouble(reason);
      })
      .finally(() => {
        this.#refreshing = null;
        this.#plan();
        this.#tell(this.#events);
        this.#events = [];
        // In the background: thousands of transcripts may have to be read once.
        this.#reading = this.#readSessions().then(
          () => this.#isStarted && this.#tell([]),
          (error: unknown) => this.#options.onTrouble(error instanceof Error ? error : new Error(String(error))),
        );
      }));
  }

  async #ask(): Promise<void> {
    const { gh, settings, store } = this.#options;
    const { queries, include, exclude } = settings();
    this.#isOutdated = false;
    // Before anything is awaited: a client that asks meanwhile sees that it is under way.
    await Promise.resolve();
    this.#tell([]);
    try {
      const fetched = await fetchPulls(gh, {
        queries,
        projects: [...store.projects.values()].flatMap(({ remotes }) =>
          remotes.flatMap((remote) => publicRepositoryOf(remote) ?? []),
        ),
        isWanted: wanted(include, exclude),
        ...(this.#remembered.viewer === null ? {} : { expected: this.#remembered.repositories }),
        signal: this.#stopping.signal,
      });
      this.#take(fetched);
    } catch (error) {
      if (!(error instanceof GithubFailure)) throw error;
      if (error.code !== 'aborted') this.#failed(error);
    }
  }

  #failed(failure: GithubFailure): void {
    this.#failure = failure;
    this.#failures += 1;
    this.#remember({ ...this.#remembered, notBefore: failure.notBefore });
  }

  #remember(remembered: Remembered): void {
    this.#remembered = remembered;
    this.#options.store.setSetting(SETTING, JSON.stringify(remembered));
  }

  #take(fetched: Fetched): void {
    const { refreshedAt, viewer: before } = this.#remembered;
    // Nothing was known before, or it was somebody else who asked.
    const newsSince = refreshedAt === 0 || before !== fetched.viewer ? null : refreshedAt;
    const { rows, events } = mergeRefresh(this.#rows, { ...fetched, newsSince });
    this.#keep(rows);
    this.#events = events;
    this.#failure = null;
    this.#failures = 0;
    const { viewer, repositories, requests, warnings, rate } = fetched;
    this.#remember({
      viewer,
      notBefore: null,
      refreshedAt: this.#options.clock.now(),
      repositories,
      warnings: [...warnings],
      rate: rate === null ? null : { ...rate, requests },
    });
  }

  async #readSessions(): Promise<void> {
    await this.#options.sessions.refresh(this.#stopping.signal);
    this.#links = null;
  }

  #tell(events: MergedRefresh['events']): void {
    const counts = Object.fromEntries(ATTENTION_ORDER.map((group) => [group, 0])) as Record<Attention, number>;
    for (const { facts } of this.#rows) counts[attentionOf(facts)] += 1;
    this.#options.onChanged({
      status: this.status(),
      counts,
      changed: this.#rows.filter(({ changes }) => changes.length > 0).length,
      events: events.map(({ kind, pull: { repository, number, title, url } }) => ({
        ...{ kind, repository, number, title, url },
      })),
    });
  }
}
