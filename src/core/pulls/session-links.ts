import type { UnixMs } from '../domain.ts';
import { validRepository } from './session-marks.ts';
import type { SessionMarks } from './session-marks.ts';

/** A conversation with what it says, and where it was held. */
export interface MarkedSession {
  /** Uuid. */
  readonly session: string;
  /** Last activity. */
  readonly at: UnixMs;
  readonly marks: Pick<SessionMarks, 'branches' | 'links'>;
  /** `owner/name` of the GitHub remotes of its project. */
  readonly repositories: readonly string[];
}

/** What conversations are found by. */
export interface LinkedPull {
  /** `owner/name`, in any case. */
  readonly repository: string;
  readonly number: number;
  /** Head branch. */
  readonly branch: string;
  /** Where that branch is, `null` when nobody knows any more; default: `repository`. */
  readonly headRepository?: string | null;
  /** Whether the user made it: then a checkout of `repository` may be where the branch was made, wherever it was pushed to. */
  readonly isMine?: boolean;
}

/** A conversation that belongs to a pull request (`PullSession` of the protocol). */
export interface SessionLink {
  readonly session: string;
  /** `link`: the conversation says so itself; `branch`: by its branch. */
  readonly by: 'link' | 'branch';
  readonly at: UnixMs;
}

/** A pull request that a conversation belongs to. */
export interface PullOfSession<P> {
  /** `owner/name`, as GitHub spells it where that is known. */
  readonly repository: string;
  readonly number: number;
  readonly url: string;
  readonly by: SessionLink['by'];
  /** `null` when it is not among the open ones. */
  readonly pull: P | null;
}

/** Conversations shown for one pull request. */
const MOST_SESSIONS = 20;

/** Usual names of default branches: everybody's conversations are on them, so that they tell nothing. */
const DEFAULT_BRANCHES: ReadonlySet<string> = new Set(['main', 'master', 'develop', 'trunk']);

/**
 * Conversations by pull request. Made once for all pull requests: some hundred of them, and thousands of conversations. It does not
 * see what is said later.
 */
export class SessionIndex {
  readonly #byNumber = new Map<string, MarkedSession[]>();
  readonly #byBranch = new Map<string, MarkedSession[]>();

