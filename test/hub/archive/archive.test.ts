import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, readdir, readFile, readlink, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createArchive } from '../../../src/hub/archive/create-archive.ts';
import { ArchiveDamaged } from '../../../src/hub/archive/archive.ts';
import type { Archive } from '../../../src/hub/archive/archive.ts';
import { ALL_GUARDS } from '../../../src/hub/engine/guards.ts';
import type { FileSystem } from '../../../src/hub/ports/file-system.ts';
import { FileSystemError } from '../../../src/hub/ports/file-system.ts';
import { createMemoryFileSystem } from '../../simulation/memory-file-system.ts';
import { Volume } from '../../simulation/volume.ts';
import { peakMemory } from '../peak-memory.ts';
import { createNodeFileSystem } from '../../../src/hub/replica/node-file-system.ts';

const random = { hex: (bytes: number): string => randomBytes(bytes).toString('hex') };
const sha = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

async function* once(...chunks: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

async function text(chunks: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

/** How many files below a folder this process has open; others come and go with other tests. */
async function openBelow(folder: string): Promise<number> {
  if (process.platform !== 'linux') return 0;
  const descriptors = await readdir('/proc/self/fd');
  const targets = await Promise.all(descriptors.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
  return targets.filter((target) => target.startsWith(folder)).length;
}

/** Size of a version that is large, bytes. */
const VERSION_BYTES = 300 * 1024 * 1024;

async function opened(folder: string, change: (fs: FileSystem) => FileSystem = (fs) => fs): Promise<Archive> {
  const archive = createArchive({ fs: change(createNodeFileSystem(folder)), random, guards: ALL_GUARDS });
  await archive.open();
  return archive;
}

describe('archive', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'claude-sync-archive-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('keeps heads as plain files under readable names, private to the user', async () => {
    const archive = await opened(join(folder, 'state'));
    await archive.append('session/0a', 0, Buffer.from('line\n'));
    await archive.append('session/0a/subagents/agent-1.jsonl', 0, Buffer.from('side\n'));
    await archive.append('history', 0, Buffer.from('h\n'));
    await archive.install('agents/a.md', await archive.stage(once('# ', 'A')), false);
    await archive.install('hooks/run.sh', await archive.stage(once('#!')), true);
    const root = join(folder, 'state', 'archive');
    assert.equal(await readFile(join(root, 'session/0a.jsonl'), 'utf8'), 'line\n');
    assert.equal(await readFile(join(root, 'session/0a/subagents/agent-1.jsonl'), 'utf8'), 'side\n');
    assert.equal(await readFile(join(root, 'history.jsonl'), 'utf8'), 'h\n');
    assert.equal(await readFile(join(root, 'agents/a.md'), 'utf8'), '# A');
    assert.equal((await stat(join(root, 'agents/a.md'))).mode & 0o777, 0o600);
    assert.equal((await stat(join(root, 'hooks/run.sh'))).mode & 0o777, 0o700);
    for (const name of ['archive', 'versions', 'staging']) {
      assert.equal((await stat(join(folder, 'state', name))).mode & 0o777, 0o700);
    }
  });

  it('appends only where the file ends, and says what it found instead', async () => {
    const archive = await opened(folder);
    const damaged = (error: unknown): boolean => error instanceof ArchiveDamaged;
    await assert.rejects(archive.append('session/a', 5, Buffer.from('x')), damaged);
    await archive.append('session/a', 0, Buffer.from('one\n'));
    await archive.append('session/a', 4, Buffer.from('two\n'));
    await assert.rejects(archive.append('session/a', 4, Buffer.from('two\n')), /found 8 bytes, expected 4 bytes/);
    await assert.rejects(archive.append('session/a', 0, Buffer.from('two\n')), damaged);
    assert.equal(await archive.size('session/a'), 8);

    await appendFile(join(folder, 'archive/session/a.jsonl'), 'foreign');
    const again = await opened(folder);
    await assert.rejects(again.append('session/a', 8, Buffer.from('three\n')), /found 15 bytes/);
    await again.truncate('session/a', 8);
    await again.append('session/a', 8, Buffer.from('three\n'));
    assert.equal(await text(again.read('session/a', 4, 14)), 'two\nthree\n');
    await assert.rejects(text(again.read('session/a', 4, 15)), damaged);
    await assert.rejects(text(again.read('session/b', 0, 1)), damaged);
    assert.equal(await again.size('session/b'), null);
  });

  it('appends to the new file after a replace or a cut, not to the one that an open handle still holds', async () => {
    const archive = await opened(folder);
    await archive.append('session/a', 0, Buffer.from('one\ntwo\n'));
    await archive.truncate('session/a', 4);
    await archive.append('session/a', 4, Buffer.from('2\n'));
    assert.equal(await text(archive.read('session/a', 0, 6)), 'one\n2\n');
    await archive.install('session/a', await archive.stage(once('new\n')), false);
    await archive.append('session/a', 4, Buffer.from('3\n'));
    assert.equal(await text(archive.read('session/a', 0, 6)), 'new\n3\n');
    await archive.remove('session/a');
    await archive.append('session/a', 0, Buffer.from('again\n'));
    assert.equal(await readFile(join(folder, 'archive/session/a.jsonl'), 'utf8'), 'again\n');
  });

  it('serves more conversations than it keeps open files for, also all at once', async () => {
    const archive = await opened(folder);
    const keys = Array.from({ length: 200 }, (_, n) => `session/${n}`);
    for (let at = 0; at < 9; at += 3)
      await Promise.all(keys.map((key) => archive.append(key, at, Buffer.from('ab\n'))));
    await archive.sync(keys);
    for (const key of keys) assert.equal(await text(archive.read(key, 0, 9)), 'ab\nab\nab\n');
    assert.ok((await openBelow(folder)) < 150, 'files are closed again');
  });

  it('does not count the bytes of an append that failed half-way, and goes on when there is space again', async () => {
    let room = Infinity;
    const archive = await opened(folder, (fs) => ({
      ...fs,
      async open(path, mode) {
        const file = await fs.open(path, mode);
        const write = file.write.bind(file);
        file.write = async (bytes) => {
          if (bytes.byteLength <= room) return write(bytes);
          await write(bytes.subarray(0, room));
          throw new FileSystemError('no-space', 'write', path);
        };
        return file;
      },
    }));
    await archive.append('session/a', 0, Buffer.from('one\n'));
    room = 2;
    for (const at of [4, 4]) await assert.rejects(archive.append('session/a', at, Buffer.from('two\n')), /no-space/);
    await assert.rejects(archive.append('session/new', 0, Buffer.from('two\n')), /no-space/);
    assert.equal(await archive.size('session/a'), 4);
    assert.equal(await archive.size('session/new'), null);
    room = Infinity;
    await archive.append('session/a', 4, Buffer.from('two\n'));
    await archive.append('session/new', 0, Buffer.from('two\n'));
    assert.equal(await readFile(join(folder, 'archive/session/a.jsonl'), 'utf8'), 'one\ntwo\n');
    assert.equal(await readFile(join(folder, 'archive/session/new.jsonl'), 'utf8'), 'two\n');
  });

  it('syncs what was written since the last sync, once, and nobody is told before it is over', async () => {
    const syncs: string[] = [];
    const releases: (() => void)[] = [];
    let holding = false;
    const archive = await opened(folder, (fs) => ({
      ...fs,
      async open(path, mode) {
        const file = await fs.open(path, mode);
        file.sync = async () => {
          if (!holding) return;
          syncs.push(path);
          return new Promise((resolve) => releases.push(resolve));
        };
        return file;
      },
    }));
    holding = true;
    await archive.append('session/a', 0, Buffer.from('1\n'));
    await archive.append('session/b', 0, Buffer.from('1\n'));
    let over = 0;
    const first = archive.sync(['session/a']).then(() => over++);
    const second = archive.sync(['session/a']).then(() => over++);
    while (releases.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([syncs, over], [['archive/session/a.jsonl'], 0]);
    releases.forEach((release) => release());
    await Promise.all([first, second]);
    await archive.sync(['session/a', 'session/none']);
    assert.deepEqual(syncs, ['archive/session/a.jsonl']);
  });

  it('keeps two keys apart that the disk would take for one name', async () => {
    const folding = createMemoryFileSystem(new Volume({ caseInsensitive: true, now: () => 0 }), '');
    const archive = createArchive({ fs: folding, random, guards: ALL_GUARDS });
    await archive.open();
    await archive.append('agents/A.md', 0, Buffer.from('upper'));
    await archive.append('agents/a.md', 0, Buffer.from('a'));
    assert.equal(await text(archive.read('agents/A.md', 0, 5)), 'upper');
    assert.equal(await archive.size('agents/a.md'), 1);
  });

  it('throws staged content away when it is discarded, fails, or was left by an earlier process', async () => {
    const archive = await opened(folder);
    const staged = await archive.stage(once('abc', 'def'));
    assert.deepEqual([staged.sha256, staged.bytes], [sha('abcdef'), 6]);
    assert.equal(await text(archive.readStaged(staged, 2, 5)), 'cde');
    await archive.discard(staged);
    await archive.discard(staged);
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('x');
      throw new Error('the machine went away');
    };
    await assert.rejects(archive.stage(failing()), /went away/);
    await assert.rejects(archive.keep(failing()), /went away/);
    assert.deepEqual(await readdir(join(folder, 'staging')), []);
    await archive.stage(once('left'));
    await opened(folder);
    assert.deepEqual(await readdir(join(folder, 'staging')), []);
  });

  it('makes its folders again when somebody removed them', async () => {
    const archive = await opened(folder);
    await archive.install('agents/a.md', await archive.stage(once('A')), false, { durable: false });
    await rm(join(folder, 'archive'), { recursive: true });
    await archive.install('agents/a.md', await archive.stage(once('B')), false);
    assert.equal(await text(archive.read('agents/a.md', 0, 1)), 'B');
  });

  it('lists the keys of all heads and nothing else', async () => {
    const archive = await opened(folder);
    const keys = [
      'history',
      'history/rog',
      'session/a',
      'session/a/tool-results/x.txt',
      'skills/x',
      'skills/x/SKILL.md',
      'a%b?/é.md',
    ];
    for (const key of keys) await archive.append(key, 0, Buffer.from('x'));
    await archive.appendToList('forgotten.jsonl', '"a"');
    const found: string[] = [];
    for await (const key of archive.keys()) found.push(key);
    assert.deepEqual(found.sort(), keys.sort());
  });

  it('keeps a full disk from losing anything that it had acknowledged', async function () {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) {
      console.log('      skipped: mounting a small tmpfs needs root');
      return this.skip();
    }
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]);
    try {
      const archive = await opened(folder);
      const line = Buffer.alloc(100_000, 'x');
      line[line.length - 1] = 10;
      let size = 0;
      await assert.rejects(async () => {
        for (;;) {
          await archive.append('session/a', size, line);
          size += line.length;
        }
      }, /no-space/);
      await writeFile(join(folder, 'one-page'), '').catch(() => undefined);
      assert.equal(await archive.size('session/a'), size);
      assert.equal((await text(archive.read('session/a', 0, size))).length, size);
      execFileSync('mount', ['-o', 'remount,size=16m', folder]);
      await archive.append('session/a', size, line);
      assert.equal((await stat(join(folder, 'archive/session/a.jsonl'))).size, size + line.length);
    } finally {
      execFileSync('umount', ['-l', folder]);
    }
  });
});

