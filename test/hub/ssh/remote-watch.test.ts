import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemClock, systemRandom } from '../../../src/hub/ports/system.ts';
import { isOutOfWatches } from '../../../src/hub/replica/chokidar-watch.ts';
import type { Hint } from '../../../src/hub/replica/replica.ts';
import type { WatchSource } from '../../../src/hub/replica/watch-source.ts';
import { createFswatchWatch } from '../../../src/hub/ssh/fswatch-watch.ts';
import { createInotifyWatch } from '../../../src/hub/ssh/inotify-watch.ts';
import type { RemoteWatchOptions } from '../../../src/hub/ssh/remote-watch.ts';
import { signal } from '../../fixtures/ssh/sshd.ts';
import { until } from '../hub-ground.ts';
import { TestMachine } from './machine.ts';

const KINDS: Record<string, { program: string; create: (options: RemoteWatchOptions, tool?: string) => WatchSource }> =
  {
    inotifywait: {
      program: 'inotifywait',
      create: (options, path = '/usr/bin/inotifywait') =>
        createInotifyWatch({ ...options, tool: { path, hasNul: true } }),
    },
    'an inotifywait that knows no NUL': {
      program: 'inotifywait',
      create: (options) => createInotifyWatch({ ...options, tool: { path: '/usr/bin/inotifywait', hasNul: false } }),
    },
    fswatch: {
      program: 'fswatch',
      create: (options, tool = '/usr/bin/fswatch') =>
        createFswatchWatch({ ...options, tool, system: 'linux', random: systemRandom }),
    },
  };