  constructor(sessions: Iterable<MarkedSession>) {
    // Sorted once, every list below is.
    for (const session of [...sessions].sort(newestFirst)) {
      for (const { repository, number } of session.marks.links)
        add(this.#byNumber, numberId(repository, number), session);
      for (const repository of session.repositories) {
        for (const branch of session.marks.branches) {
          if (!isDefaultBranch(branch)) add(this.#byBranch, branchId(repository, branch), session);
        }
      }
    }
  }

  /** See {@link linksOf}. */
  linksOf(pull: LinkedPull): SessionLink[] {
    const { repository, number } = pull;
    const linked = this.#byNumber.get(numberId(repository, number)) ?? [];
    const found = new Map<string, { readonly by: SessionLink['by']; readonly of: MarkedSession }>();
    for (const of of linked) found.set(of.session, { by: 'link', of });
    const onBranch = branchIds(pull).flatMap((id) => (this.#byBranch.get(id) ?? []).slice(0, MOST_SESSIONS));
    for (const of of onBranch) if (!found.has(of.session)) found.set(of.session, { by: 'branch', of });
    return [...found.values()]
      .sort((one, other) => newestFirst(one.of, other.of))
      .slice(0, MOST_SESSIONS)
      .map(({ by, of }) => ({ session: of.session, by, at: of.at }));
  }
}

/**
 * The conversations of a pull request, newest first, at most 20. Those that name it, and those on its head branch in a checkout of
 * its repository, unless that branch is a usual default one. For many pull requests make a {@link SessionIndex}.
 */
export function linksOf(pull: LinkedPull, sessions: Iterable<MarkedSession>): SessionLink[] {
  return new SessionIndex(sessions).linksOf(pull);
}

/**
 * The pull requests of a conversation: first those it names, the one named last first, also when they are not among `pulls`; then
 * those whose head branch it was on, in the order of `pulls`. The rules are those of {@link linksOf}.
 *
 * @param pulls the open ones
 */
export function pullsOf<P extends LinkedPull & { readonly url: string }>(
  session: MarkedSession,
  pulls: Iterable<P>,
): PullOfSession<P>[] {
  const links = new Map(session.marks.links.map((link) => [numberId(link.repository, link.number), link]));
  const branches = new Set(
    session.repositories.flatMap((repository) =>
      session.marks.branches.filter((branch) => !isDefaultBranch(branch)).map((branch) => branchId(repository, branch)),
    ),
  );
  const open = new Map<string, P>();
  const onBranch: PullOfSession<P>[] = [];
  for (const pull of pulls) {
    const { repository, number, url } = pull;
    if (links.has(numberId(repository, number))) open.set(numberId(repository, number), pull);
    else if (branchIds(pull).some((id) => branches.has(id)))
      onBranch.push({ repository, number, url, by: 'branch', pull });
  }
  const named = [...links].reverse().map(([id, link]): PullOfSession<P> => {
    const pull = open.get(id) ?? null;
    const { repository, number, url } = pull ?? link;
    return { repository, number, url, by: 'link', pull };
  });
  return [...named, ...onBranch];
}

/**
 * Owner and name of a project's remote (`<normalised remote>//<path inside>`, see `Project.remotes`) at GitHub; `null` for any
 * other. Besides github.com: `github.com-work` as people with two accounts call it in their ssh configuration, and GitHub
 * Enterprise (`github.example.org`, `name.ghe.com`).
 */
export function githubRepositoryOf(remote: string): string | null {
  const [address = ''] = remote.split('//', 1);
  const slash = address.indexOf('/');
  return GITHUB_HOST.test(address.slice(0, Math.max(0, slash))) ? validRepository(address.slice(slash + 1)) : null;
}

/**
 * The same for github.com alone: names of repositories at a company's own GitHub are nobody else's business, and must not be asked for
 * anywhere else.
 */
export function publicRepositoryOf(remote: string): string | null {
  return PUBLIC_HOST.test(remote) ? githubRepositoryOf(remote) : null;
}

const PUBLIC_HOST = /^(?:(?:www\.|ssh\.)?github\.com(?:-[a-z0-9._-]+)?)\//;
const GITHUB_HOST = /^(?:(?:www\.|ssh\.)?github\.com(?:-[a-z0-9._-]+)?|github\.[a-z0-9.-]+|[a-z0-9-]+\.ghe\.com)$/;

/** The branch of a pull request, in the repositories whose checkouts it can have been made in. */
function branchIds({ repository, branch, headRepository = repository, isMine = false }: LinkedPull): string[] {
  const places = new Set([...(headRepository === null ? [] : [headRepository]), ...(isMine ? [repository] : [])]);
  return [...places].map((place) => branchId(place, branch));
}

function isDefaultBranch(branch: string): boolean {
  return DEFAULT_BRANCHES.has(branch.toLowerCase());
}

/** GitHub ignores the case of owners and names, and neither has `#` or a line break in it. */
function numberId(repository: string, number: number): string {
  return `${repository.toLowerCase()}#${number}`;
}

function branchId(repository: string, branch: string): string {
  return `${repository.toLowerCase()}\n${branch}`;
}

function add(lists: Map<string, MarkedSession[]>, id: string, session: MarkedSession): void {
  const list = lists.get(id);
  if (list === undefined) lists.set(id, [session]);
  // One project may have the same repository under two spellings.
  else if (list.at(-1) !== session) list.push(session);
}

function newestFirst(one: MarkedSession, other: MarkedSession): number {
  return other.at - one.at || (one.session < other.session ? -1 : 1);
}
