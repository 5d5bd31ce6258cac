import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Alert } from '../../../src/core/alerts/alert.ts';
import { CommandHook, LONGEST_RUN_MS, MOST_WAITING } from '../../../src/hub/alerts/command-hook.ts';
import { fillArguments, type CommandWords } from '../../../src/hub/alerts/command-line.ts';
import { until } from '../hub-ground.ts';
import { ManualClock } from '../store/manual-clock.ts';

const WORDS: CommandWords = {
  event: 'raised',
  id: 'offline/rog',
  severity: 'warning',
  machine: 'rog',
  title: 'Claude Sync: warning (rog)',
  message: 'rog is gone',
  next: 'claude-sync doctor',
};

function alert(more: Partial<Alert> = {}): Alert {
  const { id, message, next, machine } = WORDS;
  const history = { raisedAt: 1, clearedAt: null, dismissedAt: null };
  return { id, message, next, machine, severity: 'warning', unaffected: 'u', key: null, ...history, ...more };
}

describe('the arguments of the program for alerts', () => {
  const fill = (given: string, more: Partial<CommandWords> = {}): string | undefined =>
    fillArguments([given], { ...WORDS, ...more })[0];

  it('are filled in, each within its own', () => {
    assert.deepEqual(fillArguments(['-t', '{title}', '{severity}: {message}', '{unknown} {}', '{id}{event}'], WORDS), [
      '-t',
      'Claude Sync: warning (rog)',
      'warning: rog is gone',
      '{unknown} {}',
      'offline/rograised',
    ]);
  });

  it('what is filled in is not looked at again', () =>
    assert.equal(fill('{message}', { message: '{next} $& $1 {id}' }), '{next} $& $1 {id}'));

  it('control characters, escapes and marks that reorder are gone', () =>
    assert.equal(fill('{message}', { message: 'a\u0000b\u001b[31mc\n\nd\u202ee\ud800f\u2028g\r' }), 'a bc d e f g'));

  it('no alert can pass for an option', () => {
    assert.equal(fill('{message}', { message: '--exec=x' }), ' --exec=x');
    assert.equal(fill('{message}', { message: '\u0007-x' }), ' -x');
    assert.equal(fill('--title={message}', { message: '-x' }), '--title=-x');
    assert.equal(fill('-m{message}', { message: 'x' }), '-mx');
  });

  it('a long text is cut', () => assert.equal(fill('{message}', { message: 'x'.repeat(1e6) })?.length, 2_000));
});

