import { z } from 'zod';
import { UnixMsSchema } from './shared.ts';

/** What a pull request wants from the user, most urgent first. Each one is in exactly one of these groups. */
export const ATTENTIONS = [
  /** Somebody waits for the user's review. */
  'needs-my-review',
  /** Mine, and a reviewer asks for changes. */
  'changes-requested',
  /** Mine, and a check failed. */
  'failing',
  /** Mine, approved, nothing fails. */
  'approved',
  /** Drafts, mine and others'. */
  'draft',
  'other',
] as const;
export const AttentionSchema = z.enum(ATTENTIONS);
export type Attention = z.infer<typeof AttentionSchema>;

/** What happened to a pull request since the user last looked. */
export const PULL_CHANGES = [
  'new',
  'review-requested',
  'approved',
  'changes-requested',
  'checks-failed',
  'checks-passed',
  'updated',
] as const;
export const PullChangeSchema = z.enum(PULL_CHANGES);
export type PullChange = z.infer<typeof PullChangeSchema>;

/** State of the last commit's checks; `none`: there are none. */
export const ChecksSchema = z.object({
  state: z.enum(['none', 'pending', 'passed', 'failed']),
  /** Names of the checks that failed; not all of them when there are very many. */
  failing: z.array(z.string()),
});
export type Checks = z.infer<typeof ChecksSchema>;

/** A conversation that belongs to a pull request: it names it, or was held on its branch in a checkout of its repository. */
export const PullSessionSchema = z.object({
  session: z.string(),
  /** `link`: the conversation says so itself; `branch`: by its branch. */
  by: z.enum(['link', 'branch']),
  /** Last activity. */
  at: UnixMsSchema,
});
export type PullSession = z.infer<typeof PullSessionSchema>;

/** An open pull request. */
export const PullSchema = z.object({
  /** GitHub's own identity of it. */
  id: z.string(),
  /** `owner/name`. */
  repository: z.string(),
  number: z.number().int(),
  title: z.string(),
  url: z.string(),
  /** Login; `ghost` for a deleted account. */
  author: z.string(),
  isMine: z.boolean(),
  isDraft: z.boolean(),
  createdAt: UnixMsSchema,
  updatedAt: UnixMsSchema,
  branch: z.string(),
  /** Repository of the branch: a fork's where it comes from one, `null` when that is gone. */
  headRepository: z.string().nullable(),
  baseBranch: z.string(),
  labels: z.array(z.object({ name: z.string(), /** Six hexadecimal digits. */ color: z.string() })),
  reviewDecision: z.enum(['approved', 'changes-requested', 'review-required']).nullable(),
  /** Logins, and teams as `organisation/team`. */
  requestedReviewers: z.array(z.string()),
  /** Whether the user, or a team of theirs, is asked for a review. */
  isMyTurn: z.boolean(),
  /** The latest review of each reviewer. */
  reviews: z.array(
    z.object({
      author: z.string(),
      state: z.enum(['approved', 'changes-requested', 'commented', 'dismissed', 'pending']),
      at: UnixMsSchema.nullable(),
    }),
  ),
  mergeable: z.enum(['mergeable', 'conflicting', 'unknown']),
  checks: ChecksSchema,
  comments: z.number().int(),
  attention: AttentionSchema,
  /** Titles of the configured queries that found it. */
  queries: z.array(z.string()),
  /** Since the user last looked. */
  changes: z.array(PullChangeSchema),
  /** It could not be asked about in the last refresh: this is what was known before. */
  stale: z.boolean(),
  sessions: z.array(PullSessionSchema),
});
export type Pull = z.infer<typeof PullSchema>;

/** How the hub stands with GitHub. */
export const PULLS_STATES = [
  /** The last refresh went through. */
  'ok',
  /** It went through, and some of it was refused; `warnings` says what. */
  'partial',
  /** There was no refresh yet. */
  'never',
  /** `pulls.enabled` is false. */
  'off',
  'gh-missing',
  'gh-too-old',
  'not-logged-in',
  'missing-scopes',
  'unreachable',
  'rate-limited',
  'bad-answer',
  'too-large',
  'failed',
] as const;
export const PullsStateSchema = z.enum(PULLS_STATES);
export type PullsState = z.infer<typeof PullsStateSchema>;

