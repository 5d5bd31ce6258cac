import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Hint } from '../../../src/hub/replica/replica.ts';
import type { WatchSource } from '../../../src/hub/replica/watch-source.ts';
import { createInotifyWatch } from '../../../src/hub/ssh/inotify-watch.ts';
import { fswatchDialect } from '../../../src/hub/ssh/fswatch-watch.ts';
import { Records } from '../../../src/hub/ssh/records.ts';
import type { CommandEnd, CommandListeners, RemoteCommands } from '../../../src/hub/ssh/remote-commands.ts';
import { ManualClock } from '../store/manual-clock.ts';

/** Commands that a test speaks for. */
class SpokenCommands implements RemoteCommands {
  starts = 0;
  written = '';
  listeners: CommandListeners | null = null;
  end: (end: CommandEnd) => void = () => undefined;
  refusal: Error | null = null;

  run(): Promise<never> {
    return Promise.reject(new Error('not asked for'));
  }

  async start(_command: string, listeners: CommandListeners): Promise<Awaited<ReturnType<RemoteCommands['start']>>> {
    this.starts += 1;
    if (this.refusal !== null) throw this.refusal;
    this.listeners = listeners;
    const ended = new Promise<CommandEnd>((resolve) => (this.end = resolve));
    const stop = (): void => this.end({ code: 137, signal: null, hasBegun: true });
    return { write: (text) => void (this.written += text), endInput: stop, abandon: stop, ended };
  }

  ready(): void {
    this.listeners?.stderr(Buffer.from('Setting up watches.\nWatches established.\n'));
  }

  die(code = 1): void {
    this.end({ code, signal: null, hasBegun: true });
  }
}

async function turns(): Promise<void> {
  for (let n = 0; n < 20; n += 1) await new Promise(setImmediate);
}

describe('a watcher on another machine', () => {
  let clock: ManualClock;
  let commands: SpokenCommands;
  let watch: WatchSource;
  let hints: Hint[];
  let troubles: string[];

  beforeEach(() => {
    clock = new ManualClock();
    commands = new SpokenCommands();
    hints = [];
    troubles = [];
    watch = createInotifyWatch({
      ...{ commands, clock, root: '/c', prune: () => false },
      tool: { path: '/usr/bin/inotifywait', hasNul: true },
    });
  });
  afterEach(() => watch.close());

  const start = (): Promise<void> =>
    watch.start(
      (hint) => hints.push(hint),
      (reason) => troubles.push(reason),
    );
  const say = (text: string | Buffer): void => commands.listeners?.stdout(Buffer.from(text));

  async function startReady(): Promise<void> {
    const started = start();
    await turns();
    commands.ready();
    await started;
  }

  it('is tried again after 1, 2, 4 ... 60 s, and told of once', async () => {
    const started = start();
    await turns();
    commands.die();
    await started;
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
      const before = commands.starts;
      clock.advance(seconds * 1000 - 1);
      await turns();
      assert.equal(commands.starts, before, `before ${seconds} s`);
      clock.advance(1);
      await turns();
      assert.equal(commands.starts, before + 1, `after ${seconds} s`);
      commands.die();
      await turns();
    }
    assert.equal(troubles.length, 1);
    clock.advance(60_000);
    await turns();
    commands.ready();
    assert.deepEqual(hints, [{ path: '', kind: 'folder' }], 'what happened meanwhile is looked for');
  });

  it('that lasted begins again after a second', async () => {
    await startReady();
    for (let n = 0; n < 3; n += 1) {
      clock.advance(100_000);
      const before = commands.starts;
      commands.die();
      await turns();
      clock.advance(1000);
      await turns();
      assert.equal(commands.starts, before + 1);
      commands.ready();
    }
  });

  it('is tried again when the channel is refused', async () => {
    commands.refusal = new Error('no more sessions');
    await start();
    assert.match(troubles[0] ?? '', /no more sessions/);
    commands.refusal = null;
    clock.advance(1000);
    await turns();
    commands.ready();
    assert.deepEqual(hints, [{ path: '', kind: 'folder' }]);
  });

  it('is not waited for without end', async () => {
    let isStarted = false;
    const started = start().then(() => (isStarted = true));
    await turns();
    clock.advance(59_000);
    await turns();
    assert.equal(isStarted, false);
    clock.advance(1000);
    await started;
    assert.equal(troubles.length, 1);
    assert.deepEqual(hints, []);
    commands.ready();
    assert.deepEqual(hints, [{ path: '', kind: 'folder' }], 'what happened until now is looked for');
  });

  it('that is ready stays so', async () => {
    await startReady();
    clock.advance(3_600_000);
    await turns();
    assert.deepEqual([hints, troubles, commands.starts], [[], [], 1]);
  });

  it('says nothing after it was closed', async () => {
    await startReady();
    say('MODIFY|/c/a\0');
    say('MODIFY|/c/a\0CREATE,ISDIR|/c/f\0');
    const before = hints.length;
    await watch.close();
    say('MODIFY|/c/b\0');
    clock.advance(600_000);
    await turns();
    assert.deepEqual([hints.length, commands.starts, troubles.length], [before, 1, 0]);
    assert.equal(clock.armed, 0);
  });

  it('tells the first change at once, those of the next 50 ms together, and never swallows the last', async () => {
    await startReady();
    for (let n = 0; n < 10; n += 1) say('MODIFY|/c/a\0');
    assert.equal(hints.length, 1);
    clock.advance(50);
    assert.equal(hints.length, 2);
    clock.advance(1000);
    assert.equal(hints.length, 2);
  });

  it('turns a flood of names into one scan', async () => {
    await startReady();
    for (let n = 0; n < 50_000; n += 1) say(`CREATE|/c/projects/${n}\0`);
    clock.advance(100);
    assert.ok(hints.length <= 10_002, String(hints.length));
    assert.deepEqual(hints.at(-1), { path: '', kind: 'folder' });
  });

  it('makes nonsense a scan now and then, and goes on', async () => {
    await startReady();
    const nonsense = ['', 'x', 'MODIFY', 'MODIFY|', 'MODIFY|relative', 'MODIFY|/other/a', 'mod|/c/a', 'MODIFY|/c/../x'];
    for (const text of [...nonsense, 'MODIFY|/c//a', `MODIFY|/c/${'long'.repeat(100_000)}`]) say(`${text}\0`);
    assert.deepEqual(hints, [{ path: '', kind: 'folder' }]);
    clock.advance(60_000);
    assert.equal(hints.length, 2);
    say('MODIFY|/c/a\0');
    assert.deepEqual(hints.at(-1), { path: 'a', kind: 'file' });
  });

  it('never throws and never names anything outside, whatever it says', async () => {
    const mac = fswatchDialect({ root: '/c', tool: '/f', system: 'darwin' }, 'watch-1');
    const linux = fswatchDialect({ root: '/c', tool: '/f', system: 'linux' }, 'watch-1');
    const word = fc.oneof(
      fc.constantFrom('MODIFY|', 'Created,IsDir|', '/c/', '/C/', '..', '/', '\0', '\n', '|'),
      fc.string(),
    );
    await startReady();
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            word.map((text) => Buffer.from(text)),
            fc.uint8Array().map((bytes) => Buffer.from(bytes)),
          ),
        ),
        (parts) => {
          for (const part of parts) say(Buffer.from(part));
          for (const dialect of [mac, linux])
            for (const sign of dialect.read(Buffer.concat(parts)))
              if ('path' in sign) assert.doesNotMatch(`/${sign.path}/`, /\/\.{0,2}\/./);
          clock.advance(10_000);
        },
      ),
    );
    for (const { path } of hints) assert.doesNotMatch(`/${path}`, /\/\.{1,2}(\/|$)/);
  });
});

