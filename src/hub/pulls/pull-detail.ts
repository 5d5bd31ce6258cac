import type { PullsDetailResult } from '../../protocol/pulls.ts';
import { HubError } from '../../protocol/errors.ts';
import { checkName, checkState, readDetail } from '../github/answers.ts';
import type { Gh } from '../github/gh.ts';
import { GithubFailure } from '../github/github-failure.ts';
import { DETAIL } from '../github/queries.ts';

const BODY_LENGTH = 64 * 1024;
const COMMENT_LENGTH = 4 * 1024;

/**
 * Asks GitHub for one pull request.
 * @throws {HubError} `not-found`, or `unreachable` when GitHub cannot be asked.
 */
export async function pullDetail(
  gh: Gh,
  { repository, number }: { readonly repository: string; readonly number: number },
  signal: AbortSignal,
): Promise<Omit<PullsDetailResult, 'pull'>> {
  const [owner = '', name = '', more] = repository.split('/');
  if (owner === '' || name === '' || more !== undefined)
    throw new HubError('not-found', `${repository} is no repository.`, { next: 'Write it as owner/name.' });
  try {
    const { data } = await gh.graphql(DETAIL, { owner, name, number }, signal);
    const found = readDetail((data['repository'] as { pullRequest?: unknown } | null)?.pullRequest);
    if (found === null) throw notFound(repository, number);
    return {
      body: (found.body ?? '').slice(0, BODY_LENGTH),
      additions: found.additions,
      deletions: found.deletions,
      changedFiles: found.changedFiles,
      commits: found.all.totalCount,
      checks: found.checks.map((check) => ({
        name: checkName(check),
        state: checkState(check),
        url: (check.__typename === 'CheckRun' ? check.detailsUrl : check.targetUrl) ?? null,
      })),
      comments: found.comments.map(({ author, createdAt, body }) => ({
        author: author?.login ?? 'ghost',
        at: createdAt,
        body: body.slice(0, COMMENT_LENGTH),
      })),
    };
  } catch (error) {
    if (!(error instanceof GithubFailure)) throw error;
    throw new HubError('unreachable', `${error.message}.`, { next: error.next, cause: error });
  }
}

function notFound(repository: string, number: number): HubError {
  return new HubError('not-found', `There is no pull request ${repository}#${number}, or you may not see it.`, {
    next: 'claude-sync prs lists the open ones.',
  });
}
