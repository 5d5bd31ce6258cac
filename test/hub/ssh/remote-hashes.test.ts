import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sha256Tool } from '../../../src/hub/ssh/posix-probe.ts';
import { RemoteCommandFailure } from '../../../src/hub/ssh/remote-commands.ts';
import { RemoteHashesFailure, parseHashLine, remoteHashes } from '../../../src/hub/ssh/remote-hashes.ts';
import { TestMachine } from './machine.ts';

const TOOLS: Sha256Tool[] = [
  { kind: 'sha256sum', path: '/usr/bin/sha256sum' },
  { kind: 'shasum', path: '/usr/bin/shasum' },
];
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

for (const tool of TOOLS) {
  describe(`hashes of files on a machine, by ${tool.kind}`, function () {
    this.timeout(60_000);
    let machine: TestMachine;
    let root: string;

    beforeEach(async () => {
      machine = await TestMachine.start();
      root = machine.at(`home/it's a "folder"`);
      mkdirSync(root);
    });
    afterEach(() => machine.stop());

    const ask = (paths: string[], more: object = {}): Promise<Map<string, string>> =>
      remoteHashes({ commands: machine.commands, tool, root, timeoutMs: 60_000, ...more }, paths);

    it('are right for 10,000 files, and one command is all it takes', async () => {
      const expected = new Map<string, string>();
      for (let folder = 0; folder < 10; folder += 1) mkdirSync(join(root, `folder number ${folder}`));
      for (let n = 0; n < 10_000; n += 1) {
        const path = `folder number ${n % 10}/a rather long name of a file that is one of many, ${n}.jsonl`;
        writeFileSync(join(root, path), `content ${n}`);
        expected.set(path, sha256(`content ${n}`));
      }
      let runs = 0;
      const commands = {
        ...machine.commands,
        run: (...args: Parameters<typeof machine.commands.run>) => {
          runs += 1;
          return machine.commands.run(...args);
        },
      };
      assert.deepEqual(await ask([...expected.keys()], { commands }), expected);
      assert.equal(runs, 1);
    });

    it('are right for odd names', async () => {
      const names = [
        '-n',
        '--help',
        '-',
        'two\nlines',
        'back\\slash',
        '\\n',
        'cr\rlf',
        'é 雪 "q" \'s\'',
        ' ',
        '*',
        '$HOME',
      ];
      for (const name of names) writeFileSync(join(root, name), `content of ${name}`);
      assert.deepEqual(await ask(names), new Map(names.map((name) => [name, sha256(`content of ${name}`)])));
    });

    it('are left out for what is not there or is no file', async () => {
      writeFileSync(join(root, 'there'), 'x');
      mkdirSync(join(root, 'folder'));
      symlinkSync('nowhere', join(root, 'link'));
      assert.deepEqual(
        await ask(['there', 'missing', 'folder', 'link', '', 'nul\0']),
        new Map([['there', sha256('x')]]),
      );
      assert.deepEqual(await ask(['missing']), new Map());
      assert.deepEqual(await ask([]), new Map());
    });

    it('fail as a whole when the folder or the tool is not there', async () => {
      await assert.rejects(ask(['a'], { root: machine.at('nowhere') }), RemoteHashesFailure);
      await assert.rejects(ask(['a'], { tool: { ...tool, path: '/nowhere' } }), RemoteHashesFailure);
      const broken = machine.at('broken');
      writeFileSync(broken, 'no program');
      chmodSync(broken, 0o644);
      await assert.rejects(ask(['a'], { tool: { ...tool, path: broken } }), RemoteHashesFailure);
    });

    it('are given up when a pipe is among the files', async () => {
      execFileSync('mkfifo', [join(root, 'pipe')]);
      await assert.rejects(
        ask(['pipe'], { timeoutMs: 500 }),
        (error) => error instanceof RemoteCommandFailure && error.code === 'timeout',
      );
    });
  });
}

describe('a line with a hash', () => {
  const hash = 'a'.repeat(64);

  it('is read with the signs that are escaped in it', () => {
    assert.deepEqual(parseHashLine(`${hash}  ./a b`), { hash, path: './a b' });
    assert.deepEqual(parseHashLine(`${hash} *./a`), { hash, path: './a' });
    assert.deepEqual(parseHashLine(`\\${hash}  ./a\\\\n\\nb\\r`), { hash, path: './a\\n\nb\r' });
    assert.deepEqual(parseHashLine(`${hash}  ./a\\nb`), { hash, path: './a\\nb' });
  });

  it('is nothing else', () => {
    for (const line of ['', hash, `${hash} `, `x${hash}  a`, `${hash.slice(1)}  a`])
      assert.equal(parseHashLine(line), null);
  });
});
