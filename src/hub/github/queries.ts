/** GitHub takes at most this many of anything in one question. */
export const MOST_PER_PAGE = 100;
/** Open pull requests of a repository that come with the page of repositories; further ones are asked for by themselves. */
export const PULLS_PER_REPOSITORY = 10;

/** What only a token with the scope read:org may ask; without it GitHub refuses the whole question. */
const TEAM = '... on Team { combinedSlug }';

/** The same question for a token that may not read teams. */
export function withoutTeams(query: string): string {
  return query.replaceAll(TEAM, '');
}

/**
 * What is told of a pull request. Lists are in the order of their making, which no change turns over between two pages. The counts keep a page of 100 repositories with ten pull requests each far below GitHub's 500,000
 * nodes for one question.
 */
const PULL = `
fragment Pull on PullRequest {
  id number title url isDraft createdAt updatedAt headRefName baseRefName reviewDecision mergeable
  author { login }
  repository { nameWithOwner isArchived }
  headRepository { nameWithOwner }
  labels(first: 10) { nodes { name color } }
  reviewRequests(first: 10) { nodes { requestedReviewer { __typename ... on User { login } ${TEAM} ... on Mannequin { login } } } }
  latestReviews(first: 10) { nodes { author { login } state submittedAt } }
  totalCommentsCount
  commits(last: 1) { nodes { commit { statusCheckRollup { state contexts(first: 20) { nodes {
    __typename ... on CheckRun { name status conclusion } ... on StatusContext { context state }
  } } } } } }
}`;

const RATE = 'rateLimit { limit cost remaining resetAt }';

/** A page of the repositories that the user can reach, with their open pull requests. Variables: `first`, `after`. */
export const REPOSITORIES = `
query Repositories($first: Int!, $after: String) {
  ${RATE}
  viewer {
    login
    repositories(first: $first, after: $after, isArchived: false, orderBy: { field: CREATED_AT, direction: DESC },
      affiliations: [OWNER, COLLABORATOR, ORGANIZATION_MEMBER], ownerAffiliations: [OWNER, COLLABORATOR, ORGANIZATION_MEMBER]) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes { id nameWithOwner isArchived pullRequests(states: OPEN, first: ${PULLS_PER_REPOSITORY}, orderBy: { field: CREATED_AT, direction: DESC }) {
        totalCount pageInfo { hasNextPage endCursor } nodes { ...Pull }
      } }
    }
  }
}${PULL}`;

/** What is asked for by name, in one question. */
export interface NamedQuestion {
  readonly query: string;
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * Searches (answers `search0`, `search1` ...), repositories by name (`repository0` ...), and further pull requests of repositories
 * (`more0` ...), all in one question. Everything that is the user's travels as a variable.
 */
export function namedQuestion(asked: {
  readonly searches?: readonly string[];
  readonly repositories?: readonly { readonly owner: string; readonly name: string }[];
  readonly more?: readonly { readonly id: string; readonly after: string; readonly first: number }[];
}): NamedQuestion {
  const variables: Record<string, string> = {};
  const parts: string[] = [];
  const take = (name: string, value: string): string => {
    variables[name] = value;
    return `$${name}`;
  };
  for (const [at, text] of (asked.searches ?? []).entries())
    parts.push(
      `search${at}: search(type: ISSUE, first: ${MOST_PER_PAGE}, query: ${take(`q${at}`, text)}) { issueCount nodes { ...Pull } }`,
    );
  for (const [at, { owner, name }] of (asked.repositories ?? []).entries())
    parts.push(
      `repository${at}: repository(owner: ${take(`o${at}`, owner)}, name: ${take(`n${at}`, name)}) { id nameWithOwner isArchived pullRequests(states: OPEN, first: ${PULLS_PER_REPOSITORY}, orderBy: { field: CREATED_AT, direction: DESC }) { totalCount pageInfo { hasNextPage endCursor } nodes { ...Pull } } }`,
    );
  for (const [at, { id, after, first }] of (asked.more ?? []).entries())
    parts.push(
      `more${at}: node(id: ${take(`i${at}`, id)}) { ... on Repository { id nameWithOwner isArchived pullRequests(states: OPEN, first: ${first}, after: ${take(`a${at}`, after)}, orderBy: { field: CREATED_AT, direction: DESC }) { totalCount pageInfo { hasNextPage endCursor } nodes { ...Pull } } } }`,
    );
  const declared = Object.keys(variables).map((name) => `$${name}: ${name.startsWith('i') ? 'ID' : 'String'}!`);
  const head = declared.length === 0 ? 'query Named' : `query Named(${declared.join(', ')})`;
  return {
    query: `${head} { ${RATE} viewer { login } ${parts.join('\n')} }${parts.length === 0 ? '' : PULL}`,
    variables,
  };
}

/** One pull request with what the list does not have. Variables: `owner`, `name`, `number`. */
export const DETAIL = `
query Detail($owner: String!, $name: String!, $number: Int!) {
  viewer { login }
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      ...Pull
      state body additions deletions changedFiles
      comments(last: 20) { nodes { author { login } createdAt body } }
      all: commits(last: 1) { totalCount nodes { commit { statusCheckRollup { contexts(first: 100) { nodes {
        __typename ... on CheckRun { name status conclusion detailsUrl } ... on StatusContext { context state targetUrl }
      } } } } } }
    }
  }
}${PULL}`;
