import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resumeCommand } from '../../../src/core/conversation/resume-command.ts';
import { gitHeadOf } from '../../../src/core/projects/git-head.ts';

const SESSION = '97de61f6-3d0e-4902-9181-5b4dfc05ffd8';

describe('the command that resumes a session', () => {
  it('goes to the folder first, whatever it is called, in every shell of POSIX', () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'claude-sync-resume-')));
    try {
      for (const name of ['app', 'it\'s $HOME `id` \\ "x" !!', '-rf', 'ü b', '~', 'a;b&c|d']) {
        const folder = join(root, name);
        mkdirSync(folder);
        const { shell, text } = resumeCommand('linux', folder, SESSION)!;
        assert.equal(shell, 'sh');
        for (const program of ['sh', 'bash']) {
          const printed = execFileSync(program, ['-c', `claude() { pwd; echo "$@"; }; ${text}`], { encoding: 'utf8' });
          assert.equal(printed, `${folder}\n--resume ${SESSION}\n`);
        }
      }
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it('is quoted for PowerShell on Windows', () => {
    assert.equal(
      resumeCommand('windows', "C:\\Users\\o'neil\\it’s", SESSION)?.text,
      `Set-Location -LiteralPath 'C:\\Users\\o''neil\\it’’s' -ErrorAction Stop; claude --resume ${SESSION}`,
    );
  });

  it('is not written for what nobody could see', () => {
    for (const folder of ['', '/a\nb', '/a\u001b[2J', '/a\u202eb', '/a\u2028b', '/a\u0000'])
      assert.equal(resumeCommand('linux', folder, SESSION), null, JSON.stringify(folder));
    assert.equal(resumeCommand('linux', '/a', 'x; rm -rf ~'), null);
  });
});

describe('what a checkout is at', () => {
  it('is a branch or a commit', () => {
    assert.deepEqual(gitHeadOf('ref: refs/heads/feature/a\n'), { branch: 'feature/a' });
    assert.deepEqual(gitHeadOf(`${'0123456789'.repeat(4)}\n`), { commit: '0123456789'.repeat(4) });
    for (const text of ['', 'ref: refs/tags/x', 'ref: refs/heads/a b', 'x'.repeat(5000)])
      assert.equal(gitHeadOf(text), null);
  });
});