describe('fswatch on macOS', () => {
  const { read, script } = fswatchDialect({ root: '/Users/nelly/.claude', tool: '/f', system: 'darwin' }, 'watch-1');
  const said = (text: string): unknown => read(Buffer.from(text));

  it('tells files and folders apart by what it says of them', () => {
    assert.deepEqual(said('Created,Updated,IsFile|/Users/nelly/.claude/a'), [{ kind: 'file', path: 'a' }]);
    assert.deepEqual(said('Renamed,IsDir|/Users/nelly/.claude/a'), [{ kind: 'folder', path: 'a' }]);
    assert.deepEqual(said('PlatformSpecific,IsDir|/Users/nelly/.claude/a'), [{ kind: 'folder', path: 'a' }]);
    assert.deepEqual(said('AttributeModified,IsDir|/Users/nelly/.claude/a'), []);
    assert.deepEqual(said('Overflow|/Users/nelly/.claude'), [{ kind: 'scan' }]);
    assert.deepEqual(said('PlatformSpecific|/Users/nelly/.claude/a'), [{ kind: 'folder', path: 'a' }]);
  });

  it('is understood when it spells the Claude folder as the disk does, and hands names on as they come', () => {
    const decomposed = 'cafe\u0301.md';
    assert.deepEqual(said(`Updated,IsFile|/users/Nelly/.Claude/${decomposed}`), [{ kind: 'file', path: decomposed }]);
  });

  it('is ready when it tells of the file that is made in front of it', () => {
    assert.deepEqual(said('Created,IsFile|/Users/nelly/.claude/.claude-sync/watch-1'), [{ kind: 'ready' }]);
    assert.doesNotMatch(script, /'--event'/);
  });
});

describe('records', () => {
  it('are the same wherever the stream is cut, and too long ones are dropped', () => {
    const record = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes.map((byte) => byte || 1)));
    fc.assert(
      fc.property(fc.array(record), fc.array(fc.nat(400)), (all, cuts) => {
        const stream = Buffer.concat(all.flatMap((each) => [each, Buffer.from([0])]));
        const parser = new Records(0, 20);
        const found: (Buffer | null)[] = [];
        let from = 0;
        for (const to of [...cuts, stream.length].map((cut) => Math.min(cut, stream.length)).sort((a, b) => a - b)) {
          found.push(...parser.push(stream.subarray(from, to)));
          from = to;
        }
        assert.deepEqual(
          found.map((each) => each?.toString('hex') ?? null),
          all.map((each) => (each.length > 20 ? null : each.toString('hex'))),
        );
      }),
    );
  });
});
