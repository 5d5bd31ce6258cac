import assert from 'node:assert/strict';
import { Ground, newSession, until } from './ground.ts';
import type { Home } from './home.ts';
import { prompt, record } from './records.ts';

describe('deletes, meant and not meant', function () {
  this.timeout(120_000);
  let ground: Ground;
  let rog: Home;
  let mac: Home;
  let xps: Home;

  beforeEach(async () => {
    ground = await Ground.open();
    [rog, mac, xps] = ['rog', 'mac', 'xps'].map((name) => ground.home(name)) as [Home, Home, Home];
    // A machine whose last file goes counts as emptied, which is another promise.
    await rog.write('rules/stays.md', 'This one stays.\n');
  });

  afterEach(() => ground.close());

  async function writeSessions(home: Home, count: number): Promise<Map<string, string>> {
    const sessions = new Map<string, string>();
    for (let index = 0; index < count; index += 1) {
      const session = newSession();
      const lines = [1, 2, 3].map((turn) => record({ session, home, name: `${session}/${turn}` }));
      await home.append(home.sessionPath(session), ...lines);
      sessions.set(session, lines.map((line) => `${line}\n`).join(''));
    }
    return sessions;
  }

  async function writeAgents(home: Home, count: number): Promise<string[]> {
    const paths: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const path = `agents/agent-${index}.md`;
      await home.write(path, `agent ${index}\n`);
      paths.push(path);
    }
    return paths;
  }

  it("Claude's clean-up of 30 % of the sessions on one machine loses nothing anywhere and does not spread", async () => {
    const sessions = await writeSessions(rog, 40);
    await ground.startHub();
    await ground.settle();
    const swept = [...sessions.keys()].slice(0, 12);
    for (const session of swept) await mac.remove(mac.sessionPath(session));
    await ground.settle();
    for (const [session, text] of sessions) {
      assert.equal(await rog.text(rog.sessionPath(session)), text);
      assert.equal(await xps.text(xps.sessionPath(session)), text);
      assert.equal((await ground.archived(`session/${session}`))?.toString(), text);
      const expected = swept.includes(session) ? null : text;
      assert.equal(await mac.text(mac.sessionPath(session)), expected, 'what was swept is not pushed again');
    }
    const report = await ground.report('mac');
    assert.deepEqual([report.status, report.unsettled?.evicted], ['online', swept.length]);

    const [one = ''] = swept;
    await ground.json('restore', one, '--machine', 'mac');
    await ground.settle();
    assert.equal(await mac.text(mac.sessionPath(one)), sessions.get(one), 'one command brings it back');
    const line = record({ session: swept[1] ?? '', home: rog, name: 'more' });
    await rog.append(rog.sessionPath(swept[1] ?? ''), line);
    await ground.settle();
    assert.equal(
      await mac.text(mac.sessionPath(swept[1] ?? '')),
      `${sessions.get(swept[1] ?? '')}${line}\n`,
      'new records bring it back whole',
    );
  });

  it('what was swept stays swept when the hub is restarted', async () => {
    const [session = ''] = (await writeSessions(rog, 1)).keys();
    await ground.startHub();
    await ground.settle();
    await mac.remove(mac.sessionPath(session));
    await ground.settle();
    await ground.restartHub('SIGKILL');
    await ground.settle();
    assert.equal(await mac.read(mac.sessionPath(session)), null);
    assert.ok(await rog.read(rog.sessionPath(session)));
  });

  it('a document that is deleted on one machine is deleted on all, and one command brings it back', async () => {
    await rog.write('agents/reviewer.md', 'Review.\n');
    await ground.startHub();
    await ground.settle();
    await xps.remove('agents/reviewer.md');
    await ground.settle();
    for (const home of [rog, mac, xps]) assert.equal(await home.text('agents/reviewer.md'), null);
    const [deleted] = await ground.versions('agents/reviewer.md');
    assert.equal(deleted?.reason, 'deleted');
    await ground.json('restore', 'agents/reviewer.md');
    await ground.settle();
    for (const home of [rog, mac, xps]) assert.equal(await home.text('agents/reviewer.md'), 'Review.\n');
  });

  it('a document that another machine changes at the same time is not deleted', async () => {
    await rog.write('CLAUDE.md', 'one\n');
    await ground.startHub();
    await ground.settle();
    await ground.endHub();
    await rog.remove('CLAUDE.md');
    await mac.write('CLAUDE.md', 'two\n');
    await ground.startHub();
    await ground.settle();
    for (const home of [rog, mac, xps]) assert.equal(await home.text('CLAUDE.md'), 'two\n');
  });

  it('an editor that deletes and writes anew when it saves deletes nothing anywhere', async () => {
    await rog.write('CLAUDE.md', 'before\n');
    await ground.startHub();
    await ground.settle();
    await rog.remove('CLAUDE.md');
    await until(
      'the hub looks at the missing file',
      async () => (await ground.report('rog')).pending > 0 || !(await ground.status()).inSync,
    );
    await rog.write('CLAUDE.md', 'after\n');
    await ground.settle();
    for (const home of [rog, mac, xps]) assert.equal(await home.text('CLAUDE.md'), 'after\n');
    assert.ok((await ground.versions('CLAUDE.md')).every(({ reason }) => reason !== 'deleted'));
  });

  it('fifty documents deleted at once stop the machine, and --refill brings them back', async () => {
    const paths = await writeAgents(rog, 60);
    await ground.startHub();
    await ground.settle();
    for (const path of paths.slice(0, 50)) await mac.remove(path);
    await until('mac is stopped', async () => (await ground.report('mac')).status === 'quarantined');
    for (const path of paths) assert.ok(await rog.read(path), 'nothing was passed on');
    const { reason } = await ground.report('mac');
    assert.match(reason ?? '', /machines resume/);
    const { alerts, inSync } = await ground.status();
    assert.ok(alerts.some(({ id }) => id === 'quarantine/mac'));
    assert.ok(inSync !== undefined);

    const undecided = await ground.run('machines', 'resume', 'mac');
    assert.equal(undecided.code, 2, undecided.stderr);
    await ground.json('machines', 'resume', 'mac', '--refill');
    await ground.settle();
    for (const path of paths) assert.equal(await mac.text(path), await rog.text(path), path);
    assert.equal((await ground.report('mac')).status, 'online');
  });

  it('fifty documents deleted at once are deleted everywhere after --accept-deletes, and still restorable', async () => {
    const paths = await writeAgents(rog, 60);
    await ground.startHub();
    await ground.settle();
    for (const path of paths.slice(0, 50)) await mac.remove(path);
    await until('mac is stopped', async () => (await ground.report('mac')).status === 'quarantined');
    const preview = await ground.json<{ plans: { mode: string; deleted: number }[] }>(
      'machines',
      'resume',
      'mac',
      '--accept-deletes',
      '--preview',
    );
    assert.deepEqual(
      preview.plans.map(({ mode, deleted }) => [mode, deleted]),
      [['accept-deletes', 50]],
    );
    await ground.json('machines', 'resume', 'mac', '--accept-deletes');
    await ground.settle();
    for (const home of [rog, mac, xps])
      assert.deepEqual(await home.files(), [...paths.slice(50), 'rules/stays.md'].sort());
    await ground.json('restore', paths[0] ?? '');
    await ground.settle();
    for (const home of [rog, mac, xps]) assert.equal(await home.text(paths[0] ?? ''), 'agent 0\n');

    for (let index = 0; index < 30; index += 1) await rog.write(`commands/c${index}.md`, 'run\n');
    await ground.settle();
    await mac.remove('commands');
    await until('the safeguard is on again', async () => (await ground.report('mac')).status === 'quarantined');
    assert.equal((await rog.files()).length, 42);
  });

  it('a Claude folder that was emptied stops its machine and empties no other, hub running or not', async () => {
    const sessions = await writeSessions(rog, 5);
    const paths = await writeAgents(rog, 5);
    await ground.startHub();
    await ground.settle();
    await ground.endHub();
    await mac.remove('.');
    await mac.make();
    await ground.startHub();
    await until('mac is stopped', async () => (await ground.report('mac')).status === 'quarantined');
    for (const session of sessions.keys()) assert.ok(await xps.read(xps.sessionPath(session)));
    for (const path of paths) assert.ok(await rog.read(path));
    await ground.json('machines', 'resume', 'mac', '--refill');
    await ground.settle();
    assert.deepEqual((await mac.files()).length, 11);

    for (const folder of ['projects', 'agents', 'rules', '.claude-sync']) await xps.remove(folder);
    await until(
      'xps is stopped',
      async () => (await ground.run('sync'), (await ground.report('xps')).status === 'quarantined'),
    );
    for (const path of paths) assert.ok(await rog.read(path));
    await ground.json('machines', 'resume', 'xps', '--refill');
    await ground.settle();
    assert.deepEqual((await xps.files()).length, 11);
  });

  it('forget removes a session everywhere, and a machine that was paused meanwhile does not bring it back', async () => {
    const [session = '', other = ''] = (await writeSessions(rog, 2)).keys();
    const sidecar = rog.sessionPath(session).replace('.jsonl', '/tool-results/one.txt');
    await rog.write(sidecar, 'result\n');
    await rog.append(
      'history.jsonl',
      prompt(rog, session, 'forget me', Date.now() - 5_000),
      prompt(rog, other, 'keep me', Date.now()),
    );
    await ground.startHub();
    await ground.settle();
    await ground.json('machines', 'pause', 'mac');
    await ground.json('forget', session, '--yes');
    await ground.settle();
    assert.ok(await mac.read(mac.sessionPath(session)), 'a paused machine is not touched');
    await mac.append(mac.sessionPath(session), record({ session, home: mac, name: 'while paused' }));
    await ground.json('machines', 'resume', 'mac');
    await ground.settle();
    for (const home of [rog, mac, xps]) {
      assert.deepEqual(
        (await home.files()).filter((path) => path.includes(session)),
        [],
      );
      assert.ok(await home.read(home.sessionPath(other)), 'the other session stays');
      assert.equal((await home.text('history.jsonl'))?.includes('keep me'), true);
    }
    assert.equal(await ground.archived(`session/${session}`), null);
    await ground.restartHub();
    await ground.settle();
    for (const home of [rog, mac, xps])
      assert.deepEqual(
        (await home.files()).filter((path) => path.includes(session)),
        [],
      );
    const gone = await ground.run('versions', session, '--json');
    assert.equal(gone.code, 1, gone.stdout);
  });

  it('forget removes the prompts of the session from the history of every machine', async () => {
    const [session = '', other = ''] = (await writeSessions(rog, 2)).keys();
    await rog.append(
      'history.jsonl',
      prompt(rog, session, 'forget me', Date.now() - 5_000),
      prompt(rog, other, 'keep me', Date.now()),
    );
    await ground.startHub();
    await ground.settle();
    await ground.json('forget', session, '--yes');
    await ground.settle();
    for (const home of [rog, mac, xps]) {
      const text = await home.text('history.jsonl');
      assert.equal(text?.includes('forget me'), false);
      assert.equal(text?.includes('keep me'), true);
    }
  });
});
