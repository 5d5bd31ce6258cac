import assert from 'node:assert/strict';
import { skipWhere } from '../fixtures/ssh/availability.ts';
import { processes } from '../fixtures/ssh/processes.ts';
import { Prng } from '../simulation/prng.ts';
import { Conversation } from './conversation.ts';
import { newSession, until } from './ground.ts';
import { SshGround, type SpokeName } from './ssh-ground.ts';

/** A run is repeated with CLAUDE_SYNC_SEED=<the number it printed> (as far as real processes can be). */
const SEED = process.env['CLAUDE_SYNC_SEED'] ?? String(Date.now() % 1_000_000);
/** Per machine. */
const CUTS = Number(process.env['CLAUDE_SYNC_CUTS'] ?? 12);
const KILLS = 8;

describe('connections to SSH machines that fail', function () {
  this.timeout(150_000);
  let ground: SshGround;

  before(skipWhere(() => SshGround.unavailable()));

  afterEach(() => ground.close());

  async function open(...spokes: SpokeName[]): Promise<void> {
    ground = await SshGround.open({ spokes, config: { sync: { pollSeconds: 1 } } });
    await ground.hub.startHub();
    for (const name of spokes) await ground.untilStatus(name, 'online', 30_000);
  }

  const home = (name: SpokeName | 'xps') => ground.home(name);

  /** One writer per machine, each to a conversation of its own. */
  function startWriters(prng: Prng): { readonly talks: readonly Conversation[]; stop(): Promise<void> } {
    let stopped = false;
    const talks: Conversation[] = [];
    const writers = [...ground.hub.homes].map(async ([name, at]) => {
      const chance = prng.fork(`writer ${name}`);
      const talk = new Conversation(newSession());
      talks.push(talk);
      for (let turn = 0; !stopped; turn += 1) {
        await talk.say(at, `${name} ${turn}`, chance.int(1, 9_000));
        await pause(chance.int(20, 120));
      }
    });
    return {
      talks,
      stop: async () => {
        stopped = true;
        await Promise.all(writers);
      },
    };
  }

  it(`cut in the middle of appends, at any byte, under writers that never stop: no line is lost or doubled (seed ${SEED})`, async () => {
    const spokes = ['rog', 'mac', 'nelly'] as const;
    await open(...spokes);
    const prng = new Prng(SEED);
    const writers = startWriters(prng);
    try {
      await Promise.all(
        spokes.map(async (name) => {
          const { link } = ground.machine(name);
          const chance = prng.fork(`cuts ${name}`);
          for (let cut = 0; cut < CUTS; cut += 1) {
            // A handshake takes about 3 KB each way: most cuts are to be in what follows it.
            const bytes = chance.float() < 0.15 ? chance.int(1, 3_000) : chance.int(4_000, 40_000);
            let isCut = false;
            void link.cutAfter(bytes, chance.float() < 0.7 ? 'toServer' : 'toClient').then(() => (isCut = true));
            await until(`${name} is cut for the ${cut + 1}. time`, () => isCut, 60_000);
          }
        }),
      );
    } catch (error) {
      console.log(`failed with CLAUDE_SYNC_SEED=${SEED}`);
      throw error;
    } finally {
      await writers.stop();
    }
    await ground.assertCaughtUp(writers.talks, 90_000);
    for (const talk of writers.talks) {
      const head = await ground.hub.archived(`session/${talk.session}`);
      assert.ok(head?.equals((await talk.heldBy(home('xps')))!), 'the archive has the same bytes');
    }
    assert.deepEqual((await ground.hub.status()).conflicts, { open: 0 });
  });

  it(`kill -9 of the hub, again and again, in the middle of what it does over SSH: no line is lost or doubled (seed ${SEED})`, async () => {
    await open('rog', 'mac', 'nelly');
    const prng = new Prng(SEED).fork('kills');
    const writers = startWriters(prng);
    try {
      for (let kill = 0; kill < KILLS; kill += 1) {
        await pause(prng.int(0, 2_000));
        await ground.hub.restartHub('SIGKILL');
      }
    } finally {
      await writers.stop();
    }
    await ground.assertCaughtUp(writers.talks, 90_000);
  });

  /** Freezes what serves a machine while `bytes` that the hub sends are under way there, then breaks the connection. */
  async function strand(name: SpokeName, bytes: number, cause: () => Promise<unknown>): Promise<() => Promise<void>> {
    const machine = ground.machine(name);
    const { link } = machine;
    const pids = await machine.sftpServers();
    link.latencyMs = 100;
    const arrived = link.passed.toServer + bytes;
    // At once: the bytes are under way no longer than the latency.
    const frozen = link.taken(bytes, 'toServer').then(() => machine.freeze(pids));
    await cause();
    const thaw = await frozen;
    await until('the bytes are on the machine', () => link.passed.toServer >= arrived);
    link.latencyMs = 0;
    link.cut();
    return async () => {
      thaw();
      const isOver = async () => !(await processes()).some(({ pid }) => pids.includes(pid));
      await until('what was stranded is done', isOver);
    };
  }

  it('an append that was queued before a stall and is done after the reconnect doubles nothing', async () => {
    await open('rog', 'mac');
    const talk = new Conversation(newSession());
    for (let turn = 0; turn < 5; turn += 1) {
      const before = await talk.say(home('xps'), `before ${turn}`);
      await talk.reaches(before, ground.hub.homes, 20_000);
      const finish = await strand('rog', 16_000, () => talk.say(home('xps'), `stranded ${turn}`, 20_000));
      await talk.reaches(talk.lines.at(-1)!, ground.hub.homes, 40_000);
      await finish();
      await talk.say(home('rog'), `after ${turn}`);
    }
    await ground.assertCaughtUp([talk]);
  });

  it('a file that was on its way before a stall does not come back over a newer one', async () => {
    await open('rog');
    const path = 'agents/a.md';
    await home('xps').write(path, 'first\n');
    await until('it is there', async () => (await home('rog').text(path)) === 'first\n');
    const finish = await strand('rog', 16_000, () => home('xps').write(path, 'stranded\n'.repeat(3_000)));
    await home('xps').write(path, 'newest\n');
    await until('the newest is there', async () => (await home('rog').text(path)) === 'newest\n', 40_000);
    await finish();
    await ground.assertCaughtUp([]);
    for (const [name, there] of ground.hub.homes) assert.equal(await there.text(path), 'newest\n', name);
    assert.deepEqual(await home('rog').files(), [path], 'nothing half-written is left over');
  });

  it("on Windows, too, a write that is done late loses nothing, and is in nobody else's copy twice", async () => {
    await open('nelly', 'rog');
    const talk = new Conversation(newSession());
    await talk.reaches(await talk.say(home('xps'), 'before'), ground.hub.homes, 20_000);
    const finish = await strand('nelly', 16_000, () => talk.say(home('xps'), 'stranded', 20_000));
    await talk.reaches(talk.lines.at(-1)!, ground.hub.homes, 40_000);
    await finish();
    await talk.reaches(await talk.say(home('rog'), 'after'), ground.hub.homes, 20_000);
    await ground.hub.settle();
    // A session may be open there for all that the hub can tell; its file is only appended to then (docs/sync.md section 6).
    const others = [...ground.hub.homes].filter(([name]) => name !== 'nelly');
    assert.equal(await talk.trouble(others), null);
    const there = (await talk.heldBy(home('nelly')))!.toString();
    for (const line of talk.lines) assert.ok(there.includes(`${line}\n`));
  });

  it('a server that is restarted is found again, and what both sides wrote meanwhile is everywhere', async () => {
    await open('rog', 'mac');
    const talks = [new Conversation(newSession()), new Conversation(newSession())] as const;
    for (const talk of talks) await talk.reaches(await talk.say(home('xps'), 'before'), ground.hub.homes, 20_000);
    const { sshd } = ground.machine('rog');
    await sshd.stop();
    await ground.untilStatus('rog', 'degraded', 15_000);
    assert.ok((await ground.hub.report('rog')).reason, 'why is said');
    await talks[0].say(home('rog'), 'on rog meanwhile');
    const line = await talks[1].say(home('xps'), 'on xps meanwhile');
    await talks[1].reaches(line, [['mac', home('mac')]], 10_000);
    await sshd.begin();
    await ground.assertCaughtUp(talks);
  });

  it('one that is silent and one that is frozen are named, delay nobody, and catch up', async () => {
    await open('rog', 'mac', 'nelly');
    const talks = [
      new Conversation(newSession()),
      new Conversation(newSession()),
      new Conversation(newSession()),
    ] as const;
    for (const talk of talks) await talk.reaches(await talk.say(home('xps'), 'before'), ground.hub.homes, 20_000);
    // A black hole: nothing passes, nothing breaks. And every process of a machine stopped: its kernel still answers.
    const { link } = ground.machine('rog');
    link.stall();
    const mac = ground.machine('mac');
    mac.link.refuse(true);
    const thaw = await mac.freeze(await mac.sshd.sessions());
    await talks[1].say(home('rog'), 'on rog, unheard');
    await talks[2].say(home('mac'), 'on mac, unheard');
    const slowest = { 'xps -> nelly': 0, 'nelly -> xps': 0 };
    const named = new Set<string>();
    await until(
      'both are named',
      async () => {
        for (const [from, to, way] of [
          ['xps', 'nelly', 'xps -> nelly'],
          ['nelly', 'xps', 'nelly -> xps'],
        ] as const) {
          const begun = performance.now();
          const line = await talks[0].say(home(from), `${way} ${talks[0].lines.length}`);
          await talks[0].reaches(line, [[to, home(to)]], 15_000);
          slowest[way] = Math.max(slowest[way], performance.now() - begun);
        }
        for (const { name, status, reason } of (await ground.hub.status()).machines) {
          if (status === 'degraded' && reason !== null) named.add(name);
        }
        return named.has('rog') && named.has('mac');
      },
      75_000,
    );
    // A machine that hears nothing holds up nobody: what a line takes is what it takes otherwise (polling: 1 s here).
    assert.ok(slowest['xps -> nelly'] < 2_000, `xps -> nelly took ${slowest['xps -> nelly']} ms`);
    assert.ok(slowest['nelly -> xps'] < 4_000, `nelly -> xps took ${slowest['nelly -> xps']} ms`);
    assert.equal((await ground.hub.report('nelly')).status, 'online');
    link.go();
    mac.link.refuse(false);
    thaw();
    await ground.assertCaughtUp(talks, 90_000);
  });

  it('away for a while, with edits on both sides: all is there once, and nothing is sent that was there before', async () => {
    await open('rog', 'mac');
    const [old, both] = [new Conversation(newSession()), new Conversation(newSession())];
    for (let turn = 0; turn < 60; turn += 1) await old.say(home('xps'), `old ${turn}`, 50_000);
    await both.say(home('rog'), 'before');
    await home('xps').write('CLAUDE.md', 'first\n');
    await ground.assertCaughtUp([old, both]);
    const { link } = ground.machine('rog');
    link.refuse(true);
    link.cut();
    await ground.untilStatus('rog', 'degraded', 15_000);
    for (let turn = 0; turn < 10; turn += 1) {
      // Two machines go on with one conversation, and neither knows of the other.
      await both.say(home('rog'), `on rog ${turn}`);
      await both.say(home('mac'), `on mac ${turn}`);
    }
    await home('rog').write('agents/of-rog.md', 'of rog\n');
    await home('mac').write('agents/of-mac.md', 'of mac\n');
    await home('mac').write('CLAUDE.md', 'second\n');
    const before = link.passed;
    link.refuse(false);
    await ground.assertCaughtUp([old, both]);
    const sent = link.passed.toServer - before.toServer;
    const read = link.passed.toClient - before.toClient;
    assert.ok(sent < 500_000 && read < 500_000, `${sent} bytes sent and ${read} read; the old conversation has 3 MB`);
    for (const [name, there] of ground.hub.homes) {
      assert.equal(await there.text('agents/of-rog.md'), 'of rog\n', name);
      assert.equal(await there.text('agents/of-mac.md'), 'of mac\n', name);
      assert.equal(await there.text('CLAUDE.md'), 'second\n', name);
    }
    assert.deepEqual((await ground.hub.status()).conflicts, { open: 0 });
  });
});

/** Between two acts of a writer; nothing is concluded from how long it took. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
