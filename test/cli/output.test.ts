import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { plainText, safeJson } from '../../src/client/plain-text.ts';
import { encodeExcerpt } from '../../src/protocol/content.ts';
import type { Conflict } from '../../src/protocol/conflicts.ts';
import { HubError } from '../../src/protocol/errors.ts';
import type { Version } from '../../src/protocol/versions.ts';
import { MACHINE, sampleStatus } from '../hub/rpc/fake-hub.ts';
import { Bench } from './run.ts';

// eslint-disable-next-line no-control-regex -- none of exactly these may be printed
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u202a-\u202e]/;
const ESCAPES = '\u001b[31mred\u001b[0m\u001b]0;title\u0007\u009b2J\u202e\u061c\u00adback\r';

const CONFLICT: Conflict = {
  id: 5,
  key: 'agents/a.md',
  at: 1_700_000_000_000,
  status: 'open',
  sides: [
    { machine: 'rog', sha256: 'aa', bytes: 12, mtimeMs: 1_700_000_000_000 },
    { machine: 'mac', sha256: 'bb', bytes: 14, mtimeMs: 1_700_000_001_000 },
  ],
  strategy: 'last-write-wins',
  winner: 'mac',
  resolvedAt: null,
  resolution: null,
};

const VERSION: Version = {
  version: 3,
  key: 'agents/a.md',
  machine: 'mac',
  at: 0,
  bytes: 5,
  sha256: 'ab'.repeat(32),
  reason: 'overwritten',
  isHead: false,
};

