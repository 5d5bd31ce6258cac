import assert from 'node:assert/strict';
import { runCli } from '../../src/cli/program.ts';
import type { Pull, PullsDetailResult, PullsListResult, PullsStatus } from '../../src/protocol/pulls.ts';
import { Bench, type Run } from './run.ts';

/** The clock of the bench. */
const NOW = 1_700_000_005_000;
const HOUR = 3_600_000;
const SESSION = '6b2f1c1e-0c3d-4a53-9f0e-0d4c1b2a3f4e';
/** What must not reach a terminal: controls, escape sequences, marks that reorder. */
// eslint-disable-next-line no-control-regex -- the characters that must not be there
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/;
const HOSTILE = 'evil\u001b[31m red\u001b]0;owned\u0007\u009b2J\u202egnp.exe\u2066\nfake line\r\u2028x';

function pull(more: Partial<Pull> = {}): Pull {
  const { repository = 'acme/app', number = 12 } = more;
  return {
    id: `PR_${repository}_${number}`,
    repository,
    number,
    title: 'Read the log once',
    url: `https://github.com/${repository}/pull/${number}`,
    author: 'octocat',
    isMine: false,
    isDraft: false,
    createdAt: NOW - 72 * HOUR,
    updatedAt: NOW - 2 * HOUR,
    branch: 'fix/log',
    headRepository: 'acme/app',
    baseBranch: 'main',
    labels: [],
    reviewDecision: 'review-required',
    requestedReviewers: [],
    isMyTurn: false,
    reviews: [],
    mergeable: 'mergeable',
    checks: { state: 'passed', failing: [] },
    comments: 0,
    attention: 'other',
    queries: ['Mine'],
    changes: [],
    stale: false,
    sessions: [],
    ...more,
  };
}

function status(more: Partial<PullsStatus> = {}): PullsStatus {
  return {
    state: 'ok',
    message: null,
    next: null,
    warnings: [],
    viewer: 'thh3',
    refreshedAt: NOW - 180_000,
    nextRefreshAt: NOW + 120_000,
    isRefreshing: false,
    stale: false,
    repositories: 12,
    rate: { limit: 5000, remaining: 4987, resetAt: NOW + HOUR, cost: 3, requests: 2 },
    ...more,
  };
}

const NEVER = status({ state: 'never', viewer: null, refreshedAt: 0, nextRefreshAt: 0, repositories: 0, rate: null });
const UNREACHABLE = {
  state: 'unreachable',
  message: 'GitHub cannot be reached',
  next: 'Look at the network.',
} as const;

/** Some of every group, in the order of the hub. */
const PULLS: readonly Pull[] = [
  pull({ number: 1, attention: 'needs-my-review', isMyTurn: true, changes: ['new', 'review-requested'] }),
  pull({ number: 2, repository: 'acme/web', attention: 'needs-my-review', isMyTurn: true, title: 'Second' }),
  pull({
    number: 3,
    attention: 'changes-requested',
    reviewDecision: 'changes-requested',
    changes: ['changes-requested'],
  }),
  pull({ number: 4, attention: 'failing', checks: { state: 'failed', failing: ['lint', 'test (20)'] } }),
  pull({ number: 5, attention: 'approved', reviewDecision: 'approved', changes: ['approved', 'checks-passed'] }),
  pull({ number: 6, attention: 'draft', isDraft: true, checks: { state: 'pending', failing: [] } }),
  pull({ number: 7, repository: 'acme/web', checks: { state: 'none', failing: [] }, stale: true }),
];

function detail(more: Partial<PullsDetailResult> = {}): PullsDetailResult {
  return {
    pull: pull({
      labels: [{ name: 'bug', color: 'ff0000' }],
      reviews: [
        { author: 'alice', state: 'approved', at: NOW - HOUR },
        { author: 'bob', state: 'changes-requested', at: null },
      ],
      requestedReviewers: ['acme/core'],
      sessions: [{ session: SESSION, by: 'branch', at: NOW - HOUR }],
    }),
    body: 'First line.\r\n\r\n- second\n',
    additions: 10,
    deletions: 3,
    changedFiles: 4,
    commits: 2,
    checks: [
      { name: 'build', state: 'passed', url: 'https://ci.example/1' },
      { name: 'lint', state: 'failed', url: 'https://ci.example/2' },
      { name: 'docs', state: 'skipped', url: null },
    ],
    comments: [{ author: 'alice', at: NOW - HOUR, body: 'Looks good.\nThanks!' }],
    ...more,
  };
}

