import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Head } from '../../../src/core/domain.ts';
import type { Archive } from '../../../src/hub/archive/archive.ts';
import { createArchive } from '../../../src/hub/archive/create-archive.ts';
import { ALL_GUARDS } from '../../../src/hub/engine/guards.ts';
import { SessionMarksReader } from '../../../src/hub/pulls/session-marks.ts';
import { createNodeFileSystem } from '../../../src/hub/replica/node-file-system.ts';
import { openStore } from '../../../src/hub/store/open-store.ts';
import type { Store } from '../../../src/hub/store/store.ts';
import { ManualClock } from '../store/manual-clock.ts';

const MTIME = 1_600_000_000_123.25;
const SAID_AT = Date.parse('2023-01-02T03:04:05.000Z');

const said = (branch: string, cwd = '/home/u/app', timestamp: string | null = '2023-01-02T03:04:05.000Z'): string =>
  `${JSON.stringify({ type: 'user', gitBranch: branch, cwd, uuid: 'u', timestamp })}\n`;
const linked = (number: number): string =>
  `${JSON.stringify({ type: 'pr-link', prUrl: `https://github.com/o/n/pull/${number}` })}\n`;
const padding = (bytes: number): string =>
  `${JSON.stringify({ type: 'attachment', text: 'x'.repeat(1_000) })}\n`.repeat(Math.ceil(bytes / 1_000));

/** A real store and a real archive, with an account of what is read. */
class Ground {
  readonly clock = new ManualClock();
  readonly troubles: Error[] = [];
  readonly reads: { key: string; bytes: number }[] = [];
  readonly folder: string;
  readonly archive: Archive;
  store: Store;
  reader: SessionMarksReader;
  /** Called at the beginning of each read. */
  onRead: (key: string) => void | Promise<void> = () => undefined;

  private constructor(folder: string, store: Store, archive: Archive) {
    this.folder = folder;
    this.store = store;
    const { reads } = this;
    const begun = async (key: string): Promise<void> => this.onRead(key);
    this.archive = {
      ...archive,
      async *read(key, from, to) {
        await begun(key);
        for await (const chunk of archive.read(key, from, to)) {
          reads.push({ key, bytes: chunk.length });
          yield chunk;
        }
      },
    };
    this.reader = this.#newReader();
  }

  static async open(): Promise<Ground> {
    const folder = await mkdtemp(join(tmpdir(), 'claude-sync-marks-'));
    const store = await openStore({ path: join(folder, 'sync.db'), clock: new ManualClock(), driver: 'inline' });
    const random = { hex: (bytes: number): string => randomBytes(bytes).toString('hex') };
    const archive = createArchive({ fs: createNodeFileSystem(folder), random, guards: ALL_GUARDS });
    await archive.open();
    return new Ground(folder, store, archive);
  }

  /** The hub stops and starts again. */
  async restart(): Promise<void> {
    await this.store.close();
    this.store = await openStore({ path: join(this.folder, 'sync.db'), clock: new ManualClock(), driver: 'inline' });
    this.reader = this.#newReader();
  }

  async write(session: string, text: string, more: Partial<Head> = {}): Promise<void> {
    const key = more.key ?? `session/${session}`;
    const at = this.store.heads.get(key)?.size ?? 0;
    await this.archive.append(key, at, Buffer.from(text));
    this.store.heads.put({
      ...{ key, seq: this.store.nextSeq(), kind: 'file', size: at + Buffer.byteLength(text), hash: null },
      ...{ mtimeMs: MTIME, executable: false, origin: 'rog', ...more },
    });
  }

  machine(name: string, os: string | null): void {
    this.store.machines.put({
      ...{ name, replicaId: null, claudeDir: null, home: null, os, status: 'online', reason: null },
      ...{ lastSeenAt: null, lastSyncAt: null, paused: false, quarantine: null, paired: true, connectionEpoch: 0 },
    });
  }

