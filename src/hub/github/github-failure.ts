import type { UnixMs } from '../../core/domain.ts';

/** Why GitHub could not be asked, or its answer is of no use. */
export type GithubTrouble =
  | 'gh-missing'
  | 'gh-too-old'
  | 'not-logged-in'
  | 'missing-scopes'
  | 'unreachable'
  /** GitHub gave up on the question: it was too much at a time, or GitHub is not well. */
  | 'overloaded'
  /** Out of points, or too much at a time; `notBefore` says when to ask again. */
  | 'rate-limited'
  | 'bad-answer'
  | 'too-large'
  /** The hub stops. */
  | 'aborted'
  | 'failed';

/** The next step for the user, where there is one. */
const NEXT: Readonly<Partial<Record<GithubTrouble, string>>> = {
  'gh-missing':
    'Install the GitHub CLI (https://cli.github.com), or set "pulls": {"enabled": false} in the configuration.',
  'gh-too-old': 'Install a newer GitHub CLI (https://cli.github.com).',
  'not-logged-in':
    'Log in on the machine that the hub runs on: gh auth login (or set "pulls": {"enabled": false} in the configuration).',
  'missing-scopes': 'Give the GitHub CLI the right to read them: gh auth refresh --scopes repo,read:org',
  unreachable: 'Nothing to do: it is tried again by itself. gh api rate_limit shows whether GitHub can be reached.',
  overloaded: 'Nothing to do: it is tried again by itself.',
  'rate-limited': 'Nothing to do: it goes on by itself when GitHub allows it.',
  'bad-answer': 'It is tried again by itself. When it stays: gh api user shows what stands between the hub and GitHub.',
  'too-large': 'Ask about fewer repositories: "pulls": {"exclude": [...]} in the configuration.',
};

/** GitHub could not be asked. What is known already stays. */
export class GithubFailure extends Error {
  readonly code: GithubTrouble;
  /** What happened, without what it means for what is known already. */
  readonly what: string;
  /** The next step for the user, `null` when nobody knows one. */
  readonly next: string | null;
  /** GitHub wants to be left alone until then. */
  readonly notBefore: UnixMs | null;

  constructor(
    code: GithubTrouble,
    what: string,
    options: { readonly notBefore?: UnixMs; readonly cause?: unknown } = {},
  ) {
    super(`${what}; the pull requests that are known already stay`, { cause: options.cause });
    this.name = 'GithubFailure';
    this.code = code;
    this.what = what;
    this.next = NEXT[code] ?? null;
    this.notBefore = options.notBefore ?? null;
  }

  /** Whether the same may go well with less at a time. */
  static isOverload(error: unknown): boolean {
    return error instanceof GithubFailure && (error.code === 'overloaded' || error.code === 'too-large');
  }
}