describe('versions in the archive', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'claude-sync-archive-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const fileOf = (hash: string): string => join(folder, 'versions', hash.slice(0, 2), `${hash}.zst`);

  it('give back what was kept, whatever its size', async () => {
    const archive = await opened(folder);
    for (const size of [0, 1, 1024 * 1024, 1024 * 1024 + 1, 3_000_000]) {
      for (const content of [Buffer.alloc(size, 'ab\n'), randomBytes(size)]) {
        const kept = await archive.keep(once(content.subarray(0, 10), content.subarray(10)));
        assert.deepEqual(kept, { sha256: sha(content), bytes: size });
        assert.equal(await archive.holds(kept.sha256), true);
        const parts: Buffer[] = [];
        for await (const chunk of archive.readVersion(kept.sha256)) {
          assert.ok(chunk.length <= 1024 * 1024);
          parts.push(chunk);
        }
        assert.ok(Buffer.concat(parts).equals(content));
      }
    }
    assert.deepEqual(await readdir(join(folder, 'staging')), []);
  });

  it('are written once per content, and gone after a drop', async () => {
    const archive = await opened(folder);
    for (const content of [Buffer.from('same'), Buffer.alloc(2_000_000, 'same')]) {
      const { sha256 } = await archive.keep(once(content));
      const { ino } = await stat(fileOf(sha256));
      await archive.keep(once(content));
      assert.equal((await stat(fileOf(sha256))).ino, ino);
      await archive.drop(sha256);
      await archive.drop(sha256);
      assert.equal(await archive.holds(sha256), false);
      await assert.rejects(text(archive.readVersion(sha256)), ArchiveDamaged);
    }
    assert.deepEqual(await readdir(join(folder, 'staging')), []);
  });

  for (const size of [1000, 3_000_000]) {
    it(`of ${size} bytes that were cut, changed or swapped are reported, never passed off as whole`, async () => {
      const archive = await opened(folder);
      const { sha256 } = await archive.keep(once(randomBytes(size)));
      const path = fileOf(sha256);
      const whole = await readFile(path);
      const damages = [0, 3, 20, whole.length - 1].map((to) => () => truncate(path, to));
      const flipped = Buffer.from(whole);
      flipped[whole.length >> 1]! ^= 0x40;
      damages.push(
        () => writeFile(path, flipped),
        () => writeFile(path, 'no zstd at all'),
      );
      for (const damage of damages) {
        await writeFile(path, whole);
        await damage();
        await assert.rejects(text(archive.readVersion(sha256)), ArchiveDamaged);
      }
      const other = await archive.keep(once('other'));
      await writeFile(path, await readFile(fileOf(other.sha256)));
      await assert.rejects(text(archive.readVersion(sha256)), ArchiveDamaged);
    });
  }

  it('of 300 MB are kept and read with less than half as much memory', () => {
    const { growth, result } = peakMemory<{ kept: number; read: number }>(
      {
        crypto: new URL('node:crypto'),
        archives: new URL('../../../src/hub/archive/create-archive.ts', import.meta.url),
        files: new URL('../../../src/hub/replica/node-file-system.ts', import.meta.url),
        engine: new URL('../../../src/hub/engine/guards.ts', import.meta.url),
      },
      `const random = { hex: (bytes) => crypto.randomBytes(bytes).toString('hex') };
      const fs = files.createNodeFileSystem(input.folder);
      const archive = archives.createArchive({ fs, random, guards: engine.ALL_GUARDS });
      await archive.open();
      const block = crypto.randomBytes(512 * 1024).toString('base64');
      const content = async function* () {
        for (let at = 0; at < input.bytes; at += 1024 * 1024) {
          const chunk = Buffer.alloc(1024 * 1024, block);
          chunk.writeUInt32LE(at);
          yield chunk;
        }
      };
      const kept = await archive.keep(content());
      let read = 0;
      for await (const chunk of archive.readVersion(kept.sha256)) read += chunk.length;
      return { kept: kept.bytes, read };`,
      { folder, bytes: VERSION_BYTES },
    );
    assert.deepEqual(result, { kept: VERSION_BYTES, read: VERSION_BYTES });
    // What any young process takes for itself is counted as well.
    assert.ok(growth < 150e6, `${Math.round(growth / 1e6)} MB`);
  });

  it('can be left off reading in the middle', async () => {
    const archive = await opened(folder);
    const { sha256 } = await archive.keep(once(randomBytes(3_000_000)));
    for (let n = 0; n < 20; n++) for await (const chunk of archive.readVersion(sha256)) if (chunk.length > 0) break;
    // Until mocha's time is up: closing is done by a thread.
    while ((await openBelow(folder)) > 2) await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('lists of deliberate deletes', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'claude-sync-archive-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('keep every line in order, also when many are added at once and when the last one was torn', async () => {
    const archive = await opened(folder);
    assert.deepEqual(await archive.readList('forgotten.jsonl'), []);
    const lines = Array.from({ length: 50 }, (_, n) => `{"uuid":${n}}`);
    await Promise.all(lines.map((line) => archive.appendToList('forgotten.jsonl', line)));
    const again = await opened(folder);
    assert.deepEqual(await again.readList('forgotten.jsonl'), lines);
    await appendFile(join(folder, 'archive/%archive/forgotten.jsonl'), '{"uu');
    await again.appendToList('forgotten.jsonl', 'last');
    assert.deepEqual(await again.readList('forgotten.jsonl'), [...lines, 'last']);
    await assert.rejects(again.appendToList('forgotten.jsonl', 'two\nlines'));
    await assert.rejects(again.appendToList('../escape', 'x'));
  });
});