  branches(): Record<string, readonly string[]> {
    return Object.fromEntries([...this.reader.sessions()].map(({ session, marks }) => [session, marks.branches]));
  }

  repositories(): readonly string[] {
    return [...this.reader.sessions()].flatMap(({ repositories }) => repositories);
  }

  readKeys(): string[] {
    return this.reads.splice(0).map(({ key }) => key);
  }

  async close(): Promise<void> {
    await this.store.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  #newReader(): SessionMarksReader {
    const { store, archive, clock } = this;
    return new SessionMarksReader({ store, archive, clock, onTrouble: (error) => void this.troubles.push(error) });
  }
}

describe('marks of all sessions', () => {
  let ground: Ground;
  const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()];
  beforeEach(async () => (ground = await Ground.open()));
  afterEach(() => ground.close());

  it('are read from the archive, and kept over a restart', async () => {
    await ground.write(a, said('one') + linked(7));
    await ground.write(b, said('two', '/home/u/app', null));
    await ground.reader.refresh();
    const expected = [
      {
        session: a,
        at: SAID_AT,
        marks: {
          branches: ['one'],
          links: [{ repository: 'o/n', number: 7, url: 'https://github.com/o/n/pull/7' }],
          cwds: ['/home/u/app'],
          at: SAID_AT,
        },
        repositories: [],
      },
      {
        session: b,
        // No record tells a time: the head does.
        at: Math.floor(MTIME),
        marks: { branches: ['two'], links: [], cwds: ['/home/u/app'], at: null },
        repositories: [],
      },
    ].sort((one, other) => (one.session < other.session ? -1 : 1));
    const sessions = (): unknown =>
      [...ground.reader.sessions()].sort((one, other) => (one.session < other.session ? -1 : 1));
    assert.deepEqual(sessions(), expected);
    assert.equal(ground.readKeys().length, 2);

    await ground.restart();
    assert.deepEqual(sessions(), expected);
    await ground.reader.refresh();
    assert.deepEqual(ground.readKeys(), [], 'what was read is not read again');
    assert.deepEqual(ground.troubles, []);
  });

  it('are those of transcripts alone', async () => {
    const bytes = said('x');
    await ground.write('', bytes, { key: `session/${a}/subagents/agent-1.jsonl` });
    await ground.write('', bytes, { key: 'session/not-a-uuid' });
    await ground.write('', bytes, { key: 'history' });
    await ground.reader.refresh();
    assert.deepEqual([...ground.reader.sessions()], []);
    assert.deepEqual(ground.readKeys(), []);
  });

  it('cost no more than the two ends of a transcript', async () => {
    await ground.write(a, said('first') + padding(300_000) + said('middle') + padding(300_000) + said('last'));
    await ground.reader.refresh();
    assert.deepEqual(ground.branches(), { [a]: ['first', 'last'] });
    assert.equal(
      ground.reads.reduce((sum, { bytes }) => sum + bytes, 0),
      128 * 1024,
    );
  });

  it('follow a session that goes on, but not more than once a minute', async () => {
    await ground.write(a, said('one'));
    await ground.reader.refresh();
    await ground.write(a, said('two'));
    ground.clock.advance(59_000);
    await ground.reader.refresh();
    assert.deepEqual(ground.branches(), { [a]: ['one'] });
    ground.clock.advance(1_000);
    await ground.reader.refresh();
    assert.deepEqual(ground.branches(), { [a]: ['one', 'two'] });

    await ground.write(a, said('three'));
    await ground.reader.refresh(undefined, { now: true });
    assert.deepEqual(ground.branches(), { [a]: ['one', 'two', 'three'] }, 'at once when asked to');
  });

  it('go with the session', async () => {
    await ground.write(a, said('one'));
    await ground.write(b, said('two'));
    await ground.write(c, said('three'));
    await ground.reader.refresh();
    ground.store.heads.delete(`session/${a}`);
    ground.store.heads.put({
      ...(ground.store.heads.get(`session/${b}`) as Head),
      kind: 'tombstone',
      size: 0,
      seq: 99,
    });
    await ground.reader.refresh();
    assert.deepEqual(ground.branches(), { [c]: ['three'] });
  });

  it('do not come back when the session goes while it is read', async () => {
    await ground.write(a, said('one'));
    ground.onRead = () => ground.store.heads.delete(`session/${a}`);
    await ground.reader.refresh();
    assert.deepEqual(ground.branches(), {});
    assert.deepEqual([...ground.store.sessionMarks.values()], []);
  });

  it('are read of the others when the archive lacks one, which is told once and tried again', async () => {
    await ground.write(a, said('one') + padding(200_000));
    await ground.write(b, said('two'));
    await truncate(join(ground.folder, 'archive', 'session', `${a}.jsonl`), 100);
    await ground.reader.refresh();
    assert.deepEqual(ground.branches(), { [b]: ['two'] });
    assert.equal(ground.troubles.length, 1);
    assert.match(ground.troubles[0]?.message ?? '', new RegExp(a));
    ground.clock.advance(60_000);
    await ground.reader.refresh();
    assert.equal(ground.troubles.length, 1);

    await ground.archive.remove(`session/${a}`);
    ground.store.heads.delete(`session/${a}`);
    await ground.write(a, said('healed'));
    ground.clock.advance(60_000);
    await ground.reader.refresh();
    assert.deepEqual(ground.branches(), { [a]: ['healed'], [b]: ['two'] });
  });

  it('that are kept in a form that is not understood are read again, and do not hide the others', async () => {
    await ground.write(b, said('two'));
    await ground.reader.refresh();
    for (const json of ['', '{', 'null', '{}', '{"form":1,"branches":[7],"links":[],"cwds":[],"at":null}']) {
      await ground.write(a, said('one'));
      const { seq } = ground.store.heads.get(`session/${a}`) as Head;
      ground.store.sessionMarks.put({ session: a, seq, at: 1, json });
      assert.deepEqual(ground.branches(), { [b]: ['two'] });
      ground.clock.advance(60_000);
      await ground.reader.refresh();
      assert.deepEqual(ground.branches(), { [a]: ['one'], [b]: ['two'] });
    }
    assert.deepEqual(ground.troubles, []);
  });

  it('do not say that a session was active in the future', async () => {
    await ground.write(a, said('one', '/x', '9999-01-01T00:00:00Z'));
    await ground.reader.refresh();
    assert.deepEqual(
      [...ground.reader.sessions()].map(({ at }) => at),
      [Math.floor(MTIME)],
    );
  });

  it('are read by one run at a time; who asks meanwhile gets what came after the beginning of that run', async () => {
    await ground.write(a, said('one'));
    const order: string[] = [];
    let readers = 0;
    ground.onRead = async () => {
      readers += 1;
      assert.equal(readers, 1);
      await new Promise(setImmediate);
      readers -= 1;
    };
    const first = ground.reader.refresh().then(() => order.push('first'));
    await new Promise(setImmediate);
    await ground.write(b, said('two'));
    const second = ground.reader.refresh().then(() => order.push('second'));
    const third = ground.reader.refresh().then(() => order.push('third'));
    await first;
    await Promise.all([second, third]);
    assert.deepEqual(order, ['first', 'second', 'third']);
    assert.deepEqual(ground.branches(), { [a]: ['one'], [b]: ['two'] });
    assert.equal(ground.readKeys().length, 2);
  });

  it('stop being read when nobody waits for them any more', async () => {
    for (let at = 0; at < 5; at += 1) await ground.write(randomUUID(), said('x'));
    const stop = new AbortController();
    ground.onRead = () => stop.abort();
    await ground.reader.refresh(stop.signal);
    assert.equal(ground.readKeys().length, 1);
    await ground.reader.refresh(stop.signal);
    assert.equal(ground.readKeys().length, 0);

    const [one, other] = [new AbortController(), new AbortController()];
    ground.onRead = () => one.abort();
    await Promise.all([
      ground.reader.refresh(AbortSignal.abort()),
      ground.reader.refresh(one.signal),
      ground.reader.refresh(other.signal),
    ]);
    assert.equal(ground.readKeys().length, 4, 'somebody still waits');
  });

  it('are read while other work goes on', async () => {
    for (let at = 0; at < 50; at += 1) await ground.write(randomUUID(), said('x'));
    let turns = 0;
    let going = true;
    const turn = (): void => {
      turns += 1;
      if (going) setImmediate(turn);
    };
    setImmediate(turn);
    await ground.reader.refresh();
    going = false;
    assert.ok(turns >= 50, `${turns}`);
  });
});