for (const [kind, { program, create }] of Object.entries(KINDS)) {
  describe(`watching a machine with ${kind}`, function () {
    this.timeout(60_000);
    let machine: TestMachine;
    let watch: WatchSource;
    let hints: Hint[];
    let troubles: string[];
    let root: string;

    async function open(name = '.claude'): Promise<void> {
      machine = await TestMachine.start();
      root = machine.at(`home/${name}`);
      mkdirSync(join(root, '.claude-sync/tmp'), { recursive: true });
    }

    async function start(prune: (folder: string) => boolean = () => false): Promise<void> {
      hints = [];
      troubles = [];
      watch = create({ commands: machine.commands, clock: systemClock, root, prune });
      await watch.start(
        (hint) => hints.push(hint),
        (reason) => troubles.push(reason),
      );
    }

    afterEach(async () => {
      await watch.close();
      await machine.stop();
    });

    function put(path: string, text = 'text\n'): void {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }

    const has =
      (path: string, as: Hint['kind'] = 'file') =>
      (): boolean =>
        hints.some((hint) => hint.path === path && hint.kind === as);
    const told = (path: string, as: Hint['kind'] = 'file'): Promise<void> => until(`${as} ${path}`, has(path, as));

    /** Watchers of this machine that run. */
    function watchers(): number[] {
      return processes()
        .filter((row) => row.includes(root) && new RegExp(`^\\s*\\d+ \\S*${program} `).test(row))
        .map((row) => Number.parseInt(row, 10));
    }

    it('tells changed, new, removed and atomically saved files, again and again', async () => {
      await open();
      put('agents/a.md');
      await start();
      for (let n = 0; n < 5; n += 1) {
        hints.length = 0;
        appendFileSync(join(root, 'agents/a.md'), 'more\n');
        await told('agents/a.md');
        put('b.md.tmp');
        renameSync(join(root, 'b.md.tmp'), join(root, 'b.md'));
        await told('b.md');
        hints.length = 0;
        rmSync(join(root, 'b.md'));
        await told('b.md');
      }
      assert.deepEqual(troubles, []);
    });

    for (const name of ['-with spaces "and" it\'s', '.cl(a)u+d[e].*^$|{2}\\ é雪']) {
      it(`takes a Claude folder of any name: ${name}`, async () => {
        await open(name);
        await start();
        const file = `it's "odd" | 雪 e\u0301 Updated.md`;
        put(file);
        await told(file);
        assert.deepEqual(troubles, []);
      });
    }

    it('tells a new folder as one to scan, and once more when it is watched', async () => {
      await open();
      await start();
      put('projects/new/deep/down/s.jsonl');
      await told('projects', 'folder');
      const count = (): number =>
        hints.filter((hint) => has('projects', 'folder')() && hint.path === 'projects').length;
      await until('it is told again', () => count() > 1);
      hints.length = 0;
      // inotifywait says nothing when it has come to a new folder: on a machine with much else to do that is later than it is told.
      await until('what is written there is told', () => {
        appendFileSync(join(root, 'projects/new/deep/down/s.jsonl'), 'more\n');
        return has('projects/new/deep/down/s.jsonl')();
      });
    });

    it('tells folders that are moved in, within, and away', async () => {
      await open();
      put('a/x.md');
      cpSync(join(root, 'a'), machine.at('outside'), { recursive: true });
      await start();
      renameSync(machine.at('outside'), join(root, 'in'));
      await told('in', 'folder');
      renameSync(join(root, 'a'), join(root, 'b'));
      await Promise.all([told('a', 'folder'), told('b', 'folder')]);
      renameSync(join(root, 'b'), machine.at('away'));
      await until(
        'b is told again',
        () => hints.filter(({ path, kind }) => path === 'b' && kind === 'folder').length > 1,
      );
    });

    it('loses none of 5,000 files that come at once', async () => {
      await open();
      mkdirSync(join(root, 'many'));
      await start();
      for (let n = 0; n < 5000; n += 1) writeFileSync(join(root, `many/${n}.md`), 'x');
      const missing = (): number[] => Array.from({ length: 5000 }, (_, n) => n).filter((n) => !tellsOf(`many/${n}.md`));
      const paths = (): Set<string> => new Set(hints.map(({ path }) => path));
      let seen = new Set<string>();
      const tellsOf = (path: string): boolean => seen.has(path) || seen.has('');
      await until('all are told', () => ((seen = paths()), missing().length === 0));
    });

    it('does not stumble over names with line breaks, and those that are no UTF-8', async () => {
      await open();
      mkdirSync(join(root, 'odd'));
      await start();
      put('odd/two\nlines');
      await until('something is to be looked at', () => hints.length > 0);
      hints.length = 0;
      writeFileSync(Buffer.concat([Buffer.from(`${root}/odd/`), Buffer.from([0xff, 0xfe])]), 'x');
      await until('its folder is told', () => has('odd', 'folder')() || has('', 'folder')());
      put('odd/fine.md');
      await told('odd/fine.md');
    });

    it('says nothing about pruned folders and the private one', async () => {
      await open();
      put('cache/deep/x');
      put('.claude-sync/tmp/x');
      await start((folder) => folder === 'cache');
      put('cache/deep/x', 'other');
      put('cache/new/x');
      put('.claude-sync/tmp/x', 'other');
      put('.claude-sync/undo/y');
      put('last.md');
      await told('last.md');
      const silent = hints.filter(({ path }) => path.startsWith('cache') || path.startsWith('.claude-sync'));
      assert.deepEqual(silent, []);
      assert.deepEqual(readdirSync(join(root, '.claude-sync')).sort(), ['tmp', 'undo'], 'and leaves nothing behind');
    });

    it('is gone after it was closed', async () => {
      await open();
      const before = await machine.server.sessions();
      await start();
      assert.equal(watchers().length, 1);
      await watch.close();
      assert.deepEqual(watchers(), []);
      await until('the shells around it are', async () => {
        const after = await machine.server.sessions();
        return after.length === before.length;
      });
    });

    for (const how of ['by the hub', 'by the machine']) {
      it(`is gone after the connection was cut ${how}`, async () => {
        await open();
        await start();
        const session = (await machine.server.sessions())[0];
        assert.ok(session !== undefined && watchers().length === 1);
        if (how === 'by the hub') machine.connection.destroy();
        else signal(session, 'SIGKILL');
        await until('the watcher is gone', () => watchers().length === 0);
        await until('so are the shells around it', () => processesWith(root) === 0);
      });
    }

    it('begins again after it was killed, and asks for a scan of everything', async () => {
      await open();
      await start();
      for (let n = 1; n <= 2; n += 1) {
        hints.length = 0;
        for (const pid of watchers()) signal(pid, 'SIGKILL');
        await until('it is told', () => troubles.length === n);
        await told('', 'folder');
        assert.equal(watchers().length, 1);
        put(`again-${n}.md`);
        await told(`again-${n}.md`);
      }
      assert.match(troubles[0] ?? '', new RegExp(`${program} ended`));
    });

    it('tells when the Claude folder is moved away, and goes on in another one', async () => {
      await open();
      await start();
      renameSync(root, machine.at('elsewhere'));
      await told('', 'folder');
      await until('it is a trouble', () => troubles.length > 0);
      mkdirSync(join(root, '.claude-sync'), { recursive: true });
      await until('another one watches', () => watchers().length === 1);
      let n = 0;
      await until('it tells of the other one', () => {
        n += 1;
        put(`other-${n}.md`);
        return hints.some(({ path }) => path.startsWith('other-'));
      });
    });

    it('tells when the Claude folder is removed', async () => {
      await open();
      put('a.md');
      await start();
      rmSync(root, { recursive: true });
      await told('', 'folder');
    });

    it('says what is wrong when the folder is not there, and watches it when it is', async () => {
      await open();
      rmSync(root, { recursive: true });
      await start();
      assert.match(troubles[0] ?? '', /not there/);
      mkdirSync(join(root, '.claude-sync'), { recursive: true });
      await told('', 'folder');
      put('a.md');
      await told('a.md');
    });
  });
}

