import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { RemoteCommandFailure } from '../../../src/hub/ssh/remote-commands.ts';
import { UnquotableWord, quote, throughSh } from '../../../src/hub/ssh/shell-words.ts';
import { TestMachine } from './machine.ts';

const LIMITS = { maxBytes: 1024 * 1024, timeoutMs: 45_000 };
/** Login shells that may be there. */
const SHELLS = [
  '/bin/sh',
  '/bin/bash',
  '/bin/dash',
  '/bin/zsh',
  '/usr/bin/zsh',
  '/usr/bin/fish',
  '/bin/tcsh',
  '/bin/csh',
];
const ODD = `it's "odd" \\ $HOME \`id\` ! !! *?[a] ~ é 雪 | & ; < > ( ) { } # %`;

describe('commands over SSH', () => {
  let machine: TestMachine;
  afterEach(() => machine.stop());

  const isTrouble = (code: string) => (error: unknown) => error instanceof RemoteCommandFailure && error.code === code;

  it('give output, errors and exit code apart, and take input of any size', async () => {
    machine = await TestMachine.start();
    const input = Buffer.alloc(5 * 1024 * 1024, 'abcdefghij\n');
    const result = await machine.commands.run('wc -c; echo oops >&2; exit 7', { ...LIMITS, stdin: input });
    assert.deepEqual(
      [result.stdout.toString().trim(), result.stderr, result.code],
      [String(input.length), 'oops\n', 7],
    );
    const echoed = await machine.commands.run('cat', { stdin: input, maxBytes: input.length, timeoutMs: 45_000 });
    assert.ok(echoed.stdout.equals(input));
  });

  it('pass any printable word unchanged', async () => {
    machine = await TestMachine.start();
    const { stdout } = await machine.commands.run(`printf %s ${quote(ODD)}`, LIMITS);
    assert.equal(stdout.toString('utf8'), ODD);
  });

  for (const banner of ['echo "Welcome!"; echo welcome >&2', 'printf "no line break"', 'head -c 300000 /dev/zero']) {
    it(`do not take the greeting of a shell for output: ${banner}`, async () => {
      machine = await TestMachine.start();
      writeFileSync(machine.at('home/.bashrc'), `${banner}\n`);
      const { stdout, stderr } = await machine.commands.run('echo result; echo trouble >&2', LIMITS);
      assert.deepEqual([stdout.toString(), stderr], ['result\n', 'trouble\n']);
    });
  }

  it('do not wait for a command that takes too long, or read one that says too much', async () => {
    machine = await TestMachine.start();
    await assert.rejects(machine.commands.run('sleep 30', { ...LIMITS, timeoutMs: 200 }), isTrouble('timeout'));
    await assert.rejects(machine.commands.run('yes', { ...LIMITS, maxBytes: 100_000 }), isTrouble('too-long'));
    const { stdout } = await machine.commands.run('echo still there', LIMITS);
    assert.equal(stdout.toString(), 'still there\n');
  });

  it('do not wait for input to be taken by a command that has ended', async () => {
    machine = await TestMachine.start();
    const { code } = await machine.commands.run('exit 3', { ...LIMITS, stdin: Buffer.alloc(8 * 1024 * 1024) });
    assert.equal(code, 3);
  });

  it('say when the connection ended before them', async () => {
    machine = await TestMachine.start();
    const running = machine.commands.run('echo begun; sleep 30', LIMITS);
    const lost = assert.rejects(running, isTrouble('cut'));
    await machine.commands.run('true', LIMITS);
    machine.connection.destroy();
    await lost;
  });

  it('say when the account runs none', async () => {
    machine = await TestMachine.start({ kind: 'sftp-only' });
    await assert.rejects(machine.commands.run('echo hi', LIMITS), isTrouble('no-shell'));
  });
});

describe('words of a remote command', () => {
  it('with control characters are refused', () => {
    for (const word of ['a\nb', 'a\0b', 'a\u001b[2J', 'a\u0085b', 'a\rb'])
      assert.throws(() => quote(word), UnquotableWord, JSON.stringify(word));
  });

  for (const shell of SHELLS.filter((file) => existsSync(file))) {
    it(`mean the same in ${shell}`, () => {
      const line = throughSh(`printf '%s|' ${quote(ODD)}\nshift; printf '%s|' "$@"`);
      const output = execFileSync(shell, ['-c', `${line} one .`], { encoding: 'utf8' });
      assert.equal(output, `${ODD}|one|.|`);
    });
  }
});
