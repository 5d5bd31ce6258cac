import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MarkedSession } from '../../../src/core/pulls/session-links.ts';
import { configSchema, type Config } from '../../../src/hub/config/schema.ts';
import { Gh } from '../../../src/hub/github/gh.ts';
import { PullBoard } from '../../../src/hub/pulls/pull-board.ts';
import { openStore } from '../../../src/hub/store/open-store.ts';
import type { Store } from '../../../src/hub/store/store.ts';
import { HubError } from '../../../src/protocol/errors.ts';
import { PullsChanged, PullsDetailResult, PullsListResult } from '../../../src/protocol/pulls.ts';
import type { FakePull } from '../../fixtures/github/model.ts';
import { GhGround } from '../../fixtures/github/gh-ground.ts';
import { skipWhere } from '../../fixtures/ssh/availability.ts';
import { until } from '../hub-ground.ts';
import { ManualClock } from '../store/manual-clock.ts';

const MINUTE = 60_000;
const SESSION = '6b2f1c1e-0c3d-4a53-9f0e-0d4c1b2a3f4e';

describe('the board of pull requests', function () {
  this.timeout(60_000);
  let ground: GhGround;
  let clock: ManualClock;
  let folder: string;
  let store: Store;
  let board: PullBoard;
  let settings: Config['pulls'];
  let sessions: MarkedSession[];
  let told: PullsChanged[];
  let troubles: Error[];
  let mine: FakePull;
  let other: FakePull;

  before(skipWhere(() => GhGround.whyUnavailable()));
  beforeEach(async () => {
    clock = new ManualClock();
    ground = await GhGround.open({ now: () => clock.now() });
    folder = await mkdtemp(join(tmpdir(), 'claude-sync-board-'));
    settings = configSchema.parse({ machines: { a: { transport: 'local' } } }).pulls;
    [sessions, told, troubles] = [[], [], []];
    await open();
    const { github } = ground;
    const app = github.addRepository({ owner: 'acme', name: 'app', affiliation: 'ORGANIZATION_MEMBER' });
    mine = github.addPull(app, { title: 'mine', author: 'thh3', headRefName: 'teach' });
    other = github.addPull(app, { title: 'other', author: 'jo', headRefName: 'else' });
  });
  afterEach(async () => {
    await board?.stop();
    await store?.close();
    await ground?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    assert.deepEqual(troubles ?? [], []);
  });

  async function open(): Promise<void> {
    store = await openStore({ path: join(folder, 'sync.db'), clock: new ManualClock(), driver: 'inline' });
    board = new PullBoard({
      store,
      clock,
      gh: new Gh({ clock, env: ground.env }),
      settings: () => settings,
      sessions: { refresh: async () => undefined, sessions: () => sessions },
      // What clients get is checked as the server does.
      onChanged: (changed) => void told.push(PullsChanged.parse(changed)),
      onTrouble: (error) => troubles.push(error),
    });
  }

  async function refresh(look = false): Promise<PullsListResult> {
    return PullsListResult.parse(await board.refresh(look));
  }

  const titles = ({ pulls }: PullsListResult): string[] => pulls.map(({ title }) => title);
  const asked = (): number => ground.github.requests.length;

  it('has nothing before GitHub was asked, and says so', () => {
    const { status, pulls } = board.list(false);
    assert.deepEqual([status.state, status.refreshedAt, status.stale, pulls], ['never', 0, false, []]);
  });

  it('shows what GitHub tells, and knows it still after a restart', async () => {
    const { status, pulls } = await refresh();
    assert.deepEqual([status.state, status.viewer, status.repositories, status.stale], ['ok', 'thh3', 1, false]);
    assert.equal(status.refreshedAt, clock.now());
    assert.ok(status.rate !== null && status.rate.requests === 2);
    assert.deepEqual(pulls.map(({ title, attention, isMine }) => [title, attention, isMine]).sort(), [
      ['mine', 'other', true],
      ['other', 'other', false],
    ]);
    await store.close();
    await open();
    const again = board.list(false);
    assert.deepEqual(again.pulls, pulls);
    assert.deepEqual({ ...again.status, nextRefreshAt: 0 }, { ...status, nextRefreshAt: 0 });
    assert.equal(asked(), 2);
  });

  it('asks by itself: soon after the start, then every five minutes, and not before after a restart', async () => {
    board.start();
    const refreshed = (): boolean => board.list(false).status.refreshedAt === clock.now();
    clock.advance(5_000);
    await until('the first refresh', refreshed);
    assert.equal(board.list(false).status.nextRefreshAt, clock.now() + 5 * MINUTE);
    clock.advance(5 * MINUTE - 1);
    assert.equal(asked(), 2);
    clock.advance(1);
    await until('the second refresh', refreshed);
    await board.stop();
    await store.close();
    clock.advance(MINUTE);
    await open();
    board.start();
    assert.equal(board.list(false).status.nextRefreshAt, clock.now() + 4 * MINUTE);
    clock.advance(4 * MINUTE);
    await until('the third refresh', refreshed);
    assert.equal(asked(), 6);
  });

  it('asks once for all who want to know at the same time', async () => {
    const both = await Promise.all([refresh(), refresh()]);
    assert.deepEqual(both[0], both[1]);
    assert.equal(asked(), 2);
  });

  it('keeps the rows, marked as stale, while GitHub is away, tries again soon, and recovers', async () => {
    await refresh();
    board.start();
    await ground.github.disconnect();
    const { status, pulls } = await refresh();
    assert.deepEqual([status.state, status.stale, pulls.length], ['unreachable', true, 2]);
    assert.match(status.message ?? '', /cannot be reached/);
    assert.equal(status.nextRefreshAt, clock.now() + MINUTE);
    await ground.github.reconnect();
    clock.advance(MINUTE);
    await until('it is well again', () => board.list(false).status.state === 'ok');
    assert.equal(board.list(false).status.stale, false);
    assert.equal(told.at(-1)?.status.state, 'ok');
  });

  it('says that the rows are old when nobody could ask for long', async () => {
    await refresh();
    clock.advance(7 * MINUTE);
    assert.equal(board.list(false).status.stale, false);
    clock.advance(MINUTE);
    assert.equal(board.list(false).status.stale, true);
  });

  it('waits for the reset when less than a tenth of the limit is left, and as long as GitHub says', async () => {
    board.start();
    ground.github.rateLimit.used = 4_600;
    const low = (await refresh()).status;
    assert.equal(low.nextRefreshAt, Math.floor(ground.github.rateLimit.resetAt / 1_000) * 1_000);
    ground.github.fault = { kind: 'secondary', retryAfterSeconds: 1_000 };
    const { status } = await refresh();
    assert.equal(status.state, 'rate-limited');
    assert.ok(status.nextRefreshAt >= clock.now() + 1_000_000);
  });

  it('is not asked by anybody while GitHub wants to be left alone, not after a restart either', async () => {
    ground.github.fault = { kind: 'secondary', retryAfterSeconds: 600, times: 1 };
    assert.equal((await refresh()).status.state, 'rate-limited');
    const before = asked();
    await refresh();
    await store.close();
    await open();
    await refresh();
    assert.equal(asked(), before);
    clock.advance(600_000);
    assert.equal((await refresh()).status.state, 'ok');
  });

  it('tries later when something goes wrong that nobody thought of', async () => {
    settings = { ...settings, exclude: [`a/${'x'.repeat(70_000)}`] };
    board.start();
    const { status } = await refresh();
    assert.equal(status.state, 'failed');
    assert.equal(status.nextRefreshAt, clock.now() + MINUTE);
    assert.equal(troubles.splice(0).length, 1);
  });

  it('marks what changed until the user looks, and tells what is worth telling at once', async () => {
    await refresh();
    mine.reviewDecision = 'APPROVED';
    other.requested = ['thh3'];
    ground.github.addPull(mine.repository, { title: 'new', author: 'jo' });
    told.length = 0;
    const { pulls } = await refresh();
    const changes = (list: PullsListResult['pulls']): object =>
      Object.fromEntries(list.map(({ title, changes: marks }) => [title, marks]));
    const expected = { other: ['review-requested'], mine: ['approved'], new: ['new'] };
    assert.deepEqual(changes(pulls), expected);
    assert.deepEqual(told.flatMap(({ events }) => events.map(({ kind, title }) => [kind, title])).sort(), [
      ['approved', 'mine'],
      ['review-requested', 'other'],
    ]);
    const last = told.at(-1);
    assert.deepEqual([last?.changed, last?.counts['approved'], last?.counts['needs-my-review']], [3, 1, 1]);
    assert.deepEqual(titles(board.list(false)), ['other', 'mine', 'new'], 'the most urgent first');
    assert.deepEqual(changes(board.list(true).pulls), expected, 'who looks still sees them');
    assert.deepEqual(changes(board.list(false).pulls), { other: [], mine: [], new: [] });
    assert.equal(told.at(-1)?.changed, 0);
    assert.deepEqual(told.at(-1)?.events, []);
  });

  it('forgets what is closed', async () => {
    await refresh();
    mine.state = 'MERGED';
    assert.deepEqual(titles(await refresh()), ['other']);
  });

  it('keeps what could not be asked about, and names it', async () => {
    const lib = ground.github.addRepository({ owner: 'acme', name: 'lib' });
    ground.github.addPull(lib, { title: 'kept', author: 'jo' });
    await refresh();
    ground.github.forbidden.add('acme/lib');
    const { status, pulls } = await refresh();
    assert.equal(status.state, 'partial');
    assert.match(status.warnings.join(), /SAML/);
    assert.deepEqual(
      pulls.filter(({ stale }) => stale).map(({ title }) => title),
      ['kept'],
    );
  });

  it('is off when the user wants it so, and asks again when it is on', async () => {
    await refresh();
    settings = { ...settings, enabled: false };
    board.start();
    board.reconfigured();
    const { status } = await refresh();
    assert.deepEqual([status.state, status.nextRefreshAt, status.stale], ['off', 0, true]);
    clock.advance(60 * MINUTE);
    assert.equal(asked(), 2);
    settings = { ...settings, enabled: true, exclude: ['ACME/*'] };
    board.reconfigured();
    assert.deepEqual(board.list(false).pulls, [], 'at once');
    clock.advance(5_000);
    await until('it asks again', () => board.list(false).status.refreshedAt === clock.now());
    assert.deepEqual(board.list(false).pulls, []);
  });

  it('shows the conversations of a pull request, and the pull requests of a conversation', async () => {
    const marks = {
      branches: ['teach'],
      links: [{ repository: 'acme/old', number: 9, url: 'https://github.com/acme/old/pull/9' }],
    };
    sessions = [{ session: SESSION, at: 5, marks, repositories: ['Acme/App'] }];
    const { pulls } = await refresh();
    assert.deepEqual(pulls.find(({ title }) => title === 'mine')?.sessions, [
      { session: SESSION, by: 'branch', at: 5 },
    ]);
    const found = (await board.ofSession(SESSION)).pulls;
    assert.deepEqual(
      found.map(({ repository, number, by, pull }) => [repository, number, by, pull?.title ?? null]),
      [
        ['acme/old', 9, 'link', null],
        ['acme/app', mine.number, 'branch', 'mine'],
      ],
    );
    assert.deepEqual(await board.ofSession('nobody'), { pulls: [] });
  });

  it('tells more about one of them', async () => {
    await refresh();
    Object.assign(mine, { body: 'Why.', additions: 3, deletions: 2, changedFiles: 1, commits: 4 });
    mine.checks.push({ name: 'test', status: 'COMPLETED', conclusion: 'FAILURE', detailsUrl: 'https://ci.example/1' });
    mine.comments.push({ author: null, body: 'x'.repeat(9_000), createdAt: '2026-03-01T08:00:00Z' });
    const never = new AbortController().signal;
    const detail = PullsDetailResult.parse(await board.detail({ repository: 'ACME/app', number: mine.number }, never));
    assert.deepEqual(
      [detail.body, detail.additions, detail.deletions, detail.changedFiles, detail.commits, detail.pull?.title],
      ['Why.', 3, 2, 1, 4, 'mine'],
    );
    assert.deepEqual(detail.checks, [{ name: 'test', state: 'failed', url: 'https://ci.example/1' }]);
    assert.deepEqual(
      detail.comments.map(({ author, body }) => [author, body.length]),
      [['ghost', 4_096]],
    );
    const fails = (repository: string, number: number, code: string): Promise<void> =>
      assert.rejects(board.detail({ repository, number }, never), (error: unknown) =>
        HubError.is(error, code as 'not-found'),
      );
    await fails('acme/app', 999, 'not-found');
    await fails('acme/none', 1, 'not-found');
    await fails('nonsense', 1, 'not-found');
    await ground.logOut();
    await fails('acme/app', mine.number, 'unreachable');
  });

  it('reads what an older or a broken database has without a word', async () => {
    await refresh();
    const [row] = [...store.pulls.values()];
    store.pulls.put({ ...row!, json: '{"facts": 1}' });
    store.setSetting('pulls.status', 'nonsense');
    await store.close();
    await open();
    assert.deepEqual([board.list(false).pulls.length, board.list(false).status.state], [1, 'never']);
    assert.equal((await refresh()).pulls.length, 2);
  });
});