describe('the program for alerts', () => {
  let folder: string;
  let out: string;
  let clock: ManualClock;
  let hook: CommandHook;
  let command: readonly string[] | null;
  let troubles: string[];

  before(function () {
    // On Windows only an .exe is run.
    if (process.platform === 'win32') this.skip();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'claude-sync-hook-'));
    out = join(folder, 'out');
    clock = new ManualClock();
    [troubles, command] = [[], null];
    hook = new CommandHook({
      command: () => command,
      clock,
      env: { ...process.env, GH_TOKEN: 'secret-token', ANTHROPIC_API_KEY: 'secret-key', LC_TEST: 'passed' },
      onTrouble: (error) => void troubles.push(error.message),
    });
  });
  afterEach(async () => {
    await hook?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  async function script(body: string): Promise<string> {
    const file = join(folder, 'tell.sh');
    await writeFile(file, `#!/bin/sh\n${body}\n`);
    await chmod(file, 0o700);
    return file;
  }
  const written = async (file = out): Promise<string> => {
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return '';
    }
  };

  it('gets its arguments as they are: no shell looks at them', async () => {
    command = [
      await script(`printf '<%s>' "$@" > '${out}'`),
      '{event}',
      'a b',
      '{message}',
      '$HOME',
      '{next}{machine}',
    ];
    const message = `'; touch ${folder}/owned; $(touch ${folder}/owned) \`x\` "y" * \\`;
    hook.tell(alert({ message, next: null, machine: null }), 'raised');
    await hook.idle();
    assert.equal(await written(), `<raised><a b><${message}><$HOME><>`);
    assert.equal(await written(join(folder, 'owned')), '');
    assert.deepEqual(troubles, []);
  });

  it('the program itself is never filled in', async () => {
    await script(`echo ran > '${out}'`);
    command = [join(folder, '{id}')];
    hook.tell(alert({ id: 'tell.sh' }), 'raised');
    await hook.idle();
    assert.equal(await written(), '');
    assert.equal(troubles.length, 1);
  });

  it('sees nothing of the environment that could hold a secret', async () => {
    command = [await script(`env > '${out}'`)];
    hook.tell(alert(), 'raised');
    await hook.idle();
    const env = await written();
    assert.doesNotMatch(env, /secret/);
    assert.match(env, /^PATH=/m);
    assert.match(env, /^LC_TEST=passed$/m);
  });

  it('runs for one alert after the other', async () => {
    command = [await script(`echo "begin $1" >> '${out}'; read x; echo "end $1" >> '${out}'`), '{id}'];
    for (const id of ['a', 'b', 'c']) hook.tell(alert({ id }), 'raised');
    await hook.idle();
    assert.equal(await written(), 'begin a\nend a\nbegin b\nend b\nbegin c\nend c\n');
  });

  it('is ended after ten seconds with what it started, and the next alert is told', async () => {
    const pids = join(folder, 'pids');
    command = [
      await script(`if [ "$1" = b ]; then echo b > '${out}'; exit; fi
sleep 1000 & echo "$! $$" > '${pids}.new'; mv '${pids}.new' '${pids}'; wait`),
      '{id}',
    ];
    hook.tell(alert({ id: 'a' }), 'raised');
    hook.tell(alert({ id: 'b' }), 'raised');
    await until('it hangs', async () => (await written(pids)) !== '');
    clock.advance(LONGEST_RUN_MS - 1);
    assert.deepEqual(troubles, []);
    clock.advance(1);
    await hook.idle();
    for (const pid of (await written(pids)).trim().split(' '))
      await until(`${pid} is gone`, async () => !(await isRunning(pid)));
    assert.equal(await written(), 'b\n');
    assert.match(troubles.join(), /it took longer than 10 s and was ended/);
  });

  it('is ended when the hub stops, and what waits is not run', async () => {
    const pids = join(folder, 'pids');
    command = [await script(`echo $$ > '${pids}.new'; mv '${pids}.new' '${pids}'; sleep 1000; echo x > '${out}'`)];
    hook.tell(alert(), 'raised');
    hook.tell(alert(), 'raised');
    await until('it hangs', async () => (await written(pids)) !== '');
    await hook.stop();
    hook.tell(alert(), 'raised');
    await hook.idle();
    assert.equal(await isRunning((await written(pids)).trim()), false);
    assert.deepEqual([await written(), troubles], ['', []]);
  });

  it('one that does not exist, or fails, is told once, until it has succeeded', async () => {
    command = [join(folder, 'none')];
    for (let n = 0; n < 3; n += 1) hook.tell(alert(), 'raised');
    await hook.idle();
    assert.equal(troubles.length, 1);
    assert.match(troubles[0] ?? '', /alerts\.command: .*none: it did not run \(ENOENT\)/);
    command = [await script(`exit "$1"`), '{id}'];
    for (const id of ['7', '7', '0', '7']) hook.tell(alert({ id }), 'raised');
    await hook.idle();
    assert.deepEqual(
      troubles.slice(1).map((text) => /code (\d)/.exec(text)?.[1]),
      ['7', '7'],
    );
  });

  it('of a flood only the first are told', async () => {
    command = [await script(`echo "$1" >> '${out}'`), '{id}'];
    for (let n = 0; n < 100; n += 1) hook.tell(alert({ id: String(n) }), 'raised');
    await hook.idle();
    assert.equal((await written()).trim().split('\n').length, MOST_WAITING + 1);
    assert.equal(troubles.length, 1);
  });

  it('nothing is run where none is configured', async () => {
    hook.tell(alert(), 'raised');
    await hook.idle();
    assert.deepEqual(troubles, []);
  });

  it('on Windows nothing is run that a command line would have to run', async () => {
    command = ['C:\\tell.cmd', '{message}'];
    const windows = new CommandHook({
      command: () => command,
      clock,
      platform: 'win32',
      onTrouble: (error) => void troubles.push(error.message),
    });
    windows.tell(alert(), 'raised');
    await windows.idle();
    assert.match(troubles.join(), /has to be an \.exe/);
  });
});

/** A zombie has ended. */
async function isRunning(pid: string): Promise<boolean> {
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
  if (process.platform !== 'linux') return true;
  try {
    return !/^\d+ \(.*\) [ZX]/.test(await readFile(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return false;
  }
}
