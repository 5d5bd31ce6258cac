import type { Rate } from '../../core/pulls/pace.ts';
import type { PullFacts } from '../../core/pulls/pull.ts';
import {
  pullFacts,
  readPull,
  readRate,
  readRepositoriesPage,
  readRepository,
  readSearch,
  type PullAnswer,
  type RepositoryAnswer,
} from './answers.ts';
import type { Gh, GraphqlAnswer, GraphqlError } from './gh.ts';
import { GithubFailure } from './github-failure.ts';
import { MOST_PER_PAGE, namedQuestion, REPOSITORIES, withoutTeams } from './queries.ts';

/** GitHub gives up a question after ten seconds (502, 504): then it is asked for less at a time, down to so many repositories. */
const FEWEST_PER_PAGE = 10;
/** A user with more repositories than this sees the newest. */
const MOST_REPOSITORIES = 2_000;
/** Of one repository. */
const MOST_PULLS = 200;
/** Repositories of which further pull requests are asked for in one question, which keeps it below GitHub's 500,000 nodes. */
const MORE_AT_ONCE = 40;
/** Of projects that are not among the user's own repositories. */
const MOST_NAMED = 50;
/** What every search for pull requests begins with. */
const OPEN = 'is:pr is:open archived:false';
/** Finds what the user, or a team of theirs, is asked to review. */
const ASKED = 'review-requested:@me';
const MINE = 'author:@me';

/** Of one refresh. */
const MOST_QUESTIONS = 100;
const MOST_WARNINGS = 20;
const READ_TEAMS = 'the GitHub CLI may not read them. gh auth refresh --scopes read:org lets it';

/** What a refresh asks for. */
export interface FetchRequest {
  /** Title -> GitHub search. */
  readonly queries: Readonly<Record<string, string>>;
  /** `owner/name` of repositories that projects are checkouts of. */
  readonly projects: readonly string[];
  /** Repositories that there were last time; GitHub's price goes by what is asked for, not by what there is. */
  readonly expected?: number;
  /** Whether a repository (`owner/name`) is wanted at all. */
  readonly isWanted: (repository: string) => boolean;
  readonly signal?: AbortSignal;
}

/** What a refresh brought. */
export interface Fetched {
  readonly viewer: string;
  readonly pulls: readonly PullFacts[];
  /** Repositories whose open pull requests were all told; lower case. */
  readonly whole: ReadonlySet<string>;
  /** Repositories that were listed, or asked for by name; lower case. */
  readonly listed: ReadonlySet<string>;
  /** Something was refused, and it is not known of which repositories. */
  readonly hasGaps: boolean;
  /** Searches that were answered to the end, by their text; without one it is not known what it would have found. */
  readonly searched: { readonly asked: boolean; readonly all: boolean };
  /** Repositories that were answered for. */
  readonly repositories: number;
  readonly warnings: readonly string[];
  /** `cost`: of all questions together. */
  readonly rate: Rate | null;
  readonly requests: number;
}

/**
 * Asks GitHub for the open pull requests of everything that the user can reach: a question for each 100 repositories, one for searches and
 * projects, and one more where a repository has more than ten.
 * @throws {GithubFailure} when the first question brought nothing. What fails later is a gap and a warning.
 */
export async function fetchPulls(gh: Gh, request: FetchRequest): Promise<Fetched> {
  const fetch = new Fetch(gh, request);
  await fetch.repositories();
  await fetch.named();
  await fetch.further();
  return fetch.result();
}

class Fetch {
  readonly #gh: Gh;
  readonly #request: FetchRequest;
  readonly #answers = new Map<string, PullAnswer>();
  readonly #foundBy = new Map<string, Set<string>>();
  readonly #asked = new Set<string>();
  readonly #whole = new Set<string>();
  readonly #known = new Set<string>();
  readonly #further: { id: string; name: string; after: string; first: number }[] = [];
  readonly #warnings = new Set<string>();
  /** Repositories of which something was refused; lower case. */
  readonly #broken = new Set<string>();
  #searched = { asked: false, all: false };
  #viewer: string | null = null;
  #hasGaps = false;
  #hasTeams = true;
  #rate: Rate | null = null;
  #cost = 0;
  #requests = 0;

  constructor(gh: Gh, request: FetchRequest) {
    this.#gh = gh;
    this.#request = request;
  }

