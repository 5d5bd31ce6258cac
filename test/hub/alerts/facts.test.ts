import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HealthFacts, MachineFacts } from '../../../src/core/alerts/facts.ts';
import { findingsOf } from '../../../src/core/alerts/rules.ts';
import { HubFacts } from '../../../src/hub/alerts/facts.ts';
import { HubGround, until } from '../hub-ground.ts';

const DAY = 86_400_000;

describe('the facts that alerts are made of', function () {
  this.timeout(60_000);
  let ground: HubGround;
  let source: HubFacts;
  let troubles: Error[];

  beforeEach(async () => {
    ground = await HubGround.open();
    troubles = [];
    source = facts();
  });
  afterEach(() => ground.close());

  function facts(): HubFacts {
    return new HubFacts({
      hub: () => ground.hub,
      clock: ground.clock,
      onTrouble: (error) => void troubles.push(error),
    });
  }
  function of(name: string, found: HealthFacts = source.collect()): MachineFacts {
    const machine = found.machines.find((one) => one.name === name);
    assert.ok(machine);
    return machine;
  }
  const ids = (): string[] => findingsOf(source.collect(), () => undefined).map(({ id }) => id);
  const settled = (): Promise<void> => until('it is in sync', () => ground.hub.engine.settled());

  it('nothing is wrong with a hub that has just begun, and soon everything is known', async () => {
    assert.deepEqual(ids(), []);
    await settled();
    await until('all is known', () =>
      source.collect().machines.every(({ clock, watcher, space, cleanUp }) => clock && watcher && space && cleanUp),
    );
    const found = source.collect();
    assert.ok(found.hubSpace !== null && found.hubSpace.freeBytes > 0);
    assert.deepEqual(of('rog').watcher, { state: 'well', reason: null, fix: null });
    assert.deepEqual(of('rog').clock?.offsetMs, 0);
    assert.deepEqual(of('rog').cleanUp, { days: 30, sessions: 0, earliestAt: null });
    assert.deepEqual(troubles, []);
  });

  it('a machine that hangs holds up nobody', async () => {
    await settled();
    const rog = ground.hub.engine.links.get('rog');
    assert.ok(rog);
    rog.replica.space = () => new Promise(() => undefined);
    rog.replica.look = () => new Promise(() => undefined);
    await until('mac is known', () => of('mac').space !== null && of('mac').cleanUp !== null);
    assert.deepEqual([of('rog').space, of('rog').cleanUp], [null, null]);
  });

  it('sessions that only one machine has are counted, with the age that its settings say', async () => {
    await settled();
    const session = randomUUID();
    const line = `${JSON.stringify({ type: 'user', uuid: randomUUID(), sessionId: session, cwd: '/x', timestamp: new Date(ground.clock.now() - 28 * DAY).toISOString() })}\n`;
    await ground.write('mac', 'settings.json', '{"cleanupPeriodDays": 365}');
    // Its age is there before it is: a change of that alone is no activity.
    const aside = join(ground.root, 'aside.jsonl');
    await writeFile(aside, line, { mode: 0o600 });
    const at = ground.clock.now() - 28 * DAY;
    await utimes(aside, at / 1000, at / 1000);
    await mkdir(join(ground.claudeDir('rog'), 'projects/-x'), { recursive: true });
    await rename(aside, join(ground.claudeDir('rog'), `projects/-x/${session}.jsonl`));
    const { store, engine } = ground.hub;
    const key = `session/${session}`;
    await until('both have it', () => store.pairs.ofKey(key).filter(({ base }) => base?.kind === 'file').length === 2);
    await until('the ages are known', () => of('rog').cleanUp !== null && of('mac').cleanUp !== null);
    assert.equal(of('rog').cleanUp?.sessions, 0);
    // mac has it no more.
    const pair = store.pairs.get('mac', key);
    assert.ok(pair);
    store.pairs.put({ ...pair, base: null });
    source = facts();
    await until('it is found', () => of('rog').cleanUp !== null && of('mac').cleanUp !== null);
    assert.deepEqual([of('rog').cleanUp?.sessions, of('mac').cleanUp?.sessions], [1, 0]);
    assert.equal(of('mac').cleanUp?.days, 365);
    assert.ok(ids().includes('clean-up/rog'));
    assert.ok(engine.links.get('rog')?.connected);
  });

  it('a watcher that told of its limit is at it until it is connected anew', async () => {
    await settled();
    const rog = ground.hub.engine.links.get('rog');
    assert.ok(rog);
    let told: string | null = 'the system has no more file watches, raise fs.inotify.max_user_watches';
    Object.defineProperty(rog, 'status', { get: () => ({ status: 'online', reason: told }) });
    assert.ok(ids().includes('watcher/rog'));
    told = null;
    assert.ok(ids().includes('watcher/rog'));
    ground.hub.store.machines.put({ ...rog.row, connectionEpoch: rog.row.connectionEpoch + 1 });
    assert.ok(!ids().includes('watcher/rog'));
  });

  it('a paused machine is not asked', async () => {
    await settled();
    const rog = ground.hub.engine.links.get('rog');
    assert.ok(rog);
    rog.setPaused(true);
    let asked = 0;
    rog.replica.space = async () => {
      asked += 1;
      return null;
    };
    source = facts();
    const { space, clock, watcher, cleanUp, status } = of('rog');
    assert.deepEqual([space, clock, watcher, cleanUp, status, asked], [null, null, null, null, 'paused', 0]);
  });

  it('what the engine tells is counted: failures in a row, and files that go back and forth', () => {
    const tell = (kind: 'retry' | 'failed'): boolean =>
      source.note({ kind, machine: 'rog', key: 'agents/a.md', reason: 'busy' });
    assert.deepEqual([tell('retry'), tell('retry'), tell('failed')], [true, true, true]);
    assert.deepEqual(of('rog').failures, { givenUp: 0, reason: null, inARow: 3, lastReason: 'busy' });
    assert.deepEqual(ids(), ['failed/rog']);
    source.note({ kind: 'delivered', machine: 'rog', key: 'k', bytes: 1, latencyMs: 1, isWhole: true });
    assert.deepEqual(ids(), []);
    for (let n = 0; n < 50; n += 1)
      for (const key of ['agents/a.md', 'history', `session/${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}`])
        source.note({ kind: 'taken', machine: n % 2 === 0 ? 'rog' : 'mac', key });
    assert.deepEqual(ids(), ['loop/agents/a.md']);
  });

  it('open conflicts, configuration and approvals come from the hub', async () => {
    await settled();
    const side = { sha256: null, bytes: 0, mtimeMs: 0 };
    ground.hub.store.conflicts.add({
      ...{ key: 'CLAUDE.md', at: ground.clock.now(), status: 'open', baseSha256: null, strategy: 'manual' },
      ...{ winner: null, resolvedAt: null, resolution: null },
      sides: [
        { machine: 'rog', ...side },
        { machine: 'mac', ...side },
      ],
    });
    ground.hub.noteConfigProblem('line 3: no');
    assert.deepEqual(ids(), ['configuration', 'conflict/1']);
    ground.hub.noteConfigProblem(null);
    assert.deepEqual(ids(), ['conflict/1']);
  });
});
