import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import type { PullsListResult, PullsOfSessionResult } from '../../src/protocol/pulls.ts';
import { GhGround } from '../fixtures/github/gh-ground.ts';
import { skipWhere } from '../fixtures/ssh/availability.ts';
import { Ground, newSession } from './ground.ts';
import { record } from './records.ts';

describe('pull requests, with the real gh', function () {
  this.timeout(120_000);
  let gh: GhGround;
  let ground: Ground;

  before(skipWhere(() => GhGround.whyUnavailable()));
  beforeEach(async () => {
    gh = await GhGround.open();
    const { GH_CONFIG_DIR } = gh.env;
    ground = await Ground.open({ machines: ['rog', 'mac'], env: { GH_CONFIG_DIR } });
  });
  afterEach(async () => {
    await ground?.close();
    await gh?.close();
  });

  it('are listed, shown, linked with their conversations, and stay when GitHub is away', async () => {
    const app = gh.github.addRepository({ owner: 'acme', name: 'app', affiliation: 'ORGANIZATION_MEMBER' });
    const mine = gh.github.addPull(app, {
      title: 'Teach it',
      author: 'thh3',
      headRefName: 'teach',
      body: 'Why it is good.',
    });
    gh.github.addPull(app, { title: 'Look at \u001b[31mthis', author: 'jo', requested: ['thh3'] });
    const session = newSession();
    const rog = ground.home('rog');
    const url = `https://github.com/acme/app/pull/${mine.number}`;
    await rog.append(rog.sessionPath(session), record({ session, home: rog, name: 'a', text: 'hello' }));
    await rog.append(
      rog.sessionPath(session),
      `${JSON.stringify({ type: 'pr-link', sessionId: session, prUrl: url })}\n`,
    );
    await ground.startHub();
    await ground.settle();

    const { status, pulls } = await ground.json<PullsListResult>('prs', '--refresh');
    assert.deepEqual([status.state, status.viewer, pulls.length], ['ok', 'thh3', 2]);
    assert.deepEqual(
      pulls.map(({ attention }) => attention),
      ['needs-my-review', 'other'],
    );
    const linked = pulls.find(({ title }) => title === 'Teach it');
    assert.deepEqual(
      linked?.sessions.map((one) => [one.session, one.by]),
      [[session, 'link']],
    );
    const of = await ground.json<PullsOfSessionResult>('prs', '--session', session);
    assert.deepEqual(
      of.pulls.map(({ url: found, pull }) => [found, pull?.title]),
      [[linked?.url, 'Teach it']],
    );

    const shown = await ground.run('prs');
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, /Needs your review \(1\)[^]*acme\/app#[^]*Others \(1\)[^]*Teach it/);
    assert.ok(!shown.stdout.includes('\u001b'));
    const detail = await ground.run('prs', 'show', url);
    assert.match(detail.stdout, /Why it is good\./, detail.stderr);
    assert.ok(detail.stdout.includes(session));

    await gh.github.disconnect();
    const away = await ground.run('prs', '--refresh');
    assert.equal(away.code, 1);
    assert.match(away.stdout, /Teach it/);
    assert.match(away.stdout + away.stderr, /cannot be reached/);
    await ground.restartHub('SIGKILL');
    const kept = await ground.json<PullsListResult>('prs');
    assert.equal(kept.pulls.length, 2, 'they are there after a crash, too');
  });

  it('nothing of the login is seen by the hub, and without one it says what to do', async () => {
    await ground.startHub();
    await ground.json('prs', '--refresh');
    await gh.logOut();
    const out = await ground.run('prs', '--refresh');
    assert.equal(out.code, 1);
    assert.match(out.stdout + out.stderr, /gh auth login/);
    assert.equal((await ground.status()).inSync, true, 'the sync does not care');
    assert.doesNotMatch(ground.said, /gho_x/);
    const found = execFileSync('sh', ['-c', 'grep -rl gho_x "$0" || true', ground.root], { encoding: 'utf8' });
    assert.equal(found, '');
  });
});