describe('pull requests on the command line', () => {
  let bench: Bench;
  /** Every request about pull requests that reached the hub. */
  let asked: [string, object][];

  beforeEach(async () => {
    asked = [];
    bench = await Bench.open();
  });

  afterEach(() => bench.close());

  /** A hub that answers `list`; after a refresh `refreshed`. */
  async function hub(list: PullsListResult, refreshed: PullsListResult = list): Promise<void> {
    const heard = <T>(method: string, params: object, answer: T): Promise<T> => {
      asked.push([method, params]);
      return Promise.resolve(answer);
    };
    await bench.hub({
      'pulls/list': (params) => heard('list', params, list),
      'pulls/refresh': (params) => heard('refresh', params, refreshed),
      'pulls/detail': (params) => heard('detail', params, detail()),
      'pulls/ofSession': (params) =>
        heard('ofSession', params, {
          pulls: [
            { repository: 'acme/app', number: 12, url: 'https://x/12', by: 'branch' as const, pull: pull() },
            { repository: 'acme/old', number: 9, url: 'https://x/9', by: 'link' as const, pull: null },
          ],
        }),
    });
  }

  /** Runs on a terminal of this width, without colour. */
  async function onTerminal(columns: number, ...args: string[]): Promise<Run> {
    const world = bench.surroundings({ tty: true, env: { NO_COLOR: '1' } });
    Object.assign(world.stdout, { columns });
    const code = await runCli(args, world);
    await new Promise((resolve) => setImmediate(resolve));
    return { code, stdout: world.stdout.text, stderr: world.stderr.text };
  }

  describe('the list', () => {
    it('is grouped by what it wants from the user, with the most urgent first', async () => {
      await hub({ status: status(), pulls: [...PULLS] });
      const { code, stdout, stderr } = await bench.run(['prs']);
      assert.equal(code, 0);
      assert.equal(stderr, '');
      const headings = stdout.split('\n').filter((line) => /^[A-Z][a-z ]+ \(\d+\)$/.test(line));
      assert.deepEqual(headings, [
        'Needs your review (2)',
        'Changes requested (1)',
        'Checks fail (1)',
        'Approved (1)',
        'Drafts (1)',
        'Others (1)',
      ]);
      assert.match(stdout, /^ +PULL REQUEST +TITLE +AUTHOR +CHECKS +REVIEW +UPDATED$/m);
      assert.match(stdout, /acme\/app#1 +Read the log once +octocat +passed +your turn +2 h ago$/m);
      assert.match(stdout, /acme\/app#4 .*failed: lint, test \(20\) +required/);
      assert.match(stdout, /acme\/app#6 .*pending +draft/);
      assert.match(stdout, /acme\/web#7 .*none +required/);
      // A group is followed by its rows.
      assert.match(stdout, /Checks fail \(1\)\n[^\n]*acme\/app#4 /);
    });

    it('marks what changed since the last look, and what could not be asked about', async () => {
      await hub({ status: status(), pulls: [...PULLS] });
      const { stdout } = await bench.run(['prs']);
      assert.match(stdout, /^\* new, to review +acme\/app#1 /m);
      assert.match(stdout, /^\* changes requested +acme\/app#3 /m);
      assert.match(stdout, /^\* approved, checks passed +acme\/app#5 /m);
      assert.match(stdout, /^ +acme\/web#2 /m);
      assert.match(stdout, /^\? +acme\/web#7 /m);
      assert.match(stdout, /^\* changed since you last looked$/m);
      assert.match(stdout, /^\? as it was before: /m);
      await hub({ status: status(), pulls: [pull()] });
      assert.doesNotMatch((await bench.run(['prs'])).stdout, /^[*?]/m);
    });

    it('--by query puts those that a query found together, each in all of its groups', async () => {
      const pulls = [
        pull({ number: 1, title: 'both', queries: ['Mine', 'Review'] }),
        pull({ number: 2, title: 'none', queries: [] }),
        pull({ number: 3, title: 'mine', queries: ['Mine'] }),
      ];
      await hub({ status: status(), pulls });
      const { stdout } = await bench.run(['prs', '--by', 'query']);
      assert.match(stdout, /Mine \(2\)[^]*both[^]*mine[^]*Review \(1\)[^]*both[^]*Of no query \(1\)[^]*none/);
    });

    it('--by repository puts those of a repository together', async () => {
      await hub({ status: status(), pulls: [...PULLS] });
      const { stdout } = await bench.run(['prs', '--by', 'repository']);
      assert.match(stdout, /^acme\/app \(5\)$/m);
      assert.match(stdout, /^acme\/web \(2\)\n +#2 [^\n]*\n\? +#7 /m);
      assert.ok(stdout.indexOf('acme/app (5)') < stdout.indexOf('acme/web (2)'));
    });

    it('says when it was refreshed, for whom, and what is left of the budget', async () => {
      await hub({ status: status(), pulls: [pull()] });
      assert.match(
        (await bench.run(['prs'])).stdout,
        /^refreshed 3 min ago, 12 repositories, as thh3, 4987 of 5000 points left$/m,
      );
      await hub({ status: status({ repositories: 1, rate: null, viewer: null, isRefreshing: true }), pulls: [] });
      const { stdout, code } = await bench.run(['prs']);
      assert.equal(stdout, 'no open pull requests\nrefreshed 3 min ago, 1 repository, refreshing now\n');
      assert.equal(code, 0);
    });

    it('says that it is out of date and since when, and every warning', async () => {
      const more = { state: 'partial', stale: true, warnings: ['acme/x: refused', `acme/y: ${HOSTILE}`] } as const;
      await hub({ status: status({ ...more, warnings: [...more.warnings] }), pulls: [pull()] });
      const { stdout, code } = await bench.run(['prs']);
      assert.equal(code, 0);
      assert.match(stdout, /^out of date: this is from 2023-11-14 22:10:25Z, 3 min ago$/m);
      assert.match(stdout, /^warning: acme\/x: refused\nwarning: acme\/y: evil/m);
      assert.doesNotMatch(stdout, /^fake line/m);
    });

    it('shows what is known while GitHub cannot be asked, with the reason and the next step', async () => {
      await hub({ status: status({ ...UNREACHABLE, stale: true }), pulls: [pull()] });
      const { code, stdout } = await bench.run(['prs']);
      assert.equal(code, 0);
      assert.match(stdout, /acme\/app#12[^]*out of date[^]*^GitHub cannot be reached\n {2}Look at the network\.$/m);
    });

    it('1 when there is nothing to show because GitHub cannot be asked', async () => {
      await hub({ status: { ...NEVER, ...UNREACHABLE }, pulls: [] });
      const { code, stdout } = await bench.run(['prs']);
      assert.equal(code, 1);
      assert.equal(stdout, 'GitHub cannot be reached\n  Look at the network.\n');
    });

    it('says how to turn them on when they are off', async () => {
      await hub({ status: { ...NEVER, state: 'off' }, pulls: [] });
      const { stdout } = await bench.run(['prs']);
      assert.match(stdout, /pull requests are off[^]*pulls\.enabled/);
      assert.deepEqual(asked, [['list', { look: true }]]);
    });

    it('fits into a terminal of 80 columns, and is not cut where there is none', async () => {
      const title = `A title that goes on ${'and on '.repeat(20)}`;
      const wide = `✨ 漢字${'漢字'.repeat(60)}`;
      const failing = ['build (ubuntu-latest, 20)', 'build (macos-latest, 22)'];
      const pulls = [
        pull({ title, changes: ['new', 'checks-failed'], checks: { state: 'failed', failing } }),
        pull({
          title: wide,
          number: 13_578,
          repository: `acme-incorporated/${'x'.repeat(80)}`,
          author: 'y'.repeat(39),
        }),
      ];
      await hub({ status: status(), pulls });
      for (const columns of [80, 100, 120, 200]) {
        for (const by of ['attention', 'repository']) {
          const { stdout } = await onTerminal(columns, 'prs', '--by', by);
          for (const line of stdout.split('\n')) {
            const wideOnes = line.match(/[\u2728\u4e00-\u9fff]/g)?.length ?? 0;
            assert.ok([...line].length + wideOnes <= columns, `${columns}: ${line}`);
          }
          assert.match(stdout, /A title that goes[^\n]*…/);
          assert.match(stdout, /#13578/);
          assert.match(stdout, / {2}failed(: build[^\n]*)? {2}/);
        }
      }
      assert.ok((await bench.run(['prs'])).stdout.includes(title.trim()));
      assert.ok((await bench.run(['prs'])).stdout.includes(failing.join(', ')));
    });

    it('nothing that GitHub says reaches the terminal as a control character or fakes a line', async () => {
      const hostile = pull({
        title: HOSTILE,
        author: HOSTILE,
        repository: HOSTILE,
        checks: { state: 'failed', failing: [HOSTILE] },
      });
      const bad = status({ viewer: HOSTILE, message: HOSTILE, next: HOSTILE, state: 'failed', warnings: [HOSTILE] });
      await hub({ status: bad, pulls: [hostile] });
      for (const args of [['prs'], ['prs', '--by', 'repository'], ['prs', '--json'], ['prs', '--refresh']]) {
        const { stdout, stderr } = await bench.run(args);
        assert.doesNotMatch(stdout + stderr, CONTROLS, args.join(' '));
        assert.doesNotMatch(stdout, /^fake line/m);
      }
      assert.doesNotMatch((await onTerminal(80, 'prs')).stdout, CONTROLS);
    });

    it('has colour on a terminal only', async () => {
      await hub({ status: status(), pulls: [...PULLS] });
      assert.ok((await bench.run(['prs'], { tty: true })).stdout.includes('\u001b[1mNeeds your review (2)'));
      assert.ok(!(await bench.run(['prs'])).stdout.includes('\u001b'));
    });
  });

  describe('looking and refreshing', () => {
    it('only what is printed for people counts as looked at', async () => {
      await hub({ status: status(), pulls: [pull()] });
      for (const args of [['prs'], ['prs', '--json'], ['prs', '--refresh'], ['prs', '--refresh', '--json']])
        await bench.run(args);
      assert.deepEqual(asked, [
        ['list', { look: true }],
        ['list', {}],
        ['refresh', { look: true }],
        ['refresh', {}],
      ]);
    });

    it('--json is the answer of the hub, and asks GitHub nothing by itself', async () => {
      const answer = { status: NEVER, pulls: [pull({ title: HOSTILE })] };
      await hub(answer);
      const { code, stdout, stderr } = await bench.run(['prs', '--json']);
      assert.deepEqual(JSON.parse(stdout), answer);
      assert.equal(stderr, '');
      assert.equal(code, 0);
      assert.deepEqual(asked, [['list', {}]]);
    });

    it('asks GitHub once by itself when it never was', async () => {
      await hub({ status: NEVER, pulls: [] }, { status: status(), pulls: [pull()] });
      const { code, stdout, stderr } = await bench.run(['prs']);
      assert.equal(code, 0);
      assert.match(stderr, /GitHub has not been asked yet/);
      assert.match(stdout, /acme\/app#12/);
      assert.deepEqual(asked, [
        ['list', { look: true }],
        ['refresh', { look: true }],
      ]);
    });

    it('1 when that fails, with what to do', async () => {
      await hub({ status: NEVER, pulls: [] }, { status: { ...NEVER, ...UNREACHABLE }, pulls: [] });
      const { code, stdout } = await bench.run(['prs']);
      assert.equal(code, 1);
      assert.match(stdout, /GitHub cannot be reached\n {2}Look at the network/);
    });

    it('--refresh that does not succeed is 1, and what was known is still printed', async () => {
      await hub({ status: status({ ...UNREACHABLE, stale: true }), pulls: [pull()] });
      for (const args of [
        ['prs', '--refresh'],
        ['prs', '--refresh', '--json'],
      ]) {
        const { code, stdout } = await bench.run(args);
        assert.equal(code, 1);
        assert.match(stdout, /Read the log once/);
      }
      await hub({ status: status({ state: 'partial', warnings: ['x'] }), pulls: [] });
      assert.equal((await bench.run(['prs', '--refresh'])).code, 0);
    });
  });

  it('--session lists those of a conversation, open or not', async () => {
    await hub({ status: status(), pulls: [] });
    const { code, stdout } = await bench.run(['prs', '--session', SESSION]);
    assert.equal(code, 0);
    assert.deepEqual(asked, [['ofSession', { session: SESSION }]]);
    assert.match(stdout, /acme\/app#12 +by branch +Others +Read the log once/);
    assert.match(stdout, /acme\/old#9 +named there +not listed +https:\/\/x\/9/);
    const { stdout: json } = await bench.run(['prs', '--session', SESSION, '--json']);
    assert.equal((JSON.parse(json) as { pulls: unknown[] }).pulls.length, 2);
    await bench.hub({ 'pulls/ofSession': () => Promise.resolve({ pulls: [] }) });
    assert.match((await bench.run(['prs', '--session', SESSION])).stdout, /^no pull requests of/);
  });

  describe('one of them', () => {
    it('is found by each of its spellings', async () => {
      await hub({ status: status(), pulls: [] });
      const spellings = [
        ['acme/app#12'],
        ['acme/app', '12'],
        ['acme/app', '#12'],
        ['https://github.com/acme/app/pull/12'],
        ['https://github.com/acme/app/pull/12/files?w=1#diff-1'],
      ];
      for (const args of spellings) assert.equal((await bench.run(['prs', 'show', ...args])).code, 0, args.join(' '));
      assert.deepEqual(
        asked,
        spellings.map(() => ['detail', { repository: 'acme/app', number: 12 }]),
      );
    });

    it('is shown with checks, conversations, description and comments', async () => {
      await hub({ status: status(), pulls: [] });
      const { stdout } = await bench.run(['prs', 'show', 'acme/app#12']);
      assert.match(stdout, /^acme\/app#12 {2}Read the log once\nhttps:\/\/github\.com\/acme\/app\/pull\/12$/m);
      assert.match(stdout, /octocat, opened 3 days ago, updated 2 h ago/);
      assert.match(stdout, /fix\/log into main/);
      assert.match(stdout, /alice approved; bob requests changes; waiting for acme\/core/);
      assert.match(stdout, /\+10 -3 in 4 files, 2 commits/);
      // What failed comes first, and only there the place is of interest.
      assert.match(stdout, /^ {2}failed +lint +https:\/\/ci\.example\/2\n {2}passed +build\n {2}skipped +docs$/m);
      assert.match(stdout, new RegExp(`^ {2}${SESSION} +by branch +1 h ago$`, 'm'));
      assert.match(stdout, /^ {2}First line\.\n\n {2}- second$/m);
      assert.match(stdout, /^ {2}alice, 1 h ago\n {4}Looks good\.\n {4}Thanks!$/m);
    });

    it('is shown without the rest when it is not in the list', async () => {
      const answer = detail({ pull: null, body: ' \n', checks: [], comments: [] });
      await bench.hub({ 'pulls/detail': () => Promise.resolve(answer) });
      const { code, stdout } = await bench.run(['prs', 'show', 'acme/app#12']);
      assert.equal(code, 0);
      assert.match(stdout, /^acme\/app#12\n/);
      assert.match(stdout, /no description/);
      const { stdout: json } = await bench.run(['prs', 'show', 'acme/app#12', '--json']);
      assert.deepEqual(JSON.parse(json), answer);
    });

    it('has no control characters, and its text begins no line of its own', async () => {
      const session = { session: HOSTILE, by: 'link', at: NOW } as const;
      const answer = detail({
        pull: pull({
          title: HOSTILE,
          url: HOSTILE,
          author: HOSTILE,
          branch: HOSTILE,
          baseBranch: HOSTILE,
          labels: [{ name: HOSTILE, color: HOSTILE }],
          requestedReviewers: [HOSTILE],
          reviews: [{ author: HOSTILE, state: 'commented', at: null }],
          sessions: [session],
        }),
        body: HOSTILE,
        checks: [{ name: HOSTILE, state: 'failed', url: HOSTILE }],
        comments: [{ author: HOSTILE, at: NOW, body: HOSTILE }],
      });
      await bench.hub({ 'pulls/detail': () => Promise.resolve(answer) });
      for (const more of [[], ['--json']]) {
        const { stdout } = await bench.run(['prs', 'show', 'acme/app#12', ...more]);
        assert.doesNotMatch(stdout, CONTROLS);
        assert.doesNotMatch(stdout, /^fake line/m);
      }
    });
  });

  const wrong = [
    ['prs', 'acme/app#12'],
    ['prs', '--by', 'author'],
    ['prs', '--session', 'not-a-uuid'],
    ['prs', '--session', SESSION, '--refresh'],
    ['prs', '--session', SESSION, '--by', 'repository'],
    ['prs', 'show'],
    ['prs', 'show', 'acme/app'],
    ['prs', 'show', 'acme#12'],
    ['prs', 'show', 'acme/app#0'],
    ['prs', 'show', 'acme/app#x'],
    ['prs', 'show', 'acme/app', '1.5'],
    ['prs', 'show', 'acme/app#12', '12'],
    ['prs', 'show', 'acme/..#12'],
    ['prs', 'show', 'acme/app/x#12'],
    ['prs', 'show', `acme/${'x'.repeat(200)}#12`],
    ['prs', 'show', 'acme/app#99999999999999999999'],
    ['prs', 'show', 'https://github.com/acme/app/issues/12'],
    ['prs', 'show', 'https://gitlab.example/acme/app/pull/12'],
    ['prs', 'show', 'http://github.com/acme/app/pull/12'],
  ];
  for (const args of wrong) {
    it(`2 for wrong usage: claude-sync ${args.join(' ').slice(0, 60)}`, async () => {
      await hub({ status: status(), pulls: [] });
      const { code, stdout, stderr } = await bench.run(args);
      assert.equal(code, 2, stdout);
      assert.equal(stdout, '');
      assert.notEqual(stderr, '');
      assert.deepEqual(asked, []);
    });
  }

  it('3 when no hub runs', async () => {
    for (const args of [['prs'], ['prs', '--refresh'], ['prs', '--session', SESSION], ['prs', 'show', 'a/b#1']])
      assert.equal((await bench.run(args)).code, 3);
  });
});
