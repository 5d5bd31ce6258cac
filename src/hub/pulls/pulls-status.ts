import { z } from 'zod';
import type { UnixMs } from '../../core/domain.ts';
import { PullsStatusSchema, type PullsState, type PullsStatus } from '../../protocol/pulls.ts';
import type { Config } from '../config/schema.ts';
import type { GithubFailure, GithubTrouble } from '../github/github-failure.ts';
import { jsonOrNull } from '../json-or-null.ts';

/** A refresh may be late by this share before its rows count as stale. */
const LATE = 1.5;

const REMEMBERED = PullsStatusSchema.extend({
  /** GitHub wants to be left alone until then. */
  notBefore: z.number().nullable().catch(null),
}).pick({ notBefore: true, viewer: true, refreshedAt: true, repositories: true, rate: true, warnings: true });

/** What is remembered over restarts besides the rows. */
export type Remembered = z.infer<typeof REMEMBERED>;

const NOTHING: Remembered = {
  ...{ viewer: null, refreshedAt: 0, repositories: 0, rate: null, warnings: [], notBefore: null },
};

/** @param stored as it was written, `null` when it never was; what cannot be read is as if it had not been. */
export function readRemembered(stored: string | null): Remembered {
  return REMEMBERED.safeParse(jsonOrNull(stored)).data ?? NOTHING;
}

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

/** What the status of the pull requests follows from. */
export interface PullsStanding {
  readonly now: UnixMs;
  readonly settings: Config['pulls'];
  readonly remembered: Remembered;
  /** Of the last refresh, `null` when it went well. */
  readonly failure: GithubFailure | null;
  /** 0 while none is planned. */
  readonly nextRefreshAt: UnixMs;
  readonly isRefreshing: boolean;
  readonly hasRows: boolean;
}

/** How the hub stands with GitHub, in the words of the protocol. */
export function pullsStatus(standing: PullsStanding): PullsStatus {
  const { now, settings, remembered, failure, nextRefreshAt, isRefreshing, hasRows } = standing;
  const { viewer, repositories, rate, refreshedAt, warnings } = remembered;
  const { enabled, refreshMinutes } = settings;
  const isOld = now - refreshedAt > refreshMinutes * 60_000 * LATE;
  return {
    ...{ viewer, repositories, rate, refreshedAt, warnings, isRefreshing },
    state: stateOf(standing),
    message: enabled ? (failure?.message ?? null) : 'pull requests are turned off',
    next: enabled ? (failure?.next ?? null) : 'Set "pulls": {"enabled": true} in the configuration.',
    nextRefreshAt: enabled ? nextRefreshAt : 0,
    stale: hasRows && (isOld || !enabled || failure !== null),
  };
}

function stateOf({ settings, failure, remembered }: PullsStanding): PullsState {
  if (!settings.enabled) return 'off';
  if (failure !== null) return STATES[failure.code];
  if (remembered.refreshedAt === 0) return 'never';
  return remembered.warnings.length > 0 ? 'partial' : 'ok';
}