/** Everything about the pull requests but themselves. */
export const PullsStatusSchema = z.object({
  state: PullsStateSchema,
  /** What is the matter, in a sentence; `null` while nothing is. */
  message: z.string().nullable(),
  /** The next step; `null` when there is nothing to do. */
  next: z.string().nullable(),
  /** What was refused or left out in the last refresh, a sentence each. */
  warnings: z.array(z.string()),
  /** The user's login, `null` before the first refresh. */
  viewer: z.string().nullable(),
  /** End of the last refresh that brought rows, 0 for never. */
  refreshedAt: UnixMsSchema,
  /** When the next one begins by itself, 0 for never. */
  nextRefreshAt: UnixMsSchema,
  isRefreshing: z.boolean(),
  /** Whether the rows are older than `pulls.refreshMinutes`, or GitHub could not be asked last time. */
  stale: z.boolean(),
  /** Repositories that were asked. */
  repositories: z.number().int(),
  /** GitHub's budget of points; `null` before the first refresh. */
  rate: z
    .object({
      limit: z.number(),
      remaining: z.number(),
      resetAt: UnixMsSchema,
      /** Points and requests of the last refresh. */
      cost: z.number(),
      requests: z.number().int(),
    })
    .nullable(),
});
export type PullsStatus = z.infer<typeof PullsStatusSchema>;

/** `look`: the user sees this answer, so that what changed before it is old from now on. */
export const PullsListParams = z.strictObject({ look: z.boolean().optional() });
export const PullsListResult = z.object({
  status: PullsStatusSchema,
  /** The most urgent group first, in it the latest update first. */
  pulls: z.array(PullSchema),
});
export type PullsListResult = z.infer<typeof PullsListResult>;

/** Asks GitHub now, unless a refresh is under way, which is waited for. A failure is in `status`, not an error. */
export const PullsRefreshParams = z.strictObject({ look: z.boolean().optional() });
export const PullsRefreshResult = PullsListResult;

/** More about one pull request, asked of GitHub now. */
export const PullsDetailParams = z.strictObject({
  repository: z.string().max(200),
  number: z.number().int().positive(),
});
export const PullsDetailResult = z.object({
  /** As far as it is in the list. */
  pull: PullSchema.nullable(),
  /** Markdown, cut off after 64 KiB. */
  body: z.string(),
  additions: z.number().int(),
  deletions: z.number().int(),
  changedFiles: z.number().int(),
  commits: z.number().int(),
  checks: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['pending', 'passed', 'failed', 'skipped']),
      url: z.string().nullable(),
    }),
  ),
  /** The last ones, oldest first; bodies cut off after 4 KiB. */
  comments: z.array(z.object({ author: z.string(), at: UnixMsSchema, body: z.string() })),
});
export type PullsDetailResult = z.infer<typeof PullsDetailResult>;

/** The pull requests of a conversation. */
export const PullsOfSessionParams = z.strictObject({ session: z.string().max(200) });
export const PullsOfSessionResult = z.object({
  pulls: z.array(
    z.object({
      repository: z.string(),
      number: z.number().int(),
      url: z.string(),
      by: PullSessionSchema.shape.by,
      /** `null` when it is not among the open ones. */
      pull: PullSchema.nullable(),
    }),
  ),
});
export type PullsOfSessionResult = z.infer<typeof PullsOfSessionResult>;

/** Something worth telling the user at once. */
export const PullEventSchema = z.object({
  kind: z.enum(['review-requested', 'approved', 'changes-requested', 'checks-failed']),
  repository: z.string(),
  number: z.number().int(),
  title: z.string(),
  url: z.string(),
});
export type PullEvent = z.infer<typeof PullEventSchema>;

/** The rows or their state changed: a client that shows them asks again. */
export const PullsChanged = z.object({
  status: PullsStatusSchema,
  counts: z.record(AttentionSchema, z.number().int()),
  /** Pull requests with changes since the last look. */
  changed: z.number().int(),
  events: z.array(PullEventSchema),
});
export type PullsChanged = z.infer<typeof PullsChanged>;
