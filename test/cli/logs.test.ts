import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bench, type Run, type RunOptions } from './run.ts';

/** The clock of the bench. */
const NOW = 1_700_000_005_000;
const HOUR = 3_600_000;
/** What must not reach a terminal: controls, escape sequences, marks that reorder. */
// eslint-disable-next-line no-control-regex -- the characters that must not be there
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/;
const HOSTILE = 'evil\u001b[31m red\u001b]0;owned\u0007\u009b2J\u202egnp.exe\u2066\nfake line\r\u2028x';

const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 };

function line(level: keyof typeof LEVELS, msg: string, fields: object = {}, time = NOW): string {
  return `${JSON.stringify({ level: LEVELS[level], time, ...fields, msg })}\n`;
}

describe('the log on the command line', () => {
  let bench: Bench;
  let file: string;
  const run = (args: readonly string[], options: RunOptions = {}): Promise<Run> =>
    bench.run(['logs', '--data-dir', join(bench.folder, 'data'), ...args], options);
  /** What the lines say, one each. */
  const messages = ({ stdout }: Run): string[] =>
    [...stdout.matchAll(/ (m[0-9]+)\b/g)].map(([, message = '']) => message);

  beforeEach(async () => {
    bench = await Bench.open();
    mkdirSync(join(bench.folder, 'data', 'logs'), { recursive: true });
    file = join(bench.folder, 'data', 'logs', 'hub.log');
  });
  afterEach(() => bench.close());

  it('is shown with time, level, machine, message and everything else, without a hub', async () => {
    const cause = { name: 'Error', message: 'no route' };
    const err = { name: 'SshError', message: 'cannot connect', at: ['x.ts:1'], causes: [cause] };
    writeFileSync(
      file,
      line('info', 'synced', { machine: 'rog', keys: 1, key: 'agents/a b.md', bytes: 12, latencyMs: null }) +
        line('error', 'failed', { err, machines: ['rog', 'mac'] }),
    );
    const { code, stdout, stderr } = await run([]);
    const at = new Date(NOW);
    assert.equal(code, 0);
    assert.equal(stderr, '');
    const [first = '', second = '', ...more] = stdout.trimEnd().split('\n');
    const time = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{3})/.exec(first)?.slice(1).map(Number) ?? [];
    const [year = 0, month = 0, ...rest] = time;
    assert.equal(new Date(year, month - 1, ...(rest as [number])).getTime(), at.getTime());
    assert.equal(first.slice(24), 'info  rog synced keys=1 key="agents/a b.md" bytes=12');
    assert.equal(
      second.slice(24),
      'error failed err="SshError: cannot connect; because of Error: no route" machines=["rog","mac"]',
    );
    assert.deepEqual(more, []);
  });

  it('is coloured on a terminal that wants it, and only there', async () => {
    writeFileSync(file, line('error', 'failed'));
    const { stdout } = await run([], { tty: true });
    assert.ok(stdout.includes('\u001b[31merror\u001b[39m'), JSON.stringify(stdout));
    for (const options of [{}, { tty: true, env: { NO_COLOR: '1' } }])
      assert.ok(!(await run([], options)).stdout.includes('\u001b'));
    assert.ok(!(await run(['--json'], { tty: true })).stdout.includes('\u001b'));
  });

  it('has the last 50 lines, or as many as are asked for, of all files', async () => {
    writeFileSync(`${file}.1`, Array.from({ length: 40 }, (_, number) => line('info', `m${number}`)).join(''));
    writeFileSync(file, Array.from({ length: 40 }, (_, number) => line('info', `m${40 + number}`)).join(''));
    const all = Array.from({ length: 80 }, (_, number) => `m${number}`);
    assert.deepEqual(messages(await run([])), all.slice(-50));
    assert.deepEqual(messages(await run(['-n', '3'])), all.slice(-3));
    assert.deepEqual(messages(await run(['--lines', '1000'])), all);
    const none = await run(['-n', '0']);
    assert.equal(none.code, 0);
    assert.equal(none.stdout, '');
  });

  it('has what is asked for only', async () => {
    writeFileSync(
      file,
      line('error', 'm1', { machine: 'rog' }, NOW - 3 * HOUR) +
        line('debug', 'm2', { machine: 'rog' }, NOW - HOUR) +
        line('warn', 'm3', { machine: 'mac' }, NOW - HOUR) +
        line('error', 'm4', { machine: 'mac' }, NOW - 30_000),
    );
    assert.deepEqual(messages(await run(['--level', 'warn'])), ['m1', 'm3', 'm4']);
    assert.deepEqual(messages(await run(['--level', 'debug', '--machine', 'rog'])), ['m1', 'm2']);
    assert.deepEqual(messages(await run(['--since', '2h'])), ['m2', 'm3', 'm4']);
    assert.deepEqual(messages(await run(['--since', '90m', '--level', 'error'])), ['m4']);
    assert.deepEqual(messages(await run(['--since', '90s', '-n', '5'])), ['m4']);
    assert.deepEqual(messages(await run(['--since', '1d', '-n', '1', '--machine', 'rog'])), ['m2']);
    assert.deepEqual(messages(await run(['--machine', 'no'])), []);
  });

  it('--json has the lines as they are in the file', async () => {
    const text = line('info', 'synced', { machine: 'rog', keys: 1, err: { at: ['x'] } }) + line('warn', 'retry');
    writeFileSync(file, text);
    const { code, stdout, stderr } = await run(['--json']);
    assert.equal(stdout, text);
    assert.equal(stderr, '');
    assert.equal(code, 0);
  });

  it('leaves broken lines out, and says so', async () => {
    writeFileSync(file, `${line('info', 'm1')}{"level":30,"ti\n${line('info', 'm2')}`);
    const result = await run([]);
    assert.deepEqual(messages(result), ['m1', 'm2']);
    assert.match(result.stderr, /1 broken line left out/);
  });

  it('has no control characters, and nothing in it begins a line of its own', async () => {
    writeFileSync(
      file,
      line('info', HOSTILE, { machine: HOSTILE, key: HOSTILE, [HOSTILE]: [HOSTILE], err: { message: HOSTILE } }),
    );
    for (const more of [[], ['--json']]) {
      const { stdout } = await run(more);
      assert.equal(stdout.trimEnd().split('\n').length, 1);
      assert.doesNotMatch(stdout.trimEnd(), CONTROLS);
    }
  });

  it('1 when there is none, with where it would be and what to do', async () => {
    const { code, stdout, stderr } = await run([]);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.ok(stderr.includes(file), stderr);
    assert.match(stderr, /claude-sync up/);
    const { code: jsonCode, stderr: json } = await run(['--json']);
    assert.equal(jsonCode, 1);
    assert.equal(JSON.parse(json).error.code, 'not-found');
  });

  const wrong = [
    ['--level', 'loud'],
    ['--lines', '-1'],
    ['-n', 'x'],
    ['-n', '1.5'],
    ['--since', '2'],
    ['--since', 'yesterday'],
    ['--since', '-2h'],
    ['what'],
  ];
  for (const args of wrong) {
    it(`2 for wrong usage: claude-sync logs ${args.join(' ')}`, async () => {
      writeFileSync(file, line('info', 'm1'));
      const { code, stdout, stderr } = await run(args);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.notEqual(stderr, '');
    });
  }

  describe('as a program', () => {
    let child: ChildProcess;
    let printed: { stdout: string; stderr: string };

    const start = (args: readonly string[]): void => {
      const { self, env } = bench.surroundings();
      const dataDir = ['--data-dir', join(bench.folder, 'data')];
      child = spawn(self.command, [...self.args, 'logs', ...dataDir, ...args], {
        env: { ...process.env, ...(env as NodeJS.ProcessEnv) },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      printed = { stdout: '', stderr: '' };
      child.stdout?.on('data', (data: Buffer) => (printed.stdout += data.toString()));
      child.stderr?.on('data', (data: Buffer) => (printed.stderr += data.toString()));
    };
    /** Waits for words of the program; ends in failure when it ends without them. */
    const says = async (stream: 'stdout' | 'stderr', text: string): Promise<void> => {
      while (!printed[stream].includes(text)) {
        assert.equal(child.exitCode, null, JSON.stringify(printed));
        await Promise.race([once(child.stdout!, 'data'), once(child.stderr!, 'data'), once(child, 'close')]);
      }
    };
    afterEach(() => {
      child.kill('SIGKILL');
    });

    it('follows what is written, across files put aside, and ends with 0 at Ctrl-C', async () => {
      writeFileSync(file, line('info', 'm1') + line('info', 'm2'));
      start(['-f', '-n', '1']);
      await says('stdout', 'm2');
      appendFileSync(file, line('info', 'm3'));
      await says('stdout', 'm3');
      renameSync(file, `${file}.1`);
      appendFileSync(`${file}.1`, line('info', 'm4'));
      writeFileSync(file, line('info', 'm5'));
      await says('stdout', 'm5');
      child.kill('SIGINT');
      const [code] = (await once(child, 'close')) as [number];
      assert.equal(code, 0, printed.stderr);
      assert.deepEqual(messages({ code, ...printed }), ['m2', 'm3', 'm4', 'm5']);
      assert.equal(printed.stderr, '');
    });

    it('waits for a log that is not there yet, and says so', async () => {
      start(['--follow', '--level', 'warn']);
      await says('stderr', `there is no log at ${file} yet`);
      writeFileSync(file, line('info', 'm1') + line('warn', 'm2'));
      await says('stdout', 'm2');
      child.kill('SIGTERM');
      assert.deepEqual(await once(child, 'close'), [0, null]);
      assert.deepEqual(messages({ code: 0, ...printed }), ['m2']);
    });

    it('--json follows as well, one line each', async () => {
      writeFileSync(file, line('info', 'm1'));
      start(['-f', '--json']);
      await says('stdout', 'm1');
      appendFileSync(file, line('info', 'm2'));
      await says('stdout', 'm2');
      child.kill('SIGINT');
      assert.deepEqual(await once(child, 'close'), [0, null]);
      assert.equal(printed.stdout, line('info', 'm1') + line('info', 'm2'));
      assert.equal(printed.stderr, '');
    });

    it('ends quietly when its reader goes away', async () => {
      writeFileSync(file, Array.from({ length: 20_000 }, (_, number) => line('info', `m${number}`)).join(''));
      start(['-n', '20000']);
      await says('stdout', 'm0');
      child.stdout?.destroy();
      const [code] = (await once(child, 'exit')) as [number];
      assert.equal(code, 0);
      assert.equal(printed.stderr, '');
    });
  });
});
