import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { GhGround, type GhRun } from '../../fixtures/github/gh-ground.ts';
import { skipWhere } from '../../fixtures/ssh/availability.ts';

/** The body of an answer that gh printed. */
function bodyOf(run: GhRun): any {
  return JSON.parse(run.stdout);
}

/** What went wrong, as `type: message`; gh fails then. */
function errorsOf(run: GhRun): string[] {
  assert.equal(run.code, 1, run.stderr);
  return bodyOf(run).errors.map(({ type, message }: any) => `${type}: ${message}`);
}

describe('the fake GitHub, asked by the real gh', () => {
  let ground: GhGround;

  before(skipWhere(() => GhGround.whyUnavailable()));
  beforeEach(async () => {
    ground = await GhGround.open();
  });
  afterEach(async () => ground?.close());

  /** A repository of the viewer's with so many pull requests. */
  function withPulls(count: number): ReturnType<GhGround['github']['addRepository']> {
    const repository = ground.github.addRepository({ owner: 'thh3', name: 'one' });
    for (let number = 1; number <= count; number += 1) ground.github.addPull(repository);
    return repository;
  }

  describe('queries', () => {
    it('answers and keeps what was asked', async () => {
      const run = await ground.query('query Me($no: Boolean!) { viewer { login name @include(if: $no) } }', {
        no: false,
      });
      assert.deepEqual(run, { code: 0, stdout: '{"data":{"viewer":{"login":"thh3"}}}', stderr: '' });
      const [request] = ground.github.requests;
      assert.deepEqual(request?.variables, { no: false });
      assert.match(request?.query ?? '', /^query Me/);
    });

    it('sends the headers of GitHub', async () => {
      const { stdout } = await ground.gh(['api', 'graphql', '-i', '-f', 'query={ viewer { login } }']);
      assert.match(stdout, /^HTTP\/1.1 200 OK\r?\n/);
      assert.match(stdout, /^X-Oauth-Scopes: repo, read:org\r?$/m);
      assert.match(stdout, /^X-Ratelimit-Remaining: 4999\r?$/m);
      assert.match(stdout, /^X-Ratelimit-Reset: \d{10}\r?$/m);
    });

    it('satisfies gh auth status', async () => {
      const run = await ground.gh(['auth', 'status']);
      assert.equal(run.code, 0, run.stderr);
      assert.match(run.stdout + run.stderr, /Logged in to github\.com as thh3/);
    });

    it('shows a pull request with all that hangs on it', async () => {
      const repository = ground.github.addRepository({
        owner: 'acme',
        name: 'app',
        affiliation: 'ORGANIZATION_MEMBER',
      });
      ground.github.addPull(repository, {
        author: null,
        labels: ['bug'],
        requested: ['thh3', 'acme/reviewers', 'dependabot[bot]', null],
        reviews: [
          { author: 'ann', state: 'CHANGES_REQUESTED', submittedAt: '2026-02-01T00:00:00Z' },
          { author: 'ann', state: 'APPROVED', submittedAt: '2026-02-02T00:00:00Z' },
          { author: 'thh3', state: 'COMMENTED', submittedAt: '2026-02-03T00:00:00Z' },
        ],
        checks: [
          { name: 'test', conclusion: null, status: 'IN_PROGRESS' },
          { context: 'ci/old', state: 'SUCCESS' },
        ],
        comments: [{ author: 'ann', body: 'Hm.', createdAt: '2026-02-01T00:00:00Z' }],
        commits: 3,
      });
      const run = await ground.query(`{ repository(owner: "ACME", name: "App") { pullRequest(number: 1) {
        author { login } labels(first: 5) { nodes { name color } } totalCommentsCount comments { totalCount }
        reviewRequests(first: 10) { nodes { requestedReviewer {
          __typename ... on User { login } ... on Team { combinedSlug } ... on Bot { login } } } }
        latestReviews(first: 10) { nodes { author { login } state } }
        viewerLatestReviewRequest { requestedReviewer { ... on User { login } } }
        commits(last: 1) { totalCount nodes { commit { statusCheckRollup { state contexts(first: 10) { totalCount nodes {
          __typename ... on CheckRun { name conclusion status } ... on StatusContext { context state } } } } } } } } } }`);
      assert.equal(run.code, 0, run.stdout + run.stderr);
      assert.deepEqual(bodyOf(run).data.repository.pullRequest, {
        author: null,
        labels: { nodes: [{ name: 'bug', color: 'ededed' }] },
        totalCommentsCount: 1,
        comments: { totalCount: 1 },
        reviewRequests: {
          nodes: [
            { requestedReviewer: { __typename: 'User', login: 'thh3' } },
            { requestedReviewer: { __typename: 'Team', combinedSlug: 'acme/reviewers' } },
            { requestedReviewer: { __typename: 'Bot', login: 'dependabot' } },
            { requestedReviewer: null },
          ],
        },
        // The viewer is asked again, so that what he said before does not count.
        latestReviews: { nodes: [{ author: { login: 'ann' }, state: 'APPROVED' }] },
        viewerLatestReviewRequest: { requestedReviewer: { login: 'thh3' } },
        commits: {
          totalCount: 3,
          nodes: [
            {
              commit: {
                statusCheckRollup: {
                  state: 'PENDING',
                  contexts: {
                    totalCount: 2,
                    nodes: [
                      { __typename: 'CheckRun', name: 'test', conclusion: null, status: 'IN_PROGRESS' },
                      { __typename: 'StatusContext', context: 'ci/old', state: 'SUCCESS' },
                    ],
                  },
                },
              },
            },
          ],
        },
      });
    });

    it('finds nodes by their id, and says which are gone', async () => {
      const repository = withPulls(1);
      const ids = [repository.id, 'gone', repository.pulls[0]!.id];
      const run = await ground.query(
        'query($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on PullRequest { number } } }',
        { ids },
      );
      assert.deepEqual(errorsOf(run), ["NOT_FOUND: Could not resolve to a node with the global id of 'gone'"]);
      const { data, errors } = bodyOf(run);
      assert.deepEqual(data.nodes, [{ __typename: 'Repository' }, null, { __typename: 'PullRequest', number: 1 }]);
      assert.deepEqual(errors[0].path, ['nodes', 1]);
    });

    it('leaves the organizations out unless both affiliations name them', async () => {
      const { github } = ground;
      github.addRepository({ owner: 'thh3', name: 'mine' });
      github.addRepository({ owner: 'acme', name: 'app', affiliation: 'ORGANIZATION_MEMBER' });
      github.addRepository({ owner: 'else', name: 'public', affiliation: null });
      github.addRepository({ owner: 'thh3', name: 'old', isArchived: true });
      const names = async (args: string): Promise<string[]> => {
        const run = await ground.query(`{ viewer { repositories(first: 9, ${args}) { nodes { nameWithOwner } } } }`);
        return bodyOf(run).data.viewer.repositories.nodes.map((one: any) => one.nameWithOwner);
      };
      const all = '[OWNER, COLLABORATOR, ORGANIZATION_MEMBER]';
      assert.deepEqual(await names(`affiliations: ${all}`), ['thh3/mine', 'thh3/old']);
      assert.deepEqual(await names(`affiliations: ${all}, ownerAffiliations: ${all}, isArchived: false`), [
        'thh3/mine',
        'acme/app',
      ]);
    });
  });

  describe('what GitHub refuses', () => {
    it('has no field and no argument that GitHub has not', async () => {
      const field = await ground.query('{ viewer { nope } }');
      assert.deepEqual(errorsOf(field), ["undefined: Field 'nope' doesn't exist on type 'User'"]);
      assert.match(field.stderr, /^gh: Field 'nope' doesn't exist on type 'User'/);
      assert.deepEqual(errorsOf(await ground.query('{ viewer { login(x: 1) } }')), [
        "undefined: Field 'login' doesn't accept argument 'x'",
      ]);
      const unknownValue = await ground.query(
        '{ viewer { repositories(first: 1, affiliations: [NOBODY]) { totalCount } } }',
      );
      assert.equal(unknownValue.code, 1);
      assert.equal(ground.github.rateLimit.used, 0);
    });

    it('is loud about what GitHub has and the fake has not', async () => {
      withPulls(1);
      const field = await ground.query('{ viewer { bio } }');
      assert.match(field.stderr, /has no User\.bio\. \(HTTP 501\)/);
      const argument = await ground.query('{ viewer { repositories(first: 1, isLocked: true) { totalCount } } }');
      assert.match(argument.stderr, /has no User\.repositories\(isLocked:\)\. \(HTTP 501\)/);
      const word = await ground.query('{ search(query: "is:queued", type: ISSUE, first: 1) { issueCount } }');
      assert.match(word.stderr, /has no search: is:queued\. \(HTTP 501\)/);
    });

    it('takes nothing but JSON', async () => {
      const run = await ground.gh(['api', 'graphql', '--input', '-'], { input: 'nonsense' });
      assert.match(run.stderr, /Problems parsing JSON \(HTTP 400\)/);
    });

    it('has no repository of that name', async () => {
      const run = await ground.query('{ a: repository(owner: "x", name: "y") { id } viewer { login } }');
      assert.deepEqual(errorsOf(run), ["NOT_FOUND: Could not resolve to a Repository with the name 'x/y'."]);
      assert.deepEqual(bodyOf(run).errors[0].path, ['a']);
      assert.deepEqual(bodyOf(run).data, { a: null, viewer: { login: 'thh3' } });
    });

    it('wants to know how large a page is to be', async () => {
      withPulls(3);
      const none = await ground.query('{ viewer { repositories { nodes { id } } } }');
      assert.deepEqual(errorsOf(none), [
        'MISSING_PAGINATION_BOUNDARIES: You must provide a `first` or `last` value to properly paginate the `repositories` connection.',
      ]);
      const many = await ground.query('{ viewer { repositories(first: 250) { nodes { id } } } }');
      assert.deepEqual(errorsOf(many), [
        'EXCESSIVE_PAGINATION: Requesting 250 records on the `repositories` connection exceeds the `first` limit of 100 records.',
      ]);
      assert.deepEqual(bodyOf(many).errors[0].path, ['viewer', 'repositories']);
      assert.equal((await ground.query('{ viewer { repositories(first: 0) { nodes { id } } } }')).code, 1);
      // A mere count needs no page.
      const count = await ground.query('{ viewer { pullRequests { totalCount } } }');
      assert.equal(bodyOf(count).data.viewer.pullRequests.totalCount, 3);
    });

    it('knows no cursor that it has not made', async () => {
      const [error] = errorsOf(
        await ground.query('{ viewer { repositories(first: 1, after: "x") { nodes { id } } } }'),
      );
      assert.equal(error, 'INVALID_CURSOR_ARGUMENTS: `x` does not appear to be a valid cursor.');
    });

    it('brings no more than half a million nodes', async () => {
      const nested = (
        inner: number,
      ): string => `{ viewer { repositories(first: 100) { nodes { pullRequests(first: 100) {
        nodes { ...Labels } } } } } } fragment Labels on PullRequest { labels(first: ${inner}) { nodes { name } } }`;
      assert.deepEqual(errorsOf(await ground.query(nested(50))), [
        'MAX_NODE_LIMIT_EXCEEDED: This query requests up to 510,100 possible nodes which exceeds the maximum limit of 500,000.',
      ]);
      assert.equal((await ground.query(nested(48))).code, 0);
    });

    it('counts what a query costs', async () => {
      const run = await ground.query(`query($n: Int = 50) { viewer { repositories(first: 100) { nodes {
        pullRequests(first: $n) { nodes { labels(first: 60) { nodes { id } } } } } } }
        rateLimit { limit cost remaining used nodeCount resetAt } }`);
      const { resetAt, ...rateLimit } = bodyOf(run).data.rateLimit;
      // The example of GitHub's documentation.
      assert.deepEqual(rateLimit, { limit: 5000, cost: 51, remaining: 4949, used: 51, nodeCount: 305_100 });
      assert.match(resetAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    });

    it('answers no more when the hour is used up', async () => {
      ground.github.rateLimit.used = 4_999;
      assert.equal((await ground.query('{ viewer { login } }')).code, 0);
      assert.deepEqual(errorsOf(await ground.query('{ viewer { login } }')), [
        'RATE_LIMITED: API rate limit exceeded for user ID 1.',
      ]);
      ground.github.rateLimit.resetAt = 0;
      assert.equal((await ground.query('{ viewer { login } }')).code, 0);
    });
  });

  describe('paging', () => {
    const PAGE = `query($after: String) { viewer { repositories(first: 100, after: $after, orderBy: {field: NAME, direction: DESC}) {
      totalCount pageInfo { hasNextPage endCursor } nodes { name } } } }`;

    it('goes over 250 repositories', async () => {
      for (let number = 0; number < 250; number += 1)
        ground.github.addRepository({ owner: 'thh3', name: `r${String(number).padStart(3, '0')}` });
      const names: string[] = [];
      const sizes: number[] = [];
      let after: string | null = null;
      do {
        const { repositories }: any = bodyOf(await ground.query(PAGE, { after })).data.viewer;
        assert.equal(repositories.totalCount, 250);
        sizes.push(repositories.nodes.length);
        names.push(...repositories.nodes.map(({ name }: any) => name));
        after = repositories.pageInfo.hasNextPage ? repositories.pageInfo.endCursor : null;
      } while (after !== null);
      assert.deepEqual(sizes, [100, 100, 50]);
      assert.deepEqual(names, names.toSorted().reverse());
      assert.equal(new Set(names).size, 250);
    });

    it('loses what moves between two pages, as GitHub does', async () => {
      const repository = withPulls(4);
      const page = async (after: string | null): Promise<any> => {
        const run = await ground.query(
          `query($after: String) { repository(owner: "thh3", name: "one") {
            pullRequests(first: 2, after: $after, orderBy: {field: UPDATED_AT, direction: DESC}) {
            pageInfo { hasNextPage endCursor } nodes { number } } } }`,
          { after },
        );
        return bodyOf(run).data.repository.pullRequests;
      };
      const first = await page(null);
      assert.deepEqual(first.nodes, [{ number: 4 }, { number: 3 }]);
      repository.pulls[1]!.updatedAt = '2027-01-01T00:00:00Z';
      const second = await page(first.pageInfo.endCursor);
      assert.deepEqual(second, {
        pageInfo: { hasNextPage: false, endCursor: second.pageInfo.endCursor },
        nodes: [{ number: 1 }],
      });
    });

    it('goes on to the end also with last and before', async () => {
      withPulls(3);
      const page = async (args: string): Promise<any> => {
        const run = await ground.query(`{ repository(owner: "thh3", name: "one") { pullRequests(${args}) {
          pageInfo { hasPreviousPage startCursor } edges { node { number } } } } }`);
        return bodyOf(run).data.repository.pullRequests;
      };
      const end = await page('last: 2');
      assert.deepEqual(end.edges, [{ node: { number: 2 } }, { node: { number: 3 } }]);
      const begin = await page(`last: 2, before: "${end.pageInfo.startCursor}"`);
      assert.deepEqual(begin.edges, [{ node: { number: 1 } }]);
      assert.equal(begin.pageInfo.hasPreviousPage, false);
    });
  });

  describe('search', () => {
    /** For each search the titles that match, the oldest first. All of them in one request: gh takes its time to start. */
    async function titles(queries: readonly string[]): Promise<string[]> {
      const fields = queries.map(
        (query, index) =>
          `s${index}: search(query: ${JSON.stringify(`${query} sort:created-asc`)}, type: ISSUE, first: 100) {
            issueCount nodes { ... on PullRequest { title } } }`,
      );
      const run = await ground.query(`{ ${fields.join('\n')} }`);
      assert.equal(run.code, 0, run.stderr);
      return Object.values<any>(bodyOf(run).data).map(({ issueCount, nodes }) => {
        assert.equal(issueCount, nodes.length);
        return nodes.map(({ title }: any) => title).join(' ');
      });
    }

    it('understands the qualifiers', async () => {
      const { github } = ground;
      const mine = github.addRepository({ owner: 'thh3', name: 'mine' });
      const app = github.addRepository({ owner: 'acme', name: 'app', affiliation: 'ORGANIZATION_MEMBER' });
      const old = github.addRepository({ owner: 'acme', name: 'old', isArchived: true });
      const comment = { author: 'thh3', body: 'Nice', createdAt: '2026-02-01T00:00:00Z' };
      github.addPull(mine, { title: 'a' });
      github.addPull(mine, { title: 'b', author: 'dependabot[bot]', isDraft: true, labels: ['good first issue'] });
      github.addPull(app, { title: 'c', author: 'ann', requested: ['thh3'], labels: ['bug'] });
      github.addPull(app, { title: 'd', author: 'ann', requested: ['acme/reviewers'], comments: [comment] });
      github.addPull(app, { title: 'e', author: 'ann', requested: ['acme/others'], body: 'What says @thh3?' });
      github.addPull(app, { title: 'f', author: 'thh3', state: 'MERGED', updatedAt: '2026-03-01T12:00:00Z' });
      github.addPull(old, { title: 'g', author: 'thh3' });
      const expected: Record<string, string> = {
        '': 'a b c d e f g',
        'is:pr is:open archived:false': 'a b c d e',
        'is:pr is:closed': 'f',
        'is:issue': '',
        'author:@me archived:false': 'a f',
        'author:ANN': 'c d e',
        'author:app/dependabot': 'b',
        'review-requested:@me': 'c d',
        'review-requested:thh3 is:open': 'c d',
        'user-review-requested:@me': 'c',
        'team-review-requested:acme/others': 'e',
        'involves:@me': 'a d e f g',
        'repo:thh3/mine': 'a b',
        'repo:thh3/mine repo:acme/old': 'a b g',
        'org:acme is:open': 'c d e g',
        'user:thh3': 'a b',
        'label:bug': 'c',
        'label:"good first issue",bug': 'b c',
        'label:"good first issue"': 'b',
        'draft:true': 'b',
        'draft:false -author:thh3': 'c d e',
        '-org:acme': 'a b',
        'updated:>=2026-03-01': 'f',
        'updated:<2026-03-01 is:merged': '',
        'updated:2026-02-01..2026-03-01': 'f',
        'C is:open': 'c',
      };
      const queries = Object.keys(expected);
      const found = await titles(queries);
      assert.deepEqual(Object.fromEntries(queries.map((query, index) => [query, found[index]])), expected);
    });

    it('hands out a thousand results of more', async () => {
      withPulls(1_003);
      const run = await ground.query(
        `query($after: String) { search(query: "is:pr", type: ISSUE, first: 100, after: $after) {
          issueCount pageInfo { hasNextPage endCursor } nodes { ... on PullRequest { number } } } }`,
        { after: Buffer.from('cursor:[899,0]').toString('base64') },
      );
      const { issueCount, pageInfo, nodes } = bodyOf(run).data.search;
      assert.equal(issueCount, 1_003);
      assert.equal(pageInfo.hasNextPage, false);
      assert.deepEqual([nodes.length, nodes[0].number, nodes[99].number], [100, 103, 4]);
    });
  });

  describe('rights', () => {
    it('asks nothing when it is logged out', async () => {
      await ground.logOut();
      assert.equal((await ground.query('{ viewer { login } }')).code, 4);
      assert.equal(ground.github.requests.length, 0);
      await ground.logIn();
      assert.equal((await ground.query('{ viewer { login } }')).code, 0);
    });

    it('does not let in a token that was withdrawn', async () => {
      ground.github.tokens.delete('gho_x');
      const run = await ground.query('{ viewer { login } }');
      assert.equal(run.code, 1);
      assert.match(run.stderr, /Bad credentials \(HTTP 401\)/);
      assert.notEqual((await ground.gh(['auth', 'status'])).code, 0);
      ground.github.tokens.add('gho_new');
      await ground.logIn('gho_new');
      assert.equal((await ground.query('{ viewer { login } }')).code, 0);
    });

    it('keeps what an organization protects, and answers the rest', async () => {
      const { github } = ground;
      github.addPull(github.addRepository({ owner: 'thh3', name: 'mine' }), { title: 'mine' });
      github.addPull(github.addRepository({ owner: 'acme', name: 'app' }), { title: 'theirs' });
      github.forbidden.add('acme/app');
      const run = await ground.query(`{ viewer { repositories(first: 5) { nodes { name } } }
        search(query: "is:pr", type: ISSUE, first: 5) { nodes { ... on PullRequest { title } } }
        repository(owner: "acme", name: "app") { id } }`);
      const { data, errors } = bodyOf(run);
      assert.equal(run.code, 1);
      assert.deepEqual(data, {
        viewer: { repositories: { nodes: [{ name: 'mine' }, null] } },
        search: { nodes: [null, { title: 'mine' }] },
        repository: null,
      });
      assert.deepEqual(errors.map(({ path }: any) => path.join('.')).sort(), [
        'repository',
        'search.nodes.0',
        'viewer.repositories.nodes.1',
      ]);
      for (const { type, message } of errors) assert.match(`${type}: ${message}`, /^FORBIDDEN: Resource protected by/);
    });

    it('refuses a whole query for a team that the token must not see', async () => {
      ground.github.scopes = ['repo'];
      const QUERY = `{ viewer { login } repository(owner: "thh3", name: "one") { pullRequest(number: 1) {
        reviewRequests(first: 1) { nodes { requestedReviewer { __typename ... on Team { __typename FIELD } } } } } } }`;
      // Nobody is asked for a review here: it is the query that is refused, not the team.
      withPulls(1);
      const refused = await ground.query(QUERY.replace('FIELD', 'combinedSlug'));
      assert.deepEqual(errorsOf(refused), [
        'INSUFFICIENT_SCOPES: Your token has not been granted the required scopes to execute this query. The ' +
          "'combinedSlug' field requires one of the following scopes: ['read:org', 'read:discussion'], but your token has only " +
          "been granted the: ['repo'] scopes. Please modify your token's scopes at: https://github.com/settings/tokens.",
      ]);
      assert.equal(bodyOf(refused).data ?? null, null);
      assert.equal((await ground.query(QUERY.replace('FIELD', ''))).code, 0);
      ground.github.scopes = null;
      assert.equal((await ground.query(QUERY.replace('FIELD', 'combinedSlug'))).code, 0);
    });
  });

  describe('faults', () => {
    const ME = '{ viewer { login } }';

    it('answers with a status', async () => {
      ground.github.fault = { kind: 'status', status: 500, headers: { 'X-Why': 'test' }, body: '{"message":"Oh no"}' };
      const run = await ground.gh(['api', 'graphql', '-i', '-f', `query=${ME}`]);
      assert.equal(run.code, 1);
      assert.match(run.stdout, /^HTTP\/1.1 500 [\s\S]*X-Why: test/);
      assert.match(run.stderr, /Oh no \(HTTP 500\)/);
    });

    it('never answers, until gh is killed', async () => {
      ground.github.fault = { kind: 'stall' };
      const killer = new AbortController();
      const arrived = ground.github.nextRequest();
      const run = ground.query(ME, {}, killer.signal);
      assert.equal((await arrived).query, ME);
      killer.abort();
      assert.equal((await run).code, null);
    });

    it('can be closed while gh still waits', async () => {
      ground.github.fault = { kind: 'stall' };
      const arrived = ground.github.nextRequest();
      const run = ground.query(ME);
      await arrived;
      const { socketPath } = ground.github;
      await ground.close();
      assert.equal((await run).code, 1);
      assert.equal(existsSync(socketPath), false);
    });

    it('drops the connection', async () => {
      ground.github.fault = { kind: 'reset' };
      const run = await ground.query(ME);
      assert.deepEqual([run.code, run.stdout], [1, '']);
      assert.notEqual(run.stderr, '');
    });

    it('breaks off in the middle of the JSON', async () => {
      ground.github.fault = { kind: 'malformed' };
      const { code, stdout } = await ground.query(ME);
      assert.notEqual(code, 0);
      assert.throws(() => JSON.parse(stdout), SyntaxError);
    });

    it('sends a page instead of JSON', async () => {
      ground.github.fault = { kind: 'html', status: 502 };
      const run = await ground.query(ME);
      assert.equal(run.code, 1);
      assert.match(run.stdout, /^<!DOCTYPE html>/);
      assert.match(run.stderr, /HTTP 502/);
    });

    it('sends far too much', async () => {
      const bytes = 5_000_000;
      ground.github.fault = { kind: 'huge', bytes };
      const { code, stdout } = await ground.query(ME);
      assert.equal(code, 0);
      assert.equal(stdout.length, bytes);
      assert.deepEqual(JSON.parse(stdout).data, { viewer: { login: 'thh3' } });
    });

    it('has a second limit', async () => {
      ground.github.fault = { kind: 'secondary', retryAfterSeconds: 60 };
      const run = await ground.gh(['api', 'graphql', '-i', '-f', `query=${ME}`]);
      assert.equal(run.code, 1);
      assert.match(run.stdout, /^HTTP\/1.1 403 [\s\S]*Retry-After: 60\r?\n/);
      assert.match(run.stderr, /You have exceeded a secondary rate limit/);
    });

    it('has used up the hour', async () => {
      ground.github.fault = { kind: 'rate-limited' };
      const run = await ground.gh(['api', 'graphql', '-i', '-f', `query=${ME}`]);
      assert.equal(run.code, 1);
      assert.match(run.stdout, /^HTTP\/1.1 200 [\s\S]*X-Ratelimit-Remaining: 0\r?\n/);
      assert.match(run.stdout, /"type":"RATE_LIMITED"/);
    });

    it('ends by itself after so many requests, and meets only those it is meant for', async () => {
      ground.github.fault = {
        kind: 'html',
        status: 502,
        times: 2,
        when: (request) => request?.query.includes('login') === true,
      };
      const codes: (number | null)[] = [];
      for (const query of [ME, '{ viewer { id } }', ME, ME]) codes.push((await ground.query(query)).code);
      assert.deepEqual(codes, [1, 0, 1, 0]);
      assert.equal(ground.github.fault, null);
    });

    it('is gone from the net, and back', async () => {
      await ground.github.disconnect();
      const run = await ground.query(ME);
      assert.deepEqual([run.code, run.stdout], [1, '']);
      await ground.github.reconnect();
      assert.equal((await ground.query(ME)).code, 0);
    });
  });
});
