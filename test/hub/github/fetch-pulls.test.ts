import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../src/hub/ports/system.ts';
import { fetchPulls, type FetchRequest } from '../../../src/hub/github/fetch-pulls.ts';
import { Gh } from '../../../src/hub/github/gh.ts';
import { GithubFailure, type GithubTrouble } from '../../../src/hub/github/github-failure.ts';
import { skipWhere } from '../../fixtures/ssh/availability.ts';
import { GhGround } from '../../fixtures/github/gh-ground.ts';

const REQUEST: FetchRequest = {
  queries: { Mine: 'author:@me', Review: 'review-requested:@me' },
  projects: [],
  isWanted: () => true,
};

describe('the pull requests of everything that the user can reach', function () {
  this.timeout(60_000);
  let ground: GhGround;
  let gh: Gh;

  before(skipWhere(() => GhGround.whyUnavailable()));
  beforeEach(async () => {
    ground = await GhGround.open();
    gh = new Gh({ clock: systemClock, env: ground.env });
  });
  afterEach(async () => ground?.close());

  const fetch = (more: Partial<FetchRequest> = {}): ReturnType<typeof fetchPulls> =>
    fetchPulls(gh, { ...REQUEST, ...more });

  it('250 repositories with 600 of them take five questions at most', async () => {
    const { github } = ground;
    for (let number = 0; number < 250; number += 1) {
      const affiliation = (['OWNER', 'COLLABORATOR', 'ORGANIZATION_MEMBER'] as const)[number % 3]!;
      const repository = github.addRepository({ owner: `owner${number % 7}`, name: `r${number}`, affiliation });
      // Some have more than come with their page.
      const count = number < 10 ? 24 : number < 190 ? 2 : 0;
      for (let at = 0; at < count; at += 1) github.addPull(repository, { author: at % 5 === 0 ? 'thh3' : 'jo' });
    }
    assert.equal(github.pullRequests.length, 600);
    const { pulls, repositories, whole, hasGaps, warnings, requests, rate } = await fetch();
    assert.deepEqual(
      pulls.map(({ repository, number }) => `${repository}#${number}`).sort(),
      github.pullRequests.map(({ repository: { owner, name }, number }) => `${owner}/${name}#${number}`).sort(),
    );
    assert.deepEqual(
      { repositories, hasGaps, warnings, whole: whole.size },
      { repositories: 250, hasGaps: false, warnings: [], whole: 250 },
    );
    assert.ok(requests <= 5 && github.requests.length === requests, `${requests} questions`);
    assert.ok(rate !== null && rate.cost > 0 && rate.limit === 5_000 && rate.remaining === 5_000 - rate.cost);
  });

  it('cost less where there is less to be expected, and are all there when there is more', async () => {
    for (let number = 0; number < 30; number += 1)
      ground.github.addPull(ground.github.addRepository({ owner: 'acme', name: `r${number}` }));
    const [usual, small] = [await fetch(), await fetch({ expected: 12 })];
    assert.equal(small.pulls.length, 30);
    assert.ok(small.rate!.cost < usual.rate!.cost / 1.5, `${small.rate!.cost} points instead of ${usual.rate!.cost}`);
  });

  it('are told with everything that the list shows', async () => {
    const { github } = ground;
    const repository = github.addRepository({ owner: 'acme', name: 'app', affiliation: 'ORGANIZATION_MEMBER' });
    github.addPull(repository, {
      title: 'Teach it',
      author: 'thh3',
      isDraft: true,
      createdAt: '2026-03-01T08:00:00Z',
      updatedAt: '2026-03-02T08:00:00Z',
      headRefName: 'teach',
      baseRefName: 'main',
      labels: [{ name: 'bug', color: 'd73a4a' }],
      reviewDecision: 'CHANGES_REQUESTED',
      requested: ['bob', 'acme/core'],
      reviews: [
        { author: 'alice', state: 'CHANGES_REQUESTED', submittedAt: '2026-03-01T09:00:00Z' },
        { author: null, state: 'APPROVED', submittedAt: null },
      ],
      mergeable: 'CONFLICTING',
      checks: [
        { name: 'build', status: 'COMPLETED', conclusion: 'SUCCESS' },
        { name: 'test', status: 'COMPLETED', conclusion: 'TIMED_OUT' },
        { name: 'docs', status: 'COMPLETED', conclusion: 'SKIPPED' },
        { context: 'ci/old', state: 'ERROR' },
      ],
      comments: [{ author: 'bob', body: 'Hm.', createdAt: '2026-03-01T10:00:00Z' }],
    });
    const [pull] = (await fetch()).pulls;
    assert.ok(pull !== undefined);
    const { id, url, number, comments, ...told } = pull;
    assert.ok(id !== '' && url.startsWith('https://github.com/acme/app/pull/') && number > 0 && comments >= 1);
    assert.deepEqual(told, {
      repository: 'acme/app',
      title: 'Teach it',
      author: 'thh3',
      isMine: true,
      isDraft: true,
      createdAt: Date.parse('2026-03-01T08:00:00Z'),
      updatedAt: Date.parse('2026-03-02T08:00:00Z'),
      branch: 'teach',
      headRepository: 'acme/app',
      baseBranch: 'main',
      labels: [{ name: 'bug', color: 'd73a4a' }],
      reviewDecision: 'changes-requested',
      requestedReviewers: ['bob', 'acme/core'],
      isMyTurn: false,
      reviews: [
        { author: 'alice', state: 'changes-requested', at: Date.parse('2026-03-01T09:00:00Z') },
        { author: 'ghost', state: 'approved', at: null },
      ],
      mergeable: 'conflicting',
      checks: { state: 'failed', failing: ['test', 'ci/old'] },
      queries: ['Mine'],
    });
  });

  it('are mine to review when I am asked, or my team is, also in repositories of strangers', async () => {
    const { github } = ground;
    const own = github.addRepository({ owner: 'thh3', name: 'own' });
    const foreign = github.addRepository({ owner: 'stranger', name: 'lib', affiliation: null });
    github.addPull(own, { title: 'me', author: 'jo', requested: ['thh3'] });
    github.addPull(own, { title: 'somebody else', author: 'jo', requested: ['bob'] });
    github.addPull(foreign, { title: 'my team', author: 'jo', requested: ['acme/reviewers'] });
    github.addPull(foreign, { title: 'mine', author: 'thh3' });
    github.addPull(foreign, { title: 'nothing of mine', author: 'jo' });
    const { pulls } = await fetch();
    assert.deepEqual(pulls.map(({ title, isMyTurn, isMine, queries }) => [title, isMyTurn, isMine, queries]).sort(), [
      ['me', true, false, ['Review']],
      ['mine', false, true, ['Mine']],
      ['my team', true, false, ['Review']],
      ['somebody else', false, false, []],
    ]);
  });

  it('of projects are among them, of archived and unwanted repositories are not', async () => {
    const { github } = ground;
    const add = (owner: string, name: string, more: object = {}): void => {
      const repository = github.addRepository({ owner, name, affiliation: null, ...more });
      github.addPull(repository, { title: `${owner}/${name}`, author: 'jo' });
    };
    add('a', 'project');
    add('a', 'unwanted', { affiliation: 'OWNER' });
    add('a', 'archived', { affiliation: 'OWNER', isArchived: true });
    add('b', 'archived', { isArchived: true });
    const { pulls, warnings, hasGaps } = await fetch({
      projects: ['A/Project', 'b/archived', 'gone/away', 'a/unwanted'],
      isWanted: (name) => !name.endsWith('unwanted'),
    });
    assert.deepEqual(
      pulls.map(({ title }) => title),
      ['a/project'],
    );
    assert.deepEqual({ warnings, hasGaps }, { warnings: [], hasGaps: false });
  });

  it('are as many as can be had when one repository is forbidden', async () => {
    const { github } = ground;
    for (const name of ['one', 'two', 'three'])
      github.addPull(github.addRepository({ owner: 'acme', name, affiliation: 'ORGANIZATION_MEMBER' }), {
        title: name,
      });
    github.forbidden.add('acme/two');
    const { pulls, hasGaps, whole, warnings } = await fetch();
    assert.deepEqual(pulls.map(({ title }) => title).sort(), ['one', 'three']);
    assert.ok(hasGaps && !whole.has('acme/two'));
    assert.match(warnings.join(), /SAML/);
  });

  it('are asked for less at a time when GitHub gives up', async () => {
    const { github } = ground;
    for (let number = 0; number < 120; number += 1)
      github.addPull(github.addRepository({ owner: 'acme', name: `r${number}` }), { title: `${number}` });
    github.fault = { kind: 'status', status: 502, when: (request) => request?.variables['first'] === 100 };
    const { pulls, hasGaps } = await fetch();
    assert.equal(pulls.length, 120);
    assert.equal(hasGaps, false);
  });

  it('keep what came before GitHub went away in the middle', async () => {
    const { github } = ground;
    for (let number = 0; number < 120; number += 1)
      github.addPull(github.addRepository({ owner: 'acme', name: `r${number}` }), { title: `${number}` });
    github.fault = { kind: 'reset', when: (request) => typeof request?.variables['after'] === 'string' };
    const { pulls, hasGaps, warnings } = await fetch({ queries: {} });
    assert.equal(pulls.length, 100);
    assert.ok(hasGaps);
    assert.match(warnings.join(), /cannot be reached/);
  });

  it('say when a search was not answered', async () => {
    ground.github.addPull(ground.github.addRepository({ owner: 'acme', name: 'app' }));
    const isSearch = (query: string | undefined): boolean => query?.includes('search0') === true;
    ground.github.fault = { kind: 'status', status: 502, when: (request) => isSearch(request?.query) };
    const { searched, pulls, hasGaps } = await fetch();
    assert.deepEqual([searched, pulls.length, hasGaps], [{ asked: false, all: false }, 1, true]);
    ground.github.fault = null;
    assert.deepEqual((await fetch()).searched, { asked: true, all: true });
  });

  it('of a repository are not all known when one was refused on an earlier page', async () => {
    const repository = ground.github.addRepository({ owner: 'acme', name: 'app' });
    for (let number = 0; number < 12; number += 1) ground.github.addPull(repository);
    // One of the first page comes as GitHub sends what it refuses: as nothing.
    const asking: Pick<Gh, 'graphql'> = {
      async graphql(query, variables) {
        const answer = await gh.graphql(query, variables);
        const page = answer.data['viewer'] as { repositories?: { nodes: { pullRequests: { nodes: unknown[] } }[] } };
        page.repositories?.nodes[0]?.pullRequests.nodes.splice(3, 1, null);
        return answer;
      },
    };
    const { pulls, whole, hasGaps } = await fetchPulls(asking as Gh, REQUEST);
    assert.deepEqual([pulls.length, [...whole], hasGaps], [11, [], true]);
  });

  describe('what keeps GitHub from being asked is told with the next step', () => {
    async function trouble(): Promise<GithubFailure> {
      try {
        await fetch();
      } catch (error) {
        if (error instanceof GithubFailure) return error;
        throw error;
      }
      assert.fail('it went well');
    }
    const faults: readonly [string, GithubTrouble, RegExp, (one: GhGround) => void | Promise<void>][] = [
      ['nobody logged in', 'not-logged-in', /gh auth login/, (one) => one.logOut()],
      ['a token that is not valid any more', 'not-logged-in', /gh auth login/, (one) => one.logIn('gho_old')],
      ['no network', 'unreachable', /by itself/, (one) => one.github.disconnect()],
      [
        'an error of GitHub',
        'overloaded',
        /by itself/,
        (one) => void (one.github.fault = { kind: 'status', status: 502 }),
      ],
      ['an error page', 'overloaded', /by itself/, (one) => void (one.github.fault = { kind: 'html', status: 504 })],
      ['half an answer', 'bad-answer', /gh api user/, (one) => void (one.github.fault = { kind: 'malformed' })],
      [
        'a page of a proxy',
        'bad-answer',
        /gh api user/,
        (one) => void (one.github.fault = { kind: 'html', status: 200 }),
      ],
      [
        'an answer of 20 MB',
        'too-large',
        /exclude/,
        (one) => void (one.github.fault = { kind: 'huge', bytes: 20_000_000 }),
      ],
      ['the limit', 'rate-limited', /by itself/, (one) => void (one.github.fault = { kind: 'rate-limited' })],
      [
        'too much at a time',
        'rate-limited',
        /by itself/,
        (one) => void (one.github.fault = { kind: 'secondary', retryAfterSeconds: 77 }),
      ],
    ];
    for (const [what, code, next, cause] of faults) {
      it(`${what}: ${code}`, async () => {
        await cause(ground);
        const failure = await trouble();
        assert.equal(failure.code, code, failure.message);
        assert.match(failure.next ?? '', next);
        assert.match(failure.message, /known already stay$/);
      });
    }

    it('no gh, an old gh, a gh that says nonsense', async () => {
      gh = new Gh({ clock: systemClock, env: ground.env, program: '/nowhere/gh' });
      assert.equal((await trouble()).code, 'gh-missing');
      gh = new Gh({ clock: systemClock, env: ground.env, program: '/bin/echo' });
      const failure = await trouble();
      assert.equal(failure.code, 'gh-too-old');
      assert.match(failure.next ?? '', /newer/);
    });

    it('a gh that is a script whose program hangs', async () => {
      const program = join(ground.env['HOME'] ?? '', 'gh');
      await writeFile(program, '#!/bin/sh\n[ "$1" = --version ] && exec gh "$@"\nsleep 20\n', { mode: 0o755 });
      gh = new Gh({ clock: systemClock, env: ground.env, program, timeoutMs: 500 });
      assert.equal((await trouble()).code, 'unreachable');
      const stop = new AbortController();
      gh = new Gh({ clock: systemClock, env: ground.env, program });
      setImmediate(() => stop.abort());
      await assert.rejects(fetch({ signal: stop.signal }), GithubFailure);
    });

    it('a GitHub that never answers', async () => {
      gh = new Gh({ clock: systemClock, env: ground.env, timeoutMs: 1_000 });
      ground.github.fault = { kind: 'stall' };
      const failure = await trouble();
      assert.equal(failure.code, 'unreachable');
      assert.match(failure.message, /within 1 s/);
    });

    it('Retry-After is obeyed to the second, the reset of the limit too', async () => {
      ground.github.fault = { kind: 'secondary', retryAfterSeconds: 77 };
      const before = Date.now();
      const { notBefore } = await trouble();
      assert.ok(notBefore !== null && notBefore >= before + 77_000 && notBefore <= Date.now() + 77_000);
      ground.github.fault = { kind: 'rate-limited' };
      const out = await trouble();
      assert.equal(out.notBefore, Math.floor(ground.github.rateLimit.resetAt / 1_000) * 1_000);
    });

    it('a hub that stops gives it up', async () => {
      ground.github.fault = { kind: 'stall' };
      const stop = new AbortController();
      const asked = ground.github.nextRequest();
      const fetching = fetch({ signal: stop.signal });
      await asked;
      stop.abort();
      await assert.rejects(fetching, (error: unknown) => error instanceof GithubFailure && error.code === 'aborted');
    });

    it('a token without the right to see teams: the rest is told, and what to do', async () => {
      const repository = ground.github.addRepository({ owner: 'acme', name: 'app' });
      ground.github.addPull(repository, { author: 'jo', requested: ['acme/core'] });
      ground.github.scopes = ['repo'];
      const { pulls, warnings } = await fetch();
      assert.deepEqual(
        pulls.map(({ repository: name, requestedReviewers }) => [name, requestedReviewers]),
        [['acme/app', []]],
      );
      assert.match(warnings.join(), /gh auth refresh --scopes read:org/);
    });
  });
});
