import assert from 'node:assert/strict';
import { isOutOfWatches } from '../../../src/hub/replica/chokidar-watch.ts';
import { createBackedWatch } from '../../../src/hub/replica/local-watch.ts';
import { troubleOf } from '../../../src/hub/replica/chokidar-watch.ts';
import { createPollWatch } from '../../../src/hub/replica/poll-watch.ts';
import type { Hint } from '../../../src/hub/replica/replica.ts';
import type { WatchSource } from '../../../src/hub/replica/watch-source.ts';
import { createMemoryFileSystem } from '../../simulation/memory-file-system.ts';
import { Volume } from '../../simulation/volume.ts';
import { ManualClock } from '../store/manual-clock.ts';

describe('polling', () => {
  let clock: ManualClock;
  let volume: Volume;
  let hints: Hint[];
  let source: WatchSource;

  async function start(everyMs: number): Promise<void> {
    clock = new ManualClock();
    volume = new Volume({ now: () => clock.now() });
    hints = [];
    for (let n = 0; n < 40; n += 1) write(`agents/f${n}/a.md`, 'one');
    source = createPollWatch({ fs: createMemoryFileSystem(volume, '/c'), clock, everyMs, prune: () => false });
    await source.start((hint) => hints.push(hint), assert.fail);
  }

  function write(path: string, text: string): void {
    volume.makeFolders(`/c/${path.slice(0, path.lastIndexOf('/'))}`);
    volume.rewriteFrom(volume.find(`/c/${path}`) ?? volume.createFile(`/c/${path}`), 0, Buffer.from(text));
  }

  /** Lets so much time pass, in steps in which every round can end. */
  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.advance(100);
      for (let n = 0; n < 200; n += 1) await Promise.resolve();
    }
  }

  const told = (path: string): boolean => hints.some((hint) => hint.path === path);

  afterEach(() => source.close());

  for (const seconds of [0.2, 2, 9]) {
    it(`every ${seconds} s sees each folder within 10 s, wherever it is in the order`, async () => {
      await start(seconds * 1000);
      for (let n = 0; n < 40; n += 1) write(`agents/f${n}/a.md`, 'two!');
      await pass(10_000);
      for (let n = 0; n < 40; n += 1) assert.ok(told(`agents/f${n}/a.md`), `f${n}`);
    });
  }

  it('sees a folder in which something happened lately in the next round', async () => {
    await start(2000);
    write('agents/f7/a.md', 'two!');
    await pass(10_000);
    for (let n = 0; n < 5; n += 1) {
      hints.length = 0;
      write('agents/f7/a.md', `${n} more`.repeat(n + 1));
      await pass(2000);
      assert.ok(told('agents/f7/a.md'), `change ${n}`);
    }
  });

  it('tells nothing where nothing changes', async () => {
    await start(1000);
    await pass(30_000);
    assert.deepEqual(hints, []);
  });
});

describe('a watch that is backed by polling', () => {
  /** A watch that a test speaks for. */
  class Spoken implements WatchSource {
    readonly name: string;
    starts = 0;
    tell: (hint: Hint) => void = () => undefined;
    complain: (reason: string) => void = () => undefined;
    constructor(name: string) {
      this.name = name;
    }
    start(onHint: (hint: Hint) => void, onTrouble: (reason: string) => void): Promise<void> {
      this.starts += 1;
      this.tell = onHint;
      this.complain = onTrouble;
      return Promise.resolve();
    }
    close(): Promise<void> {
      return Promise.resolve();
    }
  }

  it('polls from the moment on in which the system has no more watches', async () => {
    const [native, poll] = [new Spoken('inotify'), new Spoken('poll')];
    const troubles: string[] = [];
    const hints: Hint[] = [];
    const watch = createBackedWatch(native, poll, { always: false, when: isOutOfWatches });
    await watch.start(
      (hint) => hints.push(hint),
      (reason) => troubles.push(reason),
    );
    native.complain(troubleOf('EACCES', new Error('one folder')));
    assert.equal(poll.starts, 0);
    native.complain(`agents: ${troubleOf('ENOSPC', new Error('full'))}`);
    native.complain(`skills: ${troubleOf('EMFILE', new Error('full'))}`);
    assert.equal(poll.starts, 1);
    poll.tell({ path: 'agents/a.md', kind: 'file' });
    await new Promise(setImmediate);
    assert.deepEqual(
      hints,
      [
        { path: 'agents/a.md', kind: 'file' },
        { path: '', kind: 'folder' },
      ],
      'and what changed before the polling saw it for the first time is looked for',
    );
    assert.equal(troubles.length, 3);
    await watch.start(
      () => undefined,
      () => undefined,
    );
    assert.equal(poll.starts, 1, 'a new beginning may find watches again');
  });

  it('always polls where others write over a network', async () => {
    const poll = new Spoken('poll');
    const watch = createBackedWatch(new Spoken('inotify'), poll, { always: true, when: isOutOfWatches });
    await watch.start(
      () => undefined,
      () => undefined,
    );
    assert.deepEqual([watch.name, poll.starts], ['inotify+poll', 1]);
  });
});