describe('repositories of a session', () => {
  let ground: Ground;
  beforeEach(async () => (ground = await Ground.open()));
  afterEach(() => ground.close());

  const held = async (cwd: string): Promise<readonly string[]> => {
    await ground.write(randomUUID(), said('x', cwd));
    await ground.reader.refresh();
    const found = ground.repositories();
    for (const { key } of [...ground.store.heads.values()]) ground.store.heads.delete(key);
    return found;
  };

  it('are those of the project whose folder it was held in, on any machine', async () => {
    ground.machine('rog', 'linux');
    ground.machine('mac', 'macos');
    ground.machine('pc', 'windows');
    ground.store.projects.put({
      id: 'app',
      remotes: ['github.com/o/app//', 'gitlab.com/o/app//', 'github.com/fork/app//'],
      places: { rog: ['/srv/app', '/home/u/app'], mac: ['/Users/u/App'], pc: ['C:\\Users\\u\\app'] },
    });
    const both = ['o/app', 'fork/app'];
    for (const cwd of [
      '/srv/app',
      '/home/u/app/src/deep',
      '/home/u/app/.claude/worktrees/x',
      '/users/u/app/src',
      'c:/users/U/app',
      'C:\\Users\\u\\app\\src',
    ])
      assert.deepEqual(await held(cwd), both, cwd);
    for (const cwd of ['/home/u/APP', '/home/u', '/home/u/application', 'app', '/home/u/app/../other', '/', 'D:\\app'])
      assert.deepEqual(await held(cwd), [], cwd);
  });

  it('are those of the innermost project: a home folder under version control is not the repository of all', async () => {
    const project = (id: string, place: string, remotes: string[]): void =>
      ground.store.projects.put({ id, remotes, places: { rog: [place] } });
    project('home', '/home/u', ['github.com/o/dotfiles//']);
    project('app', '/home/u/app', ['github.com/o/app//']);
    project('sub', '/home/u/app/packages/a', []);
    project('lab', '/home/u/lab', ['gitlab.com/o/lab//']);
    assert.deepEqual(await held('/home/u/app/src'), ['o/app']);
    assert.deepEqual(
      await held('/home/u/app/packages/a'),
      ['o/app'],
      'a folder without a remote is part of what it is in',
    );
    assert.deepEqual(await held('/home/u/notes'), ['o/dotfiles']);
    assert.deepEqual(await held('/home/u/lab/src'), []);
  });

  it('are known without the machine, and follow what is learned later', async () => {
    ground.store.projects.put({ id: 'w', remotes: ['github.com/o/w//'], places: { gone: ['C:\\work\\w'] } });
    assert.deepEqual(await held('c:\\WORK\\w'), ['o/w']);
    const session = randomUUID();
    await ground.write(session, said('x', '/late'));
    await ground.reader.refresh();
    assert.deepEqual(ground.repositories(), []);
    ground.store.projects.put({ id: 'late', remotes: ['github.com/o/late//'], places: { rog: ['/late'] } });
    assert.deepEqual(ground.repositories(), ['o/late']);
  });
});
