import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { systemClock } from '../../../src/hub/ports/system.ts';
import { runRsync, rsyncVersion } from '../../../src/hub/ssh/rsync.ts';
import type { RsyncOptions } from '../../../src/hub/ssh/rsync.ts';
import type { RsyncProgress } from '../../../src/hub/ssh/rsync-progress.ts';
import { signal } from '../../fixtures/ssh/sshd.ts';
import { until } from '../hub-ground.ts';
import { TestMachine } from './machine.ts';

const MB = 1024 * 1024;

describe('rsync with a machine', function () {
  this.timeout(60_000);
  let machine: TestMachine;
  let here: string;
  let there: string;

  beforeEach(async () => {
    machine = await TestMachine.start();
    here = machine.at(`it's "here"`);
    there = machine.at(`home/it's "there" $HOME \\ é`);
    for (const folder of [here, there]) mkdirSync(folder);
  });
  afterEach(() => machine.stop());

  function put(folder: string, path: string, content: string | Buffer, mode = 0o644): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content, { mode });
    utimesSync(join(folder, path), 1_700_000_000, 1_700_000_000);
  }

  function options(direction: 'pull' | 'push', paths: string[], more: Partial<RsyncOptions> = {}): RsyncOptions {
    const { address: host, port, identityFile, knownHostsFile } = machine.server;
    return {
      ...{ direction, paths, localFolder: here, remoteFolder: there, clock: systemClock },
      localVersion: { implementation: 'rsync', major: 3, minor: 2, patch: 0 },
      remoteRsync: '/usr/bin/rsync',
      partialDir: '.partial',
      ssh: {
        host,
        port,
        user: 'root',
        identityFiles: [identityFile],
        knownHostsFiles: [knownHostsFile],
        configFile: '/dev/null',
      },
      ...more,
    };
  }
  const from = (direction: 'pull' | 'push'): string => (direction === 'pull' ? there : here);
  const to = (direction: 'pull' | 'push'): string => (direction === 'pull' ? here : there);

  /** ssh and rsync processes that belong to this test. */
  const running = (): string[] =>
    execFileSync('ps', ['-eo', 'stat=,args=', '-ww'], { encoding: 'utf8' })
      .split('\n')
      .filter((row) => /^\S+\s+(ssh|rsync) /.test(row) && row.includes(machine.folder));

  /** Pids of `rsync --server` on the machine. */
  async function servers(): Promise<number[]> {
    const all = await machine.server.sessions();
    return all.filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('rsync\0--server');
      } catch (error) {
        if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
        throw error;
      }
    });
  }

  for (const direction of ['pull', 'push'] as const) {
    it(`${direction}s files of any name, with their times, and nothing that was not asked for`, async () => {
      const names = [
        'a.md',
        '-n',
        'a b',
        `it's "q" é 雪`,
        'two\nlines',
        '#x',
        ';x',
        '*',
        '$HOME',
        'deep/er/down/s.jsonl',
        'back\\slash',
      ];
      for (const name of names) put(from(direction), name, `content of ${name}`);
      put(from(direction), 'unasked.md', 'x');
      put(from(direction), 'run.sh', '#!/bin/sh\n', 0o755);
      symlinkSync('a.md', join(from(direction), 'link'));
      assert.deepEqual(await runRsync(options(direction, [...names, 'run.sh', 'link'])), { kind: 'done' });
      for (const name of names) {
        assert.equal(readFileSync(join(to(direction), name), 'utf8'), `content of ${name}`);
        assert.equal(statSync(join(to(direction), name)).mtimeMs, 1_700_000_000_000);
      }
      assert.equal(existsSync(join(to(direction), 'unasked.md')), false);
      assert.equal(existsSync(join(to(direction), 'link')), false);
      assert.ok(statSync(join(to(direction), 'run.sh')).mode & 0o100);
    });

    it(`a ${direction} brings what is there when some of it is not`, async () => {
      put(from(direction), 'there.md', 'x');
      const outcome = await runRsync(options(direction, ['missing.md', 'there.md', 'none/at/all.md']));
      assert.equal(outcome.kind, 'partial');
      assert.equal(readFileSync(join(to(direction), 'there.md'), 'utf8'), 'x');
    });

    it(`a ${direction} onto a full disk says so`, async () => {
      const content = randomBytes(3 * MB);
      put(from(direction), 'big.bin', content);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', to(direction)]);
      try {
        const outcome = await runRsync(options(direction, ['big.bin']));
        assert.equal(outcome.kind, 'disk-full', JSON.stringify(outcome));
      } finally {
        execFileSync('umount', ['-l', to(direction)]);
      }
    });

    it(`a ${direction} that hangs is ended, with everything that belongs to it`, async () => {
      put(from(direction), 'big.bin', randomBytes(30 * MB));
      const seen: RsyncProgress[] = [];
      const transfer = runRsync(
        options(direction, ['big.bin'], { bytesPerSecond: 4 * MB, stallMs: 1500, onProgress: (at) => seen.push(at) }),
      );
      await until('it moves', () => seen.some(({ bytes }) => bytes > 0));
      const stopped = await servers();
      assert.ok(stopped.length > 0);
      for (const pid of stopped) signal(pid, 'SIGSTOP');
      assert.equal((await transfer).kind, 'stalled');
      await until('nothing of it is left here', () => running().length === 0);
    });

    it(`a ${direction} ends with the process that began it, however that ends`, async () => {
      put(from(direction), 'big.bin', randomBytes(8 * MB));
      const module = (path: string): string => new URL(`../../../src/hub/${path}`, import.meta.url).href;
      const given = { ...options(direction, ['big.bin'], { bytesPerSecond: 100_000 }), clock: null };
      const script = `
        import { runRsync } from ${JSON.stringify(module('ssh/rsync.ts'))};
        import { systemClock } from ${JSON.stringify(module('ports/system.ts'))};
        await runRsync({ ...${JSON.stringify(given)}, clock: systemClock });`;
      const hub = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
      await until('it is at work', async () => (await servers()).length > 0 && running().length > 0);
      hub.kill('SIGKILL');
      await until('nothing of it is left', async () => (await servers()).length === 0 && running().length === 0, 5_000);
    });

    for (const how of ['aborted', 'unreachable'] as const) {
      it(`a ${direction} that was ${how} in the middle goes on from there`, async () => {
        const content = randomBytes(24 * MB);
        put(from(direction), 'deep/big.bin', content);
        const seen: RsyncProgress[] = [];
        const abort = new AbortController();
        const transfer = runRsync(
          options(direction, ['deep/big.bin'], {
            ...{ bytesPerSecond: 8 * MB, signal: abort.signal, onProgress: (at) => seen.push(at) },
          }),
        );
        await until('it moves', () => seen.some(({ bytes }) => bytes > 4 * MB));
        if (how === 'aborted') abort.abort();
        else for (const pid of await machine.server.sessions()) signal(pid, 'SIGKILL');
        assert.equal((await transfer).kind, how);
        assert.equal(existsSync(join(to(direction), 'deep/big.bin')), false, 'half a file has no name');
        const partial = join(to(direction), 'deep/.partial/big.bin');
        await until('what arrived is kept', () => existsSync(partial) || (how !== 'aborted' && direction === 'push'));
        assert.deepEqual(await runRsync(options(direction, ['deep/big.bin'])), { kind: 'done' });
        assert.ok(readFileSync(join(to(direction), 'deep/big.bin')).equals(content));
        assert.equal(existsSync(partial), false);
      });
    }
  }

  it('tells how far it is', async () => {
    for (let n = 0; n < 50; n += 1) put(there, `${n}.bin`, randomBytes(200_000));
    const seen: RsyncProgress[] = [];
    const paths = Array.from({ length: 50 }, (_, n) => `${n}.bin`);
    await runRsync(options('pull', paths, { compress: true, onProgress: (at) => seen.push(at) }));
    assert.deepEqual([seen.at(-1)?.bytes, seen.at(-1)?.percent], [10_000_000, 100]);
    assert.ok((seen.at(-1)?.bytesPerSecond ?? 0) > 0);
  });

  it('takes thousands of files', async () => {
    const paths = Array.from({ length: 5000 }, (_, n) => `folder ${n % 50}/a file with a name ${n}.jsonl`);
    for (const path of paths) put(there, path, path);
    assert.deepEqual(await runRsync(options('pull', paths)), { kind: 'done' });
    for (const path of paths) assert.equal(readFileSync(join(here, path), 'utf8'), path);
  });

  it('reaches a machine by its name in the configuration of ssh', async () => {
    put(there, 'a.md', 'x');
    const { address, port, identityFile, knownHostsFile } = machine.server;
    const configFile = machine.at('ssh config');
    const lines = [
      `HostName ${address}`,
      `Port ${port}`,
      'User root',
      `IdentityFile ${identityFile}`,
      `UserKnownHostsFile ${knownHostsFile}`,
    ];
    writeFileSync(configFile, `Host laptop\n${lines.join('\n')}\n`);
    assert.deepEqual(await runRsync(options('pull', ['a.md'], { ssh: { host: 'laptop', configFile } })), {
      kind: 'done',
    });
  });

  it('finds keys and known hosts in folders of any name', async () => {
    put(there, 'a.md', 'x');
    const folder = machine.at(`it's 100%d of a folder`);
    mkdirSync(folder);
    for (const name of ['id_ed25519', 'known_hosts'])
      writeFileSync(join(folder, name), readFileSync(join(machine.server.folder, name)), { mode: 0o600 });
    const given = options('pull', ['a.md']);
    const ssh = {
      ...given.ssh,
      identityFiles: [join(folder, 'id_ed25519')],
      knownHostsFiles: ['/nowhere/x', join(folder, 'known_hosts')],
    };
    assert.deepEqual(await runRsync({ ...given, ssh }), { kind: 'done' });
  });

  it('does not ask, and does not trust, when a key is not known', async () => {
    const given = options('pull', ['a.md']);
    writeFileSync(machine.at('empty'), '');
    for (const ssh of [
      { ...given.ssh, knownHostsFiles: [machine.at('empty')] },
      { ...given.ssh, identityFiles: [machine.at('nokey')] },
      { ...given.ssh, port: 1 },
    ])
      assert.equal((await runRsync({ ...given, ssh })).kind, 'unreachable');
  });

  it('says why when the other side has no rsync, no such folder, or a shell that greets', async () => {
    const failed = async (more: Partial<RsyncOptions>, said: RegExp): Promise<void> => {
      const outcome = await runRsync(options('pull', ['a.md'], more));
      assert.equal(outcome.kind === 'partial' || outcome.kind === 'done', false, JSON.stringify(outcome));
      assert.match('said' in outcome ? outcome.said : '', said);
    };
    await failed({ remoteRsync: '/nowhere/rsync' }, /not found/);
    await failed({ remoteFolder: '/nowhere' }, /nowhere/);
    await failed({ program: '/nowhere/rsync' }, /not found/);
    appendFileSync(machine.at('home/.bashrc'), 'echo welcome\n');
    await failed({}, /is your shell clean/);
  });

  it('does not begin when it is called off already, and obeys no variables of the user', async () => {
    assert.deepEqual(await runRsync(options('pull', ['a.md'], { signal: AbortSignal.abort() })), { kind: 'aborted' });
    put(there, 'a.md', 'x');
    process.env['RSYNC_RSH'] = '/nowhere/ssh';
    process.env['RSYNC_PARTIAL_DIR'] = '/nowhere';
    try {
      assert.deepEqual(await runRsync(options('pull', ['a.md'])), { kind: 'done' });
    } finally {
      delete process.env['RSYNC_RSH'];
      delete process.env['RSYNC_PARTIAL_DIR'];
    }
  });

  it('sends nothing that the rsync of macOS does not understand', async () => {
    const tool = machine.at('rsync');
    writeFileSync(tool, `#!/bin/sh\nprintf '%s\\n' "$*" >> ${machine.at('words')}\nexec /usr/bin/rsync "$@"\n`);
    chmodSync(tool, 0o755);
    for (const direction of ['pull', 'push'] as const) {
      put(from(direction), 'a.md', direction);
      const more = { compress: true, wholeFile: true, bytesPerSecond: MB, remoteRsync: tool };
      assert.deepEqual(await runRsync(options(direction, ['a.md'], more)), { kind: 'done' });
    }
    const sent = readFileSync(machine.at('words'), 'utf8').trim().split('\n');
    assert.equal(sent.length, 2);
    const old =
      /^(--server|--sender|-[tOWRdz]+e\S*|--bwlimit=\d+|--partial-dir|\.partial|--files-from=-|--from0|\.|\.\/)$/;
    for (const line of sent) for (const word of line.split(' ')) assert.match(word, old, line);
  });

  it('leaves nothing behind but what it brought', async () => {
    put(there, 'a.md', 'x');
    await runRsync(options('pull', ['a.md']));
    assert.deepEqual(readdirSync(here), ['a.md']);
    assert.deepEqual(running(), []);
    assert.deepEqual(await rsyncVersion('/nowhere/rsync'), null);
    assert.equal((await rsyncVersion())?.major, 3);
  });
});
