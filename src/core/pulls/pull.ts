import type { UnixMs } from '../domain.ts';

/** State of the last commit's checks; `none`: there are none. `failing`: names, not all when there are very many. */
export interface Checks {
  readonly state: 'none' | 'pending' | 'passed' | 'failed';
  readonly failing: readonly string[];
}

/** The latest review of one reviewer. */
export interface Review {
  readonly author: string;
  readonly state: 'approved' | 'changes-requested' | 'commented' | 'dismissed' | 'pending';
  readonly at: UnixMs | null;
}

/** An open pull request as GitHub tells of it. */
export interface PullFacts {
  /** GitHub's own identity of it. */
  readonly id: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly number: number;
  readonly title: string;
  readonly url: string;
  /** Login; `ghost` for a deleted account. */
  readonly author: string;
  readonly isMine: boolean;
  readonly isDraft: boolean;
  readonly createdAt: UnixMs;
  readonly updatedAt: UnixMs;
  readonly branch: string;
  /** Repository of the branch: a fork's where it comes from one, `null` when that is gone. */
  readonly headRepository: string | null;
  readonly baseBranch: string;
  readonly labels: readonly { readonly name: string; readonly color: string }[];
  readonly reviewDecision: 'approved' | 'changes-requested' | 'review-required' | null;
  /** Logins, and teams as `organisation/team`. */
  readonly requestedReviewers: readonly string[];
  /** Whether the user, or a team of theirs, is asked for a review. */
  readonly isMyTurn: boolean;
  readonly reviews: readonly Review[];
  readonly mergeable: 'mergeable' | 'conflicting' | 'unknown';
  readonly checks: Checks;
  readonly comments: number;
  /** Titles of the configured queries that found it. */
  readonly queries: readonly string[];
}
