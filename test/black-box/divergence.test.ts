import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ground, newSession, until } from './ground.ts';
import type { Home } from './home.ts';
import { compaction, record, uuidOf } from './records.ts';

const MINUTE = 60_000;

interface Conflicts {
  readonly conflicts: {
    readonly id: number;
    readonly key: string;
    readonly status: string;
    readonly winner: string | null;
  }[];
}

describe('two machines that went on by themselves', function () {
  this.timeout(120_000);
  let ground: Ground;
  let rog: Home;
  let mac: Home;
  let xps: Home;

  async function open(options: Parameters<typeof Ground.open>[0] = {}): Promise<void> {
    ground = await Ground.open(options);
    [rog, mac, xps] = ['rog', 'mac', 'xps'].map((name) => ground.home(name)) as [Home, Home, Home];
  }

  afterEach(() => ground.close());

  /** A session of three turns that all machines hold; the hub is stopped then. */
  async function shared(): Promise<string> {
    const session = newSession();
    const at = Date.now() - 10 * MINUTE;
    const lines = [1, 2, 3].map((turn) =>
      record({
        session,
        home: rog,
        name: `common ${turn}`,
        parent: turn === 1 ? null : `common ${turn - 1}`,
        at: at + turn,
      }),
    );
    await rog.append(rog.sessionPath(session), ...lines);
    await ground.startHub();
    await ground.settle();
    await ground.endHub();
    return session;
  }

  const everywhere = async (read: (home: Home) => Promise<string | null>): Promise<string> => {
    const texts = await Promise.all([rog, mac, xps].map(read));
    assert.equal(texts[1], texts[0], 'mac is as rog');
    assert.equal(texts[2], texts[0], 'xps is as rog');
    assert.ok(texts[0] !== null && texts[0] !== undefined);
    return texts[0];
  };

  it('a session continued on two machines holds the lines of both on all of them, each once, each side in its order', async () => {
    await open();
    const session = await shared();
    const at = Date.now() - MINUTE;
    const sides = [rog, mac].map((home, side) =>
      [1, 2, 3, 4].map((turn) =>
        record({
          session,
          home,
          name: `${side} ${turn}`,
          parent: turn === 1 ? 'common 3' : `${side} ${turn - 1}`,
          at: at + side * 1_000 + turn,
        }),
      ),
    );
    await rog.append(rog.sessionPath(session), ...(sides[0] ?? []));
    await mac.append(mac.sessionPath(session), ...(sides[1] ?? []));
    await ground.startHub();
    await ground.settle();
    const text = await everywhere((home) => home.text(home.sessionPath(session)));
    assert.equal((await ground.archived(`session/${session}`))?.toString(), text);
    const lines = text.split('\n').slice(0, -1);
    for (const side of sides) {
      const places = side.map((line) => lines.indexOf(line));
      assert.ok(places[0] !== undefined && places[0] >= 3);
      assert.deepEqual(
        places,
        [...places].sort((a, b) => a - b),
      );
    }
    assert.equal(new Set(lines).size, lines.length, 'no line twice');
    const records = lines.filter((line) => line.includes('"uuid"'));
    assert.equal(records.length, 11);

    // What resumes is the branch with the newest activity, wherever its lines lie.
    const checkpoint = lines.findLast((line) => line.includes('"last-prompt"'));
    const leaf = checkpoint === undefined ? records.at(-1) : checkpoint;
    assert.ok(leaf?.includes(uuidOf('1 4')), leaf);
  });

  it('later lines of both sides reach all, and nothing is written twice', async () => {
    await open();
    const session = await shared();
    for (const [index, home] of [rog, mac].entries())
      await home.append(
        home.sessionPath(session),
        record({ session, home, name: `side ${index}`, parent: 'common 3' }),
      );
    await ground.startHub();
    await ground.settle();
    for (let turn = 0; turn < 10; turn += 1) {
      const home = [rog, mac, xps][turn % 3] ?? rog;
      await home.append(home.sessionPath(session), record({ session, home, name: `later ${turn}` }));
    }
    await ground.settle();
    const lines = (await everywhere((home) => home.text(home.sessionPath(session)))).split('\n');
    for (let turn = 0; turn < 10; turn += 1)
      assert.equal(
        lines.filter((line) => line.includes(`"uuid":"${uuidOf(`later ${turn}`)}"`)).length,
        1,
        `later ${turn}`,
      );
  });

  it('a compaction on one side makes two sessions, and both are whole on all machines', async () => {
    await open();
    const session = await shared();
    const at = Date.now() - MINUTE;
    const macs = [
      record({ session, home: mac, name: 'mac 1', parent: 'common 3', at }),
      record({ session, home: mac, name: 'mac 2', parent: 'mac 1', at: at + 1 }),
    ];
    await mac.append(mac.sessionPath(session), ...macs);
    const rogs = [
      compaction({ session, home: rog, name: 'boundary', parent: 'common 3', at: at + 5_000 }),
      record({ session, home: rog, name: 'rog 1', parent: 'boundary', at: at + 5_001 }),
    ];
    await rog.append(rog.sessionPath(session), ...rogs);
    await ground.startHub();
    await ground.settle();
    const kept = await everywhere((home) => home.text(home.sessionPath(session)));
    assert.ok(kept.includes(uuidOf('rog 1')) && !kept.includes(uuidOf('mac 1')), 'the newest side keeps the session');
    const names = (await rog.files()).filter((path) => path.endsWith('.jsonl')).map((path) => path.slice(-41, -6));
    const fork = (await rog.files()).find((path) => path.endsWith('.jsonl') && !path.includes(session));
    assert.ok(fork, names.join());
    const other = fork.slice(-42, -6);
    const text = await everywhere((home) => home.text(home.sessionPath(other)));
    const ids = text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { uuid: string; sessionId: string });
    assert.deepEqual(
      ids.map(({ uuid }) => uuid),
      ['common 1', 'common 2', 'common 3', 'mac 1', 'mac 2'].map(uuidOf),
    );
    assert.ok(ids.every(({ sessionId }) => sessionId === other));
  });

  it('changes to different parts of CLAUDE.md are both kept', async () => {
    await open();
    const text = ['# One', 'a', 'b', 'c', '', '# Two', 'd', 'e', 'f', ''].join('\n');
    await rog.write('CLAUDE.md', text);
    await ground.startHub();
    await ground.settle();
    await ground.endHub();
    await rog.write('CLAUDE.md', text.replace('a\n', 'a from rog\n'));
    await mac.write('CLAUDE.md', text.replace('f\n', 'f from mac\n'));
    await ground.startHub();
    await ground.settle();
    const merged = await everywhere((home) => home.text('CLAUDE.md'));
    assert.equal(merged, text.replace('a\n', 'a from rog\n').replace('f\n', 'f from mac\n'));
    assert.deepEqual((await ground.json<Conflicts>('conflicts', 'list')).conflicts, []);
  });

  it('changes to the same line: the last one wins, the other is kept, and one command turns it round', async () => {
    await open();
    await rog.write('CLAUDE.md', 'tabs\n');
    await ground.startHub();
    await ground.settle();
    await ground.endHub();
    await rog.write('CLAUDE.md', 'two spaces\n');
    await mac.write('CLAUDE.md', 'four spaces\n');
    await rog.age('CLAUDE.md', 1 / 24);
    await ground.startHub();
    await ground.settle();
    assert.equal(await everywhere((home) => home.text('CLAUDE.md')), 'four spaces\n');
    const { conflicts } = await ground.json<Conflicts>('conflicts', 'list', '--all');
    assert.deepEqual(
      conflicts.map(({ key, status, winner }) => [key, status, winner]),
      [['CLAUDE.md', 'resolved', 'mac']],
    );
    const id = String(conflicts[0]?.id);
    await ground.json('conflicts', 'resolve', id, '--keep', 'rog');
    await ground.settle();
    assert.equal(await everywhere((home) => home.text('CLAUDE.md')), 'two spaces\n');
    const merged = join(ground.root, 'merged.md');
    await writeFile(merged, 'two or four spaces\n');
    await ground.json('conflicts', 'resolve', id, '--merged', merged);
    await ground.settle();
    assert.equal(await everywhere((home) => home.text('CLAUDE.md')), 'two or four spaces\n');
  });

  it('with strategy manual nobody is overwritten until the user has decided', async () => {
    await open({ config: { conflicts: { overrides: { 'CLAUDE.md': 'manual' } } } });
    await rog.write('CLAUDE.md', 'tabs\n');
    await ground.startHub();
    await ground.settle();
    await ground.endHub();
    await rog.write('CLAUDE.md', 'two spaces\n');
    await mac.write('CLAUDE.md', 'four spaces\n');
    await ground.startHub();
    await ground.settle();
    assert.equal(await rog.text('CLAUDE.md'), 'two spaces\n');
    assert.equal(await mac.text('CLAUDE.md'), 'four spaces\n');
    const status = await ground.status();
    assert.equal(status.conflicts.open, 1);
    const { conflicts } = await ground.json<Conflicts>('conflicts', 'list');
    const shown = await ground.run('conflicts', 'show', String(conflicts[0]?.id));
    assert.match(shown.stdout, /two spaces/);
    assert.match(shown.stdout, /four spaces/);
    await ground.json('conflicts', 'resolve', String(conflicts[0]?.id), '--keep', 'mac');
    await ground.settle();
    assert.equal(await everywhere((home) => home.text('CLAUDE.md')), 'four spaces\n');
    assert.equal((await ground.status()).conflicts.open, 0);
  });

  it('on first pairing documents that differ are a question to the user, and nobody is overwritten', async () => {
    await open();
    await rog.write('CLAUDE.md', 'of rog\n');
    await mac.write('CLAUDE.md', 'of mac\n');
    await rog.write('agents/same.md', 'same\n');
    await mac.write('agents/same.md', 'same\n');
    await ground.startHub();
    await ground.settle();
    assert.equal(await rog.text('CLAUDE.md'), 'of rog\n');
    assert.equal(await mac.text('CLAUDE.md'), 'of mac\n');
    const { conflicts } = await ground.json<Conflicts>('conflicts', 'list');
    assert.deepEqual(
      conflicts.map(({ key }) => key),
      ['CLAUDE.md'],
    );
    await ground.json('conflicts', 'resolve', String(conflicts[0]?.id), '--keep', 'rog');
    await ground.settle();
    assert.equal(await everywhere((home) => home.text('CLAUDE.md')), 'of rog\n');
  });

  it('a document that one machine rewrites again and again is never a conflict', async () => {
    await open();
    await rog.write('CLAUDE.md', 'start\n');
    await ground.startHub();
    await ground.settle();
    for (let turn = 0; turn < 200; turn += 1) {
      const text = `turn ${turn}\n`.repeat(1 + (turn % 7));
      await (turn % 2 === 0 ? rog.write('CLAUDE.md', text) : rog.writeByRename('CLAUDE.md', text));
      await new Promise((resolve) => setTimeout(resolve, (turn * 37) % 60));
    }
    await ground.settle();
    assert.equal(await everywhere((home) => home.text('CLAUDE.md')), 'turn 199\n'.repeat(1 + (199 % 7)));
    assert.deepEqual((await ground.json<Conflicts>('conflicts', 'list', '--all')).conflicts, []);
  });

  it('what a machine with trust "data" brings of executable content waits for approval, and its conversations do not', async () => {
    await open({ entries: { mac: { trust: 'data' } } });
    await rog.write('CLAUDE.md', 'mine\n');
    await ground.startHub();
    await ground.settle();
    const session = newSession();
    await mac.append(mac.sessionPath(session), record({ session, home: mac, name: 'one' }));
    await mac.write('CLAUDE.md', 'changed on mac\n');
    await mac.write('agents/evil.md', 'do evil\n');
    await mac.write('agents/good.md', 'do good\n');
    await ground.settle();
    await until('both wait', async () => (await ground.status()).approvals?.waiting === 3);
    assert.ok(await rog.read(rog.sessionPath(session)));
    assert.equal(await rog.text('CLAUDE.md'), 'mine\n');
    assert.equal(await rog.text('agents/evil.md'), null);
    const { approvals } = await ground.json<{ approvals: { id: number; key: string }[] }>('approve', 'list');
    const idOf = (key: string): string => String(approvals.find((row) => row.key === key)?.id);
    assert.match((await ground.run('approve', 'show', idOf('agents/evil.md'))).stdout, /do evil/);
    await ground.json('approve', 'accept', idOf('agents/good.md'));
    await ground.json('approve', 'reject', idOf('agents/evil.md'));
    await ground.json('approve', 'accept', idOf('CLAUDE.md'));
    await ground.settle();
    for (const home of [rog, xps]) {
      assert.equal(await home.text('agents/good.md'), 'do good\n');
      assert.equal(await home.text('CLAUDE.md'), 'changed on mac\n');
      assert.equal(await home.text('agents/evil.md'), null);
    }
  });
});