  /** All pages of the repositories that the user can reach. */
  async repositories(): Promise<void> {
    let after: string | null = null;
    let first = pageFor(this.#request.expected ?? MOST_PER_PAGE);
    for (;;) {
      let answer: GraphqlAnswer;
      try {
        answer = await this.#ask(REPOSITORIES, { first, after });
      } catch (error) {
        if (GithubFailure.isOverload(error) && first > FEWEST_PER_PAGE) {
          first = Math.max(FEWEST_PER_PAGE, Math.floor(first / 2));
          continue;
        }
        // With pages before it the refresh is worth something; what comes behind is as it was.
        if (this.#viewer === null || isFinal(error)) throw error;
        return this.#gap(error);
      }
      const page = readRepositoriesPage(answer.data['viewer']);
      if (page === null) {
        if (this.#viewer === null)
          throw new GithubFailure(this.#why(answer), `GitHub did not say who you are${told(answer)}`);
        return this.#gap(new Error('GitHub left out a page of repositories'));
      }
      this.#viewer ??= page.login;
      for (const node of page.repositories?.nodes ?? []) this.#takeRepository(node);
      if (page.repositories === null) return this.#gap(new Error('GitHub did not list the repositories'));
      const { hasNextPage, endCursor } = page.repositories.pageInfo;
      if (!hasNextPage || typeof endCursor !== 'string') return;
      if (this.#known.size >= MOST_REPOSITORIES) {
        this.#warnings.add(`only the ${MOST_REPOSITORIES} newest repositories are asked about`);
        this.#hasGaps = true;
        return;
      }
      after = endCursor;
    }
  }

  /** Searches, and the repositories of projects that are not among the user's own. */
  async named(): Promise<void> {
    const titles = Object.keys(this.#request.queries);
    const searches = [...new Set([ASKED, ...Object.values(this.#request.queries)])];
    const named = this.#request.projects
      .filter((name) => !this.#known.has(name.toLowerCase()) && this.#request.isWanted(name))
      .slice(0, MOST_NAMED)
      .flatMap((full) => {
        const [owner = '', name = ''] = full.split('/');
        return owner === '' || name === '' ? [] : [{ owner, name }];
      });
    const { query, variables } = namedQuestion({
      searches: searches.map((text) => `${OPEN} ${text}`),
      repositories: named,
    });
    let data: GraphqlAnswer['data'];
    try {
      // A project whose repository is not on GitHub any more, or not the user's to see, is no news.
      ({ data } = await this.#ask(query, variables, (error) => error.type === 'NOT_FOUND'));
    } catch (error) {
      if (isFinal(error)) throw error;
      return this.#gap(error);
    }
    const answered = new Set<string>();
    for (const [at, text] of searches.entries()) {
      const found = readSearch(data[`search${at}`]);
      if (found === null) {
        this.#hasGaps = true;
        continue;
      }
      if ((found.nodes ?? []).every((node) => readPull(node) !== null)) answered.add(text);
      else this.#hasGaps = true;
      // Which ones are mine is known without it.
      if (found.issueCount > MOST_PER_PAGE && text !== MINE)
        this.#warnings.add(`of ${found.issueCount} pull requests for "${text}" the first ${MOST_PER_PAGE} are shown`);
      for (const node of found.nodes ?? []) {
        const id = this.#takePull(node);
        if (id === null) continue;
        if (text === ASKED) this.#asked.add(id);
        for (const title of titles) if (this.#request.queries[title] === text) this.#note(id, title);
      }
    }
    this.#searched = { asked: answered.has(ASKED), all: searches.every((text) => answered.has(text)) };
    for (const at of named.keys()) {
      // One that was not found is `null`, too.
      if (data[`repository${at}`] !== null) this.#takeRepository(data[`repository${at}`]);
    }
  }

  /** What did not fit into the pages. */
  async further(): Promise<void> {
    while (this.#further.length > 0) {
      const some = this.#further.splice(0, MORE_AT_ONCE);
      const { query, variables } = namedQuestion({ more: some });
      let data: GraphqlAnswer['data'];
      try {
        ({ data } = await this.#ask(query, variables));
      } catch (error) {
        if (isFinal(error)) throw error;
        return this.#gap(error);
      }
      for (const [at] of some.entries()) this.#takeRepository(data[`more${at}`]);
    }
  }

  result(): Fetched {
    const viewer = this.#viewer ?? '';
    const { isWanted, queries } = this.#request;
    const titlesOfMine = Object.keys(queries).filter((title) => queries[title] === MINE);
    const pulls = [...this.#answers.values()]
      .filter(({ repository }) => isWanted(repository.nameWithOwner))
      .map((answer) => {
        const isMine = answer.author?.login.toLowerCase() === viewer.toLowerCase();
        const titles = new Set([...(this.#foundBy.get(answer.id) ?? []), ...(isMine ? titlesOfMine : [])]);
        return pullFacts(answer, { viewer, isAsked: this.#asked.has(answer.id), queries: [...titles] });
      });
    return {
      viewer,
      pulls,
      whole: this.#whole,
      listed: this.#known,
      hasGaps: this.#hasGaps,
      searched: this.#searched,
      repositories: this.#known.size,
      warnings: shortened([...this.#warnings]),
      rate: this.#rate === null ? null : { ...this.#rate, cost: this.#cost },
      requests: this.#requests,
    };
  }

  async #ask(
    query: string,
    variables: Readonly<Record<string, unknown>>,
    isFine: (error: GraphqlError) => boolean = () => false,
  ): Promise<GraphqlAnswer> {
    // A cursor that does not move would go on for ever.
    if (this.#requests >= MOST_QUESTIONS)
      throw new GithubFailure('bad-answer', 'GitHub gave one page after the other without an end');
    const answer = await this.#answer(query, variables);
    const rate = readRate(answer.data['rateLimit']);
    if (rate !== null) {
      this.#rate = rate;
      this.#cost += rate.cost;
    }
    for (const error of answer.errors) {
      if (isFine(error)) continue;
      this.#hasGaps = true;
      this.#warnings.add(`GitHub left something out: ${error.message}`);
    }
    return answer;
  }

  /** A token that may not read teams may ask about everything else. */
  async #answer(query: string, variables: Readonly<Record<string, unknown>>): Promise<GraphqlAnswer> {
    const { signal } = this.#request;
    this.#requests += 1;
    try {
      return await this.#gh.graphql(this.#hasTeams ? query : withoutTeams(query), variables, signal);
    } catch (error) {
      if (!(error instanceof GithubFailure) || error.code !== 'missing-scopes' || !this.#hasTeams) throw error;
      this.#hasTeams = false;
      this.#warnings.add(`teams that are asked for a review are not named: ${READ_TEAMS}`);
      this.#requests += 1;
      return await this.#gh.graphql(withoutTeams(query), variables, signal);
    }
  }

  #takeRepository(node: unknown): void {
    const repository = readRepository(node);
    if (repository === null) {
      this.#hasGaps = true;
      return;
    }
    const name = repository.nameWithOwner.toLowerCase();
    if (repository.isArchived === true || !this.#request.isWanted(repository.nameWithOwner)) {
      // Nothing of it is to be kept.
      this.#whole.add(name);
      return;
    }
    this.#known.add(name);
    const { pullRequests } = repository;
    if (pullRequests === null) {
      this.#hasGaps = true;
      return;
    }
    const taken = (pullRequests.nodes ?? []).map((pull) => this.#takePull(pull));
    if (taken.includes(null)) {
      this.#hasGaps = true;
      this.#broken.add(name);
    }
    this.#followUp(repository, name);
  }

  /** Plans the next page of a repository's pull requests, or notes that there is none. */
  #followUp({ id, nameWithOwner, pullRequests }: RepositoryAnswer, name: string): void {
    if (pullRequests === null) return;
    const { totalCount, pageInfo } = pullRequests;
    const end = (): void => {
      if (!this.#broken.has(name)) this.#whole.add(name);
    };
    if (!pageInfo.hasNextPage) return end();
    const have = [...this.#answers.values()].filter(
      ({ repository }) => repository.nameWithOwner.toLowerCase() === name,
    ).length;
    const left = Math.min(totalCount, MOST_PULLS) - have;
    if (left <= 0 || typeof pageInfo.endCursor !== 'string') {
      if (have < totalCount)
        this.#warnings.add(`of ${totalCount} pull requests of ${nameWithOwner} the ${have} newest are shown`);
      return end();
    }
    this.#further.push({ id, name, after: pageInfo.endCursor, first: Math.min(MOST_PER_PAGE, left) });
  }

  /** @returns its id, `null` when it is missing or refused. */
  #takePull(node: unknown): string | null {
    const pull = readPull(node);
    if (pull === null) return null;
    if (pull.repository.isArchived !== true) this.#answers.set(pull.id, pull);
    return pull.id;
  }

  #note(id: string, title: string): void {
    const titles = this.#foundBy.get(id) ?? new Set();
    this.#foundBy.set(id, titles.add(title));
  }

  #gap(error: unknown): void {
    this.#hasGaps = true;
    const reason = error instanceof Error ? error.message : String(error);
    this.#warnings.add(error instanceof GithubFailure ? error.what : reason);
  }

  #why({ errors }: GraphqlAnswer): 'missing-scopes' | 'bad-answer' {
    return errors.some(({ type }) => type === 'INSUFFICIENT_SCOPES') ? 'missing-scopes' : 'bad-answer';
  }
}

/** A page with some room for what is new. */
function pageFor(expected: number): number {
  return Math.min(MOST_PER_PAGE, Math.max(FEWEST_PER_PAGE, Math.ceil((expected + 5) / 10) * 10));
}

function shortened(warnings: readonly string[]): string[] {
  const more = warnings.length - MOST_WARNINGS;
  return more <= 0 ? [...warnings] : [...warnings.slice(0, MOST_WARNINGS), `and ${more} more of that kind`];
}

/** Going on would only make it worse. */
function isFinal(error: unknown): boolean {
  return error instanceof GithubFailure && ['aborted', 'rate-limited', 'not-logged-in'].includes(error.code);
}

function told({ errors }: GraphqlAnswer): string {
  return errors[0] === undefined ? '' : ` (${errors[0].message})`;
}
