import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSystemError } from '../../../src/hub/ports/file-system.ts';
import { once } from '../../../src/hub/engine/excerpt.ts';
import { CopyThreads } from '../../../src/hub/replica/many/copy-threads.ts';
import type { CreateRequest, Intake, Replica } from '../../../src/hub/replica/replica.ts';
import { Ground, MTIME, realClock } from './ground.ts';

/** Enough to be worth a thread. */
const MANY = 20;
/** What is to come is worth a thread. */
const MORE = 10_000;
const TRANSCRIPT = 'projects/-home-u-p/0b7e6f1a-0000-4000-8000-000000000001.jsonl';

for (const way of ['through threads', 'one by one'] as const) {
  describe(`many files ${way}`, () => {
    let ground: Ground;
    let hub: string;
    let threads: CopyThreads;
    let troubles: Error[];

    beforeEach(() => {
      ground = new Ground();
      hub = mkdtempSync(join(tmpdir(), 'hub-'));
      mkdirSync(join(hub, 'staging'));
      troubles = [];
      threads = new CopyThreads({ clock: realClock, most: 2, onTrouble: (error) => troubles.push(error) });
    });
    afterEach(() => {
      ground.remove();
      rmSync(hub, { recursive: true });
      assert.deepEqual(troubles, []);
    });

    const connected = (): Promise<Replica> => ground.connected(way === 'through threads' ? { threads } : {});

    function requestOf(path: string, text: string, change: Partial<CreateRequest> = {}): CreateRequest {
      const source = join(hub, createHash('sha256').update(path).digest('hex'));
      writeFileSync(source, text);
      return {
        path,
        source,
        content: () => once(readFileSync(source)),
        size: Buffer.byteLength(text),
        sha256: createHash('sha256').update(text).digest('hex'),
        mtimeMs: MTIME,
        executable: false,
        ...change,
      };
    }

    const others = (): CreateRequest[] =>
      Array.from({ length: MANY }, (_, at) => requestOf(`plans/plan-${at}.md`, `plan ${at}`));
    const intake = (): Intake => {
      let names = 0;
      const at = (name: string): string => join(hub, 'staging', name);
      return {
        place: at,
        newName: () => `s${(names += 1)}`,
        stage: async (content) => {
          const parts: Uint8Array[] = [];
          for await (const part of content) parts.push(part);
          const bytes = Buffer.concat(parts);
          const name = `s${(names += 1)}`;
          writeFileSync(at(name), bytes);
          return { name, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
        },
        discard: async ({ name }) => rmSync(at(name)),
      };
    };
    const staged = (name: string): Buffer => readFileSync(join(hub, 'staging', name));
    const nothingOfOursIsLeft = (): void => assert.deepEqual(ground.names('.claude-sync/tmp'), []);

    it('are found with the same facts as one folder at a time, and what cannot be listed is unknown', async () => {
      for (let folder = 0; folder < 150; folder += 1) {
        ground.write(`skills/s${folder}/SKILL.md`, `${folder}`.repeat(folder));
        ground.write(`skills/s${folder}/deep/run.sh`, 'echo');
      }
      chmodSync(ground.at('skills/s7/deep/run.sh'), 0o700);
      symlinkSync(ground.at('skills/s1'), ground.at('skills/s2/link'));
      mkdirSync(ground.at('skills/s3/empty'));
      const replica = await connected();
      if (way === 'through threads') threads.begin();
      const scan = await replica.scan('', () => true);
      assert.equal(scan.files.size, 300);
      for (const [path, stat] of scan.files) assert.deepEqual(stat, ground.stat(path), path);
      assert.deepEqual([...scan.refused.keys()], ['skills/s2/link']);
      assert.equal(scan.unlisted.size, 0);
      // Gone, or a file now, between the listing of the one above and its own: absent, unless it is claudeDir itself.
      const listed = await threads.list({
        kind: 'list',
        root: ground.root,
        folders: ['skills/s1', 'gone', 'skills/s1/SKILL.md', ''],
      });
      assert.deepEqual(
        listed?.map((listing) => (listing instanceof FileSystemError ? listing.code : listing.length)),
        [2, 'missing', 'missing', ground.names('').length],
      );
    });

    it('are listed by threads that were begun before, which end by themselves', async () => {
      threads.begin();
      assert.equal(threads.count, 2);
      await threads.ended();
      assert.equal(threads.count, 0);
      assert.equal((await threads.list({ kind: 'list', root: ground.root, folders: [''] }))?.length, 1);
    });

    it('are created with their folders, private, with time, executable bit and content, also long ones', async () => {
      const long = randomBytes(3_000_000).toString('hex');
      const outcomes = await (
        await connected()
      ).createMany(
        [
          ...others(),
          requestOf('hooks/deep/run.sh', 'echo', { executable: true }),
          requestOf(TRANSCRIPT, long, { sha256: null }),
          requestOf('plans/empty.md', ''),
        ],
        MORE,
      );
      assert.deepEqual(
        outcomes.map((outcome) => outcome.kind),
        outcomes.map(() => 'done'),
      );
      assert.deepEqual(outcomes[MANY], { kind: 'done', stat: ground.stat('hooks/deep/run.sh') });
      assert.equal(ground.text('plans/plan-7.md'), 'plan 7');
      assert.equal(ground.text(TRANSCRIPT), long);
      assert.equal(ground.text('plans/empty.md'), '');
      assert.equal(ground.stat('plans/plan-7.md').mtimeMs, MTIME);
      assert.equal(lstatSync(ground.at('hooks/deep')).mode & 0o777, 0o700);
      assert.equal(lstatSync(ground.at('hooks/deep/run.sh')).mode & 0o777, 0o700);
      assert.equal(lstatSync(ground.at('plans/plan-7.md')).mode & 0o777, 0o600);
      assert.equal(lstatSync(ground.at('plans/plan-7.md')).nlink, 1);
      nothingOfOursIsLeft();
    });

    it('overwrite nothing that is there, a symlink to nowhere included', async () => {
      ground.write('plans/plan-3.md', 'mine');
      symlinkSync('/nowhere', ground.at('plans/plan-4.md'));
      const outcomes = await (await connected()).createMany(others(), MORE);
      assert.deepEqual(outcomes[3], { kind: 'changed' });
      assert.equal(outcomes[4]?.kind === 'refused' && outcomes[4].code, 'unsafe-path');
      assert.equal(ground.text('plans/plan-3.md'), 'mine');
      assert.equal(lstatSync(ground.at('plans/plan-4.md')).isSymbolicLink(), true);
      assert.equal(outcomes.filter((outcome) => outcome.kind === 'done').length, MANY - 2);
      nothingOfOursIsLeft();
    });

    it('do not go through a symlinked folder, nor below a file, nor where names must not lead', async () => {
      const elsewhere = join(hub, 'elsewhere');
      mkdirSync(elsewhere);
      symlinkSync(elsewhere, ground.at('agents'));
      ground.write('skills', 'a file');
      const unsafe = [
        'agents/a.md',
        'agents/deep/a.md',
        'skills/x.md',
        '../x.md',
        '.claude-sync/replica-id',
        'a:b',
        'nul',
      ];
      const outcomes = await (
        await connected()
      ).createMany([...others(), ...unsafe.map((path) => requestOf(path, 'text'))], MORE);
      for (const [index, path] of unsafe.entries()) {
        const outcome = outcomes[MANY + index];
        assert.equal(outcome?.kind === 'refused' && outcome.code, 'unsafe-path', path);
      }
      assert.equal(
        outcomes.slice(0, MANY).every((outcome) => outcome.kind === 'done'),
        true,
      );
      assert.deepEqual(readdirSync(elsewhere), []);
      nothingOfOursIsLeft();
    });

    it('get no name when their content is not what it should be', async () => {
      const wrong = requestOf('plans/wrong.md', 'right');
      writeFileSync(wrong.source ?? '', 'wrong');
      const short = requestOf('plans/short.md', 'whole', { sha256: null });
      writeFileSync(short.source ?? '', 'wh');
      const outcomes = await (await connected()).createMany([...others(), wrong, short], MORE);
      assert.equal(outcomes[MANY]?.kind, 'refused');
      assert.equal(outcomes[MANY + 1]?.kind, 'refused');
      assert.equal(ground.exists('plans/wrong.md') || ground.exists('plans/short.md'), false);
      nothingOfOursIsLeft();
    });

    it('are not made where their copies cannot be completed first', async () => {
      const replica = await connected();
      rmSync(ground.at('.claude-sync/tmp'), { recursive: true });
      writeFileSync(ground.at('.claude-sync/tmp'), 'in the way');
      const outcomes = await replica.createMany(others(), MORE);
      assert.equal(
        outcomes.some((outcome) => outcome.kind === 'done'),
        false,
      );
      assert.equal(ground.exists('plans/plan-0.md'), false);
    });

    it('are fetched whole, with what is known of them', async () => {
      for (let at = 0; at < MANY; at += 1) ground.write(`plans/plan-${at}.md`, `plan ${at}`);
      const line = '{"type":"user","cwd":"/home/u/p","uuid":"1"}\n';
      ground.write(TRANSCRIPT, line.repeat(50_000));
      ground.write('plans/torn.md', 'one\ntwo');
      const paths = [...Array.from({ length: MANY }, (_, at) => `plans/plan-${at}.md`), 'plans/torn.md', TRANSCRIPT];
      const fetched = await (
        await connected()
      ).fetchMany(
        paths.map((path) => ({ path, isTranscript: path === TRANSCRIPT, destination: null })),
        intake(),
        MORE,
      );
      for (const [index, path] of paths.entries()) {
        const found = fetched[index];
        assert.ok(found, path);
        assert.deepEqual(found.stat, ground.stat(path));
        assert.equal(staged(found.staged.name).equals(readFileSync(ground.at(path))), true);
        assert.equal(found.facts.sha256, createHash('sha256').update(ground.text(path)).digest('hex'));
        assert.equal(found.facts.bytes, ground.stat(path).size);
        assert.equal(found.facts.endsInNewline, path === TRANSCRIPT);
        assert.equal(Buffer.from(found.facts.tail).toString(), ground.text(path).slice(-1024));
      }
      if (way === 'through threads') assert.deepEqual(fetched.at(-1)?.folders, ['/home/u/p', '/home/u/p']);
    });

    it('leave nothing behind of what is no plain file, gone, or too long', async () => {
      for (let at = 0; at < MANY; at += 1) ground.write(`plans/plan-${at}.md`, `plan ${at}`);
      writeFileSync(join(hub, 'secret'), 'secret');
      symlinkSync(join(hub, 'secret'), ground.at('plans/link.md'));
      symlinkSync(hub, ground.at('linked'));
      execFileSync('mkfifo', [ground.at('plans/pipe.md')]);
      ground.write('plans/long.md', '');
      truncateSync(ground.at('plans/long.md'), 65 * 1024 * 1024);
      const bad = ['plans/link.md', 'linked/secret', 'plans/pipe.md', 'plans/gone.md', 'plans/long.md', '../x'];
      const good = Array.from({ length: MANY }, (_, at) => `plans/plan-${at}.md`);
      const fetched = await (
        await connected()
      ).fetchMany(
        [...good, ...bad].map((path) => ({ path, isTranscript: false, destination: null })),
        intake(),
        MORE,
      );
      assert.deepEqual(
        fetched.map((found) => found !== null),
        [...good.map(() => true), ...bad.map(() => false)],
      );
      assert.equal(readdirSync(join(hub, 'staging')).length, MANY);
    });

    it('are looked at as one by one', async () => {
      for (let at = 0; at < MANY; at += 1) ground.write(`plans/plan-${at}.md`, `plan ${at}`);
      symlinkSync(hub, ground.at('linked'));
      const paths = [
        ...Array.from({ length: MANY }, (_, at) => `plans/plan-${at}.md`),
        'gone.md',
        'plans',
        'linked',
        'linked/x',
        '../x',
      ];
      const replica = await connected();
      // Looks are not worth starting a thread for; with one that runs they go through it.
      if (way === 'through threads') await threads.look({ kind: 'look', root: ground.root, files: [] });
      assert.deepEqual(await replica.lookMany(paths), await Promise.all(paths.map((path) => replica.look(path))));
    });
  });
}

describe('copy threads', () => {
  const job = (ground: Ground) => ({ kind: 'look' as const, root: ground.root, files: ['a'] });

  it('end when there is no work, and start again', async () => {
    const ground = new Ground();
    const timers: (() => void)[] = [];
    const clock = { ...realClock, after: (_: number, task: () => void) => (timers.push(task), () => undefined) };
    const threads = new CopyThreads({ clock, most: 1, onTrouble: assert.fail });
    assert.deepEqual(await threads.look(job(ground)), [{ kind: 'absent' }]);
    assert.equal(threads.count, 1);
    for (const task of timers.splice(0)) task();
    await threads.ended();
    assert.equal(threads.count, 0);
    assert.deepEqual(await threads.look(job(ground)), [{ kind: 'absent' }]);
    ground.remove();
  });

  it('that die leave their files to the ordinary way, and say so', async () => {
    const ground = new Ground();
    const hub = mkdtempSync(join(tmpdir(), 'hub-'));
    const troubles: Error[] = [];
    const url = new URL('data:text/javascript,process.exit(3)');
    const threads = new CopyThreads({ clock: realClock, most: 2, url, onTrouble: (error) => troubles.push(error) });
    const replica = await ground.connected({ threads });
    const requests = Array.from({ length: MANY }, (_, at): CreateRequest => {
      const source = join(hub, String(at));
      writeFileSync(source, 'text');
      return {
        path: `plans/${at}.md`,
        source,
        content: () => once(Buffer.from('text')),
        size: 4,
        sha256: null,
        mtimeMs: MTIME,
        executable: false,
      };
    });
    const outcomes = await replica.createMany(requests, MORE);
    assert.equal(
      outcomes.every((outcome) => outcome.kind === 'done'),
      true,
    );
    assert.equal(troubles.length, 1);
    rmSync(hub, { recursive: true });
    ground.remove();
  });
});
