import picomatch from 'picomatch';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { ATTENTION_ORDER, attentionOf, byUrgency, type Attention } from '../../core/pulls/attention.ts';
import { mergeRefresh, type KnownPull, type MergedRefresh } from '../../core/pulls/merge-refresh.ts';
import { nextRefreshAt } from '../../core/pulls/pace.ts';
import { publicRepositoryOf, pullsOf, SessionIndex, type MarkedSession } from '../../core/pulls/session-links.ts';
import type { UnixMs } from '../../core/domain.ts';
import {
  PullsStatusSchema,
  type Pull,
  type PullsChanged,
  type PullsDetailResult,
  type PullsListResult,
  type PullsOfSessionResult,
  type PullsState,
  type PullsStatus,
} from '../../protocol/pulls.ts';
import type { Config } from '../config/schema.ts';
import { fetchPulls, type Fetched } from '../github/fetch-pulls.ts';
import type { Gh } from '../github/gh.ts';
import { GithubFailure, type GithubTrouble } from '../github/github-failure.ts';
import type { Clock } from '../ports/clock.ts';
import type { Store } from '../store/store.ts';
import { pullDetail } from './pull-detail.ts';
import { readRows, writeRows } from './pull-rows.ts';
import type { SessionMarksReader } from './session-marks.ts';

/** A hub that starts has other things to do first. */
const FIRST_MS = 5_000;
const SETTING = 'pulls.status';
/** A refresh may be late by this share before its rows count as stale. */
const LATE = 1.5;

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

/** What is remembered over restarts besides the rows. */
const REMEMBERED = PullsStatusSchema.extend({
  /** GitHub wants to be left alone until then. */
  notBefore: z.number().nullable().catch(null),
}).pick({
  notBefore: true,
  viewer: true,
  refreshedAt: true,
  repositories: true,
  rate: true,
  warnings: true,
});
type Remembered = z.infer<typeof REMEMBERED>;

const NOTHING: Remembered = {
  ...{ viewer: null, refreshedAt: 0, repositories: 0, rate: null, warnings: [], notBefore: null },
};

const STATES: Readonly<Record<GithubTrouble, PullsState>> = {
  'gh-missing': 'gh-missing',
  'gh-too-old': 'gh-too-old',
  'not-logged-in': 'not-logged-in',
  'missing-scopes': 'missing-scopes',
  unreachable: 'unreachable',
  overloaded: 'unreachable',
  'rate-limited': 'rate-limited',
  'bad-answer': 'bad-answer',
  'too-large': 'too-large',
  aborted: 'never',
  failed: 'failed',
};

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
    this.#remembered = REMEMBERED.safeParse(jsonOf(options.store.getSetting(SETTING))).data ?? NOTHING;
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
    const { clock, settings } = this.#options;
    const { enabled, refreshMinutes } = settings();
    const { refreshedAt, warnings } = this.#remembered;
    const isOld = clock.now() - refreshedAt > refreshMinutes * 60_000 * LATE;
    const state: PullsState = !enabled
      ? 'off'
      : this.#failure !== null
        ? STATES[this.#failure.code]
        : refreshedAt === 0
          ? 'never'
          : warnings.length > 0
            ? 'partial'
            : 'ok';
    const { viewer, repositories, rate } = this.#remembered;
    return {
      ...{ viewer, repositories, rate, refreshedAt, warnings },
      state,
      message: enabled ? (this.#failure?.message ?? null) : 'pull requests are turned off',
      next: enabled ? (this.#failure?.next ?? null) : 'Set "pulls": {"enabled": true} in the configuration.',
      nextRefreshAt: enabled && this.#isStarted ? this.#nextAt : 0,
      isRefreshing: this.#refreshing !== null,
      stale: this.#rows.length > 0 && (isOld || !enabled || this.#failure !== null),
    };
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

/** Whether a repository is among those that the user wants to hear of. */
function wanted(include: readonly string[], exclude: readonly string[]): (repository: string) => boolean {
  const options = { nocase: true, dot: true, nonegate: true };
  const isIncluded = include.length === 0 ? () => true : picomatch([...include], options);
  const isExcluded = exclude.length === 0 ? () => false : picomatch([...exclude], options);
  return (repository) => isIncluded(repository) && !isExcluded(repository);
}

function jsonOf(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