describe('output of the command line', () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = await Bench.open();
  });

  afterEach(() => bench.close());

  it('status --json is exactly what the hub answered, wherever --json stands', async () => {
    await bench.hub({});
    for (const args of [
      ['status', '--json'],
      ['--json', 'status'],
    ]) {
      const { stdout, stderr } = await bench.run(args);
      assert.deepEqual(JSON.parse(stdout), sampleStatus());
      assert.equal(stderr, '');
    }
  });

  it('status for people is a compact table', async () => {
    await bench.hub({});
    const { stdout } = await bench.run(['status']);
    assert.equal(
      stdout,
      [
        'in sync  hub 0.1.0, pid 4711, up 1 min',
        'MACHINE  STATUS  PENDING  FILES  SIZE     LATENCY  LAST SYNC  WATCHER',
        'rog      online  0        12     34.6 kB  4/19 ms  5.0 s ago  chokidar',
        '3 syncs, 0 failed (100.0 % good), 100 B sent, 200 B received, 0 B/s',
        '',
      ].join('\n'),
    );
  });

  it('status names open conflicts beside "in sync", and why things are held back', async () => {
    const sample = sampleStatus();
    const unsettled = { held: 3, evicted: 0, deferredLive: 0, manual: 0, failed: 0, unreadable: 0 };
    const heldBecause = [{ reason: 'its name differs only in case', count: 3 }];
    const machines = sample.machines.map((machine) => ({ ...machine, unsettled: { ...unsettled, heldBecause } }));
    await bench.hub({ 'hub/status': () => Promise.resolve({ ...sample, machines, conflicts: { open: 27 } }) });
    const { stdout } = await bench.run(['status']);
    assert.match(stdout, /^in sync, 27 conflicts open {2}hub/);
    assert.match(stdout, /rog: 3 held back \(its name differs only in case\)/);
  });

  it('doctor sends nobody to start a hub on a database of a newer version', async () => {
    const data = join(bench.folder, 'newer');
    await mkdir(data);
    const db = new Database(join(data, 'sync.db'));
    db.pragma('user_version = 9999');
    db.close();
    const { code, stdout } = await bench.run(['doctor', '--data-dir', data]);
    assert.equal(code, 3);
    assert.match(stdout, /newer version/);
    assert.doesNotMatch(stdout, /fix: claude-sync up/);
  });

  it('has colour on a terminal only, and not with NO_COLOR', async () => {
    await bench.hub({});
    const escape = '\u001b[';
    assert.ok((await bench.run(['status'], { tty: true })).stdout.includes(escape));
    assert.ok(!(await bench.run(['status'], { tty: true, env: { NO_COLOR: '1' } })).stdout.includes(escape));
    assert.ok(!(await bench.run(['status', '--json'], { tty: true })).stdout.includes(escape));
    assert.ok(!(await bench.run(['status'])).stdout.includes(escape));
  });

  it('errors with --json are one object on stderr, with what is unchanged and what to do; stdout stays empty', async () => {
    await bench.hub({
      'versions/list': () =>
        Promise.reject(new HubError('not-found', 'no such key', { unchanged: 'Nothing.', next: 'Look.' })),
    });
    const failed = await bench.run(['versions', 'x', '--json']);
    assert.equal(failed.stdout, '');
    assert.deepEqual(JSON.parse(failed.stderr), {
      error: { code: 'not-found', message: 'no such key', unchanged: 'Nothing.', next: 'Look.' },
    });
    const usage = await bench.run(['status', '--json', '--nonsense']);
    assert.equal((JSON.parse(usage.stderr) as { error: { code: string } }).error.code, 'usage');
  });

  it('versions --json is the bare array of the contract', async () => {
    await bench.hub({ 'versions/list': ({ key }) => Promise.resolve({ key, versions: [VERSION] }) });
    assert.deepEqual(JSON.parse((await bench.run(['versions', 'agents/a.md', '--json'])).stdout), [VERSION]);
    assert.match(
      (await bench.run(['versions', 'agents/a.md'])).stdout,
      /^3 +1970-01-01 00:00:00Z +mac +5 B +overwritten +abababababab$/m,
    );
  });

  it('restore --version and --machine arrive as they were given, and --version of the program is not in the way', async () => {
    const asked: object[] = [];
    await bench.hub({
      'versions/restore': (params) => {
        asked.push(params);
        return Promise.resolve({ key: params.key, restoredAs: 'session/new', version: 2, bytes: 9, machines: ['rog'] });
      },
    });
    assert.match((await bench.run(['restore', 'session/a', '--version', '2'])).stdout, /as session\/new/);
    await bench.run(['restore', 'session/a', '--machine', 'rog']);
    assert.deepEqual(asked, [
      { key: 'session/a', version: 2 },
      { key: 'session/a', machine: 'rog' },
    ]);
  });

  it('conflicts show prints how each side differs from what was before, without its escape sequences', async () => {
    const excerpt = (text: string) => encodeExcerpt(Buffer.from(text));
    await bench.hub({
      'conflicts/show': () =>
        Promise.resolve({
          conflict: CONFLICT,
          base: excerpt('one\ntwo\nthree\n'),
          contents: [
            { machine: 'rog', content: excerpt(`one\n${ESCAPES}\nthree\n`) },
            { machine: 'mac', content: null },
          ],
        }),
    });
    const { stdout } = await bench.run(['conflicts', 'show', '5']);
    assert.ok(stdout.includes('--- before\n+++ rog\n@@ -1,3 +1,3 @@\n one\n-two\n+redback\n three\n'), stdout);
    assert.ok(stdout.includes('--- before\n+++ /dev/null\n@@ -1,3 +0,0 @@\n-one\n-two\n-three\n'), stdout);
  });

  it('conflicts resolve --merged sends the bytes of the file, text or not', async () => {
    const sent: unknown[] = [];
    await bench.hub({
      'conflicts/resolve': (params) => {
        sent.push('merged' in params ? params.merged : params.keep);
        return Promise.resolve({ conflict: { ...CONFLICT, status: 'resolved', resolution: 'merged' } });
      },
    });
    await writeFile(join(bench.folder, 'text'), 'both\n');
    await writeFile(join(bench.folder, 'raw'), Buffer.from([0xff, 0]));
    for (const file of ['text', 'raw'])
      assert.equal((await bench.run(['conflicts', 'resolve', '5', '--merged', file])).code, 0);
    await bench.run(['conflicts', 'resolve', '5', '--keep', 'rog']);
    assert.deepEqual(sent, [{ encoding: 'utf8', data: 'both\n' }, { encoding: 'base64', data: '/wA=' }, 'rog']);
  });

  it('forget shows what goes and asks on a terminal; only yes goes on', async () => {
    const asked: boolean[] = [];
    await bench.hub({
      'sessions/forget': ({ session, preview }) => {
        asked.push(preview);
        return Promise.resolve({
          session,
          forgotten: !preview,
          title: 'Secrets',
          keys: ['session/s', 'session/s/tool-results/1.txt'],
          versions: 2,
          historyLines: 1,
          bytes: 99,
          machines: ['rog', 'mac'],
        });
      },
    });
    const no = await bench.run(['forget', 's'], { tty: true, input: 'n\n' });
    assert.equal(no.code, 1);
    assert.match(no.stderr, /"Secrets"[\s\S]*on rog, mac[\s\S]*session\/s\/tool-results\/1\.txt/);
    assert.match(no.stdout, /nothing was changed/);
    const yes = await bench.run(['forget', 's'], { tty: true, input: 'yes\n' });
    assert.equal(yes.code, 0);
    const unasked = await bench.run(['forget', 's', '--yes']);
    assert.equal(unasked.code, 0);
    assert.equal((await bench.run(['forget', 's', '--preview'])).code, 0);
    assert.deepEqual(asked, [true, true, false, true, false, true]);
  });

  it('nothing that a machine says reaches the terminal as a control character', async () => {
    const status = sampleStatus();
    await bench.hub({
      'hub/status': () =>
        Promise.resolve({
          ...status,
          machines: [{ ...MACHINE, name: ESCAPES, watcher: ESCAPES, reason: ESCAPES }],
          alerts: [
            {
              id: 'a',
              severity: 'error',
              message: ESCAPES,
              unaffected: ESCAPES,
              next: ESCAPES,
              machine: ESCAPES,
              key: null,
              at: 1,
            },
          ],
        }),
      'versions/list': () => Promise.resolve({ key: ESCAPES, versions: [{ ...VERSION, machine: ESCAPES }] }),
      'machines/pause': () => Promise.reject(new HubError('refused', ESCAPES, { next: ESCAPES })),
    });
    for (const args of [
      ['status'],
      ['versions', 'k'],
      ['machines', 'pause', 'x'],
      ['status', '--json'],
      ['versions', 'k', '--json'],
    ]) {
      const { stdout, stderr } = await bench.run(args);
      assert.doesNotMatch(stdout + stderr, CONTROLS, args.join(' '));
    }
    const { stdout } = await bench.run(['versions', 'k', '--json']);
    assert.equal((JSON.parse(stdout) as Version[])[0]?.machine, ESCAPES);
  });

  it('plain text has no control characters whatever goes in, and safe JSON keeps every value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // eslint-disable-next-line no-control-regex -- the characters that must not be there
        assert.doesNotMatch(plainText(text), /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
        assert.deepEqual(JSON.parse(safeJson({ text })), { text });
      }),
    );
  });

  it('where prints the places without a hub, and what the hub says with one', async () => {
    const without = await bench.run(['where', '--json', '--data-dir', 'data']);
    assert.equal(without.code, 0);
    assert.deepEqual(JSON.parse(without.stdout), {
      socket: join(bench.folder, 'hub.sock'),
      dataDir: join(bench.folder, 'data'),
      config: null,
      pid: null,
      version: null,
    });
    const where = { socket: '/s', dataDir: '/d', config: '/c', pid: 12, version: '0.1.0' };
    await bench.hub({ 'hub/where': () => Promise.resolve(where) });
    assert.deepEqual(JSON.parse((await bench.run(['where', '--json'])).stdout), where);
  });
});