describe('watching a machine that is short of something', function () {
  this.timeout(60_000);
  let machine: TestMachine;
  let watch: WatchSource | null = null;
  let hints: Hint[];
  let troubles: string[];
  let root: string;

  afterEach(async () => {
    await watch?.close();
    await machine.stop();
  });

  async function start(kind: string, limit: string, folders: number): Promise<void> {
    machine = await TestMachine.start();
    root = machine.at('home/.claude');
    mkdirSync(join(root, '.claude-sync'), { recursive: true });
    for (let n = 0; n < folders; n += 1) mkdirSync(join(root, `f${n}`));
    const { program, create } = KINDS[kind]!;
    const tool = machine.at(program);
    const limited = `echo ${limit.replace('=', ' > /proc/sys/user/max_inotify_')}; exec /usr/bin/${program} "$@"`;
    writeFileSync(tool, `#!/bin/sh\nexec unshare -Ur sh -c '${limited}' sh "$@"\n`, { mode: 0o755 });
    hints = [];
    troubles = [];
    watch = create({ commands: machine.commands, clock: systemClock, root, prune: () => false }, tool);
    await watch.start(
      (hint) => hints.push(hint),
      (reason) => troubles.push(reason),
    );
  }

  for (const kind of ['inotifywait', 'fswatch']) {
    it(`${kind}: says which limit to raise when there are not enough watches`, async () => {
      await start(kind, '3=watches', 20);
      await until('it is told', () => troubles.some(isOutOfWatches));
      assert.match(troubles.join('\n'), /fs\.inotify\.max_user_watches=/);
    });

    it(`${kind}: says which limit to raise when there can be no more watchers`, async () => {
      await start(kind, '0=instances', 1);
      await until('it is told', () => troubles.some(isOutOfWatches));
      assert.match(troubles.join('\n'), /fs\.inotify\.max_user_instances=/);
    });

    it(`${kind}: says so when the watches run out later`, async () => {
      await start(kind, '5=watches', 1);
      assert.deepEqual(troubles, []);
      for (let n = 0; n < 10; n += 1) mkdirSync(join(root, `later-${n}`));
      await until('it is told', () => troubles.some(isOutOfWatches));
    });
  }

  it('tells when the volume of the Claude folder is unmounted', async () => {
    machine = await TestMachine.start();
    root = machine.at('home/.claude');
    mkdirSync(root);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', root]);
    hints = [];
    troubles = [];
    watch = KINDS['inotifywait']!.create({ commands: machine.commands, clock: systemClock, root, prune: () => false });
    try {
      await watch.start(
        (hint) => hints.push(hint),
        (reason) => troubles.push(reason),
      );
    } finally {
      execFileSync('umount', ['-l', root]);
    }
    await until('it is told', () => troubles.length > 0 && hints.some(({ path }) => path === ''));
    assert.match(troubles[0] ?? '', /unmounted/);
  });
});

function processes(): string[] {
  return execFileSync('ps', ['-eo', 'pid=,args=', '-ww'], { encoding: 'utf8' }).split('\n');
}

function processesWith(text: string): number {
  return processes().filter((row) => row.includes(text)).length;
}
