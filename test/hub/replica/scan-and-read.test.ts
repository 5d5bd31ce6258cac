import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { FileSystemError } from '../../../src/hub/ports/file-system.ts';
import { peakMemory } from '../peak-memory.ts';
import { Ground } from './ground.ts';

const isRoot = process.getuid?.() === 0;

async function bytesOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

describe('looking, scanning and reading', () => {
  let ground: Ground;
  beforeEach(() => {
    ground = new Ground();
    ground.write('agents/a.md', 'text');
  });
  afterEach(() => ground.remove());

  const failing = (operation: string, path: string, code: 'denied' | 'missing' = 'denied'): void => {
    ground.interference = (name, at) => {
      if (name === operation && at === path) throw new FileSystemError(code, name, at);
    };
  };

  describe('a look', () => {
    it('tells files, absent ones and what is never carried apart', async () => {
      symlinkSync('a.md', ground.at('agents/link.md'));
      symlinkSync('agents', ground.at('linked'));
      execFileSync('mkfifo', [ground.at('pipe')]);
      const replica = ground.replica();
      assert.deepEqual(await replica.look('agents/a.md'), { kind: 'file', stat: ground.stat('agents/a.md') });
      assert.deepEqual(await replica.look('agents/none.md'), { kind: 'absent' });
      assert.deepEqual(await replica.look('none/none.md'), { kind: 'absent' });
      assert.deepEqual(await replica.look('agents/a.md/below'), { kind: 'absent' });
      for (const path of ['agents/link.md', 'linked/a.md', 'pipe', 'agents', '../x', '.claude-sync/x']) {
        assert.equal((await replica.look(path)).kind, 'refused', path);
      }
    });

    it('never calls absent what it could not see', async () => {
      const replica = ground.replica();
      failing('lstat', 'agents');
      assert.equal((await replica.look('agents/a.md')).kind, 'unknown');
      ground.interference = () => undefined;
      renameSync(ground.root, `${ground.root}-away`);
      try {
        assert.equal((await replica.look('agents/a.md')).kind, 'unknown');
        assert.deepEqual([...(await replica.scan('', () => true)).unlisted.keys()], ['']);
      } finally {
        renameSync(`${ground.root}-away`, ground.root);
      }
    });
  });

  describe('a scan', () => {
    it('lists what is wanted, names what is refused, and never enters the private folder', async () => {
      ground.write('skip/x.md', '');
      ground.write('projects/-p/s.jsonl', '1\n');
      ground.write('agents/bad:name.md', '');
      symlinkSync('a.md', ground.at('agents/link.md'));
      symlinkSync('agents', ground.at('linked'));
      execFileSync('mkfifo', [ground.at('agents/pipe')]);
      const replica = await ground.connected();
      ground.now = 42;
      const asked: string[] = [];
      const scan = await replica.scan('', (path) => {
        asked.push(path);
        return !path.startsWith('skip');
      });
      assert.deepEqual([...scan.files.keys()].sort(), ['agents/a.md', 'projects/-p/s.jsonl']);
      assert.deepEqual(scan.files.get('agents/a.md'), ground.stat('agents/a.md'));
      assert.deepEqual([...scan.refused.keys()].sort(), [
        'agents/bad:name.md',
        'agents/link.md',
        'agents/pipe',
        'linked',
      ]);
      assert.deepEqual([scan.unlisted.size, scan.startedAt], [0, 42]);
      assert.ok(asked.includes('skip/') && !asked.includes('skip/x.md'));
      assert.ok(!asked.some((path) => path.startsWith('.claude-sync')));
    });

    it('says nothing about refused things that nobody wants', async () => {
      symlinkSync('a.md', ground.at('agents/link.md'));
      const scan = await ground.replica().scan('', (path) => path === 'agents/');
      assert.deepEqual([scan.files.size, scan.refused.size], [0, 0]);
    });

    it('keeps unknown what is below a folder that cannot be listed, and absent what vanished', async () => {
      ground.write('rules/r.md', '');
      failing('list', 'agents');
      const scan = await ground.replica().scan('', () => true);
      assert.deepEqual([[...scan.files.keys()], [...scan.unlisted.keys()]], [['rules/r.md'], ['agents']]);
      failing('list', 'agents', 'missing');
      assert.equal((await ground.replica().scan('', () => true)).unlisted.size, 0);
    });

    it('of one folder, one file, nothing and a symlink', async () => {
      symlinkSync('agents', ground.at('linked'));
      const replica = ground.replica();
      const kinds = async (path: string) => {
        const { files, unlisted, refused } = await replica.scan(path, () => true);
        return [[...files.keys()], [...unlisted.keys()], [...refused.keys()]];
      };
      assert.deepEqual(await kinds('agents'), [['agents/a.md'], [], []]);
      assert.deepEqual(await kinds('agents/a.md'), [['agents/a.md'], [], []]);
      assert.deepEqual(await kinds('none'), [[], [], []]);
      assert.deepEqual(await kinds('linked'), [[], [], ['linked']]);
    });

    it('finds 2,000 files of one folder', async () => {
      mkdirSync(ground.at('many'));
      for (let i = 0; i < 2_000; i++) writeFileSync(ground.at(`many/${i}.md`), '');
      assert.equal((await ground.replica().scan('many', () => true)).files.size, 2_000);
    });
  });

  describe('reading', () => {
    it('gives the bytes asked for and ends early when the file is shorter', async () => {
      const replica = ground.replica();
      assert.equal((await bytesOf(replica.read('agents/a.md', 1, 3))).toString(), 'ex');
      assert.equal((await bytesOf(replica.read('agents/a.md', 2, 100))).toString(), 'xt');
      assert.equal((await bytesOf(replica.read('agents/a.md', 4, 4))).length, 0);
    });

    it('closes the file when it is left early, and refuses symlinks', async () => {
      ground.write('long', 'x'.repeat(3 * 1024 * 1024));
      symlinkSync('long', ground.at('link'));
      let open = 0;
      ground.interference = (operation) => void (operation === 'file.close' && open++);
      for await (const chunk of ground.replica().read('long', 0, 3 * 1024 * 1024)) {
        assert.equal(chunk.length, 1024 * 1024);
        break;
      }
      assert.equal(open, 1);
      await assert.rejects(bytesOf(ground.replica().read('link', 0, 1)), FileSystemError);
      await assert.rejects(bytesOf(ground.replica().read('none', 0, 1)), FileSystemError);
    });

    it('holds only some chunks of a file of 1 GB', () => {
      ground.write('huge', '');
      truncateSync(ground.at('huge'), 1024 ** 3);
      const { growth, result } = peakMemory<number>(
        { grounds: new URL('ground.ts', import.meta.url) },
        `let total = 0;
        for await (const chunk of new grounds.Ground(input).replica().read('huge', 0, 1024 ** 3)) total += chunk.length;
        return total;`,
        ground.root,
      );
      assert.equal(result, 1024 ** 3);
      assert.ok(growth < 200e6, `${growth} bytes`);
    });

    it('outside takes small regular files only', async () => {
      ground.write('config', '[core]');
      ground.write('large', '');
      truncateSync(ground.at('large'), 1024 * 1024 + 1);
      symlinkSync('config', ground.at('link'));
      execFileSync('mkfifo', [ground.at('pipe')]);
      const replica = ground.replica();
      assert.equal((await replica.readOutside(ground.at('config')))?.toString(), '[core]');
      for (const path of ['large', 'link', 'pipe', 'none', 'agents']) {
        assert.equal(await replica.readOutside(ground.at(path)), null, path);
      }
      assert.equal(await replica.readOutside('/dev/zero'), null);
      assert.equal(await replica.readOutside(''), null);
    });

    it('outside gives up on a file system that does not answer', async () => {
      const hanging = { ...ground.fs, lstat: () => new Promise<null>(() => undefined) };
      const clock = { now: () => 0, after: (_ms: number, task: () => void) => (queueMicrotask(task), () => undefined) };
      assert.equal(await ground.replica({ outside: hanging, clock }).readOutside('/x'), null);
    });
  });

  describe('on a real volume of its own', () => {
    const mounted = (options: string, task: (volume: Ground) => Promise<void>) =>
      async function (this: Mocha.Context): Promise<void> {
        if (!isRoot || process.platform !== 'linux') return this.skip();
        const volume = new Ground();
        execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', volume.root]);
        try {
          await task(volume);
        } finally {
          execFileSync('umount', [volume.root]);
          volume.remove();
        }
      };

    it(
      'a full disk refuses an append before the beginning of a line is left there',
      mounted('size=1m', async (volume) => {
        const replica = await volume.connected();
        volume.write('history.jsonl', '{"a":1}\n');
        const expect = volume.stat('history.jsonl');
        const line = `${'x'.repeat(600 * 1024)}\n`;
        const outcome = await replica.append('history.jsonl', { expect, bytes: Buffer.from(line + line), mtimeMs: 1 });
        assert.equal(outcome.kind === 'refused' && outcome.code, 'no-space');
        assert.equal(volume.text('history.jsonl'), '{"a":1}\n');
        assert.equal(
          (await replica.append('history.jsonl', { expect, bytes: Buffer.from(line), mtimeMs: 1 })).kind,
          'done',
        );
      }),
    );

    it(
      'a full disk refuses a put and keeps neither temp nor name',
      mounted('size=1m', async (volume) => {
        const replica = await volume.connected();
        const bytes = Buffer.alloc(2 * 1024 * 1024, 'x');
        const content = async function* () {
          yield bytes;
        };
        const request = {
          expect: { kind: 'absent' },
          content,
          size: bytes.length,
          mtimeMs: 1,
          executable: false,
          how: 'exchange',
        } as const;
        const outcome = await replica.put('agents/a.md', request);
        assert.equal(outcome.kind === 'refused' && outcome.code, 'no-space');
        assert.deepEqual([volume.exists('agents/a.md'), volume.names('.claude-sync/tmp')], [false, []]);
        assert.ok(((await replica.space())?.totalBytes ?? 0) <= 1024 * 1024);
      }),
    );

    it(
      'a read-only disk refuses every write and changes nothing',
      mounted('size=1m', async (volume) => {
        const replica = await volume.connected();
        volume.write('history.jsonl', '1\n');
        const expect = volume.stat('history.jsonl');
        execFileSync('mount', ['-o', 'remount,ro', volume.root]);
        const outcomes = [
          await replica.append('history.jsonl', { expect, bytes: Buffer.from('2\n'), mtimeMs: 1 }),
          await replica.remove('history.jsonl', { expect }),
          await replica.move('history.jsonl', 'other.jsonl', { expect }),
        ];
        for (const outcome of outcomes) assert.equal(outcome.kind === 'refused' && outcome.code, 'denied');
        assert.deepEqual([volume.text('history.jsonl'), volume.rows.intentRows, volume.rows.undoRows], ['1\n', [], []]);
      }),
    );
  });
});
