import assert from 'node:assert/strict';
import fc from 'fast-check';
import { commonGitDir, gitDirFromDotGit, remoteFromGitConfig } from '../../../src/core/projects/git-config.ts';
import { normaliseRemote } from '../../../src/core/projects/remote.ts';

describe('git remote', () => {
  it('has one name however it is reached', () => {
    const spellings = [
      'https://github.com/Owner/Repo',
      'https://github.com/owner/repo.git',
      'https://github.com/owner/repo.git/',
      'https://GitHub.com:443//owner/repo/',
      'https://user:ghp_secret@github.com/owner/repo.git',
      'https://x-access-token:a@b@github.com/owner/repo',
      'http://github.com:80/owner/repo',
      'git://github.com/owner/repo.git',
      'ssh://git@github.com/owner/repo.git',
      'ssh://git@github.com:22/owner/repo',
      'git+ssh://git@github.com/owner/repo',
      'ssh://git@ssh.github.com:443/owner/repo.git',
      'git@github.com:owner/repo.git',
      'git@github.com:/owner/repo.git',
      'github.com:owner/repo',
      '[git@github.com:22]:owner/repo.git',
      '  git@github.com:owner/repo.git\n',
    ];
    for (const url of spellings) assert.equal(normaliseRemote(url), 'github.com/owner/repo', url);
  });

  it('keeps what tells repositories apart', () => {
    assert.equal(normaliseRemote('https://git.example.org:8443/Team/App.git'), 'git.example.org:8443/Team/App');
    assert.equal(normaliseRemote('git@git.example.org:Team/App'), 'git.example.org/Team/App');
    assert.equal(normaliseRemote('ssh://git@[2001:db8::1]:2222/a/b.git'), '[2001:db8::1]:2222/a/b');
    assert.equal(normaliseRemote('git@[2001:db8::1]:a/b.git'), '[2001:db8::1]/a/b');
    assert.equal(normaliseRemote('https://example.org/a/b/c.git.git'), 'example.org/a/b/c.git');
    assert.equal(normaliseRemote('host:~user/repo'), 'host/~user/repo');
  });

  it('is none for local paths and for what is no address of a repository', () => {
    const none = [
      '',
      '/srv/git/a.git',
      './a',
      '../a',
      'a',
      'a/b:c',
      'file:///srv/a.git',
      'C:\\git\\a',
      'C:/git/a',
      'c:a',
    ];
    none.push(
      'ext::sh -c x',
      'foo://host/a',
      'https://',
      'https://host/',
      'https://host/.git',
      'git@host:',
      'https://h/a/../b',
      'a:b\nc',
    );
    for (const url of none) assert.equal(normaliseRemote(url), null, url);
  });

  it('never lets a credential through', () => {
    const token = 'SeCrEtToKeN';
    const forms = fc.constantFrom(
      `https://${token}@h.org/a/b`,
      `https://u:${token}@h.org/a/b`,
      `ssh://u:${token}@h.org:22/a/b`,
      `${token}@h.org:a/b`,
      `u:${token}@h.org:a/b`,
      `https://u:${token}@h.org:8443/a/b?x=${token}#${token}`,
    );
    fc.assert(
      fc.property(forms, (url) =>
        assert.ok(!(normaliseRemote(url) ?? '').toLowerCase().includes(token.toLowerCase()), url),
      ),
    );
  });
});

describe('remote of a repository', () => {
  it('is origin', () => {
    const config =
      '[core]\n\tbare = false\n[remote "upstream"]\n\turl = https://h/up\n[remote "origin"]\n\turl = git@h:a/b.git\n\tfetch = +x\n';
    assert.equal(remoteFromGitConfig(config), 'git@h:a/b.git');
  });

  it('is the only one when there is no origin, and unclear when there are several', () => {
    assert.equal(remoteFromGitConfig('[remote "gh"]\nurl=https://h/a'), 'https://h/a');
    assert.equal(remoteFromGitConfig('[remote "x"]\nurl=https://h/a\n[remote "y"]\nurl=https://h/b'), null);
    assert.equal(remoteFromGitConfig('[core]\n\tbare = true\n'), null);
    assert.equal(remoteFromGitConfig(''), null);
  });

  it('is read as git reads it', () => {
    const url = 'https://h/a';
    const spellings = [
      `[remote "origin"] url = ${url}`,
      `[REMOTE "origin"]\r\n\tURL = "${url}"   \r\n`,
      `[remote "origin"]\n; url = https://h/no\n# url = https://h/no\nurl = ${url} # comment\n`,
      `[remote "origin"]\nurl = ${url};comment\n`,
      `[remote "origin"]\nurl = https:\\\n//h\\\n/a\n`,
      `[remote.origin]\nurl = ${url}\n`,
      `\ufeff[remote "origin"]\nurl = ${url}\nurl = https://h/second\n`,
      `[remote "origin"] # a comment \\\nurl = ${url}\n`,
      `[remote "origin"]\npushurl = https://h/push\nurl = ${url}\n[branch "url"]\nremote = origin\nurl = x\n`,
    ];
    for (const text of spellings) assert.equal(remoteFromGitConfig(text), url, text);
    assert.equal(remoteFromGitConfig('[remote "origin"]\nurl = "https://h/a#b;c"\n'), 'https://h/a#b;c');
    assert.equal(remoteFromGitConfig('[remote "a\\"]b"]\nurl = x:y\n'), 'x:y');
    assert.equal(
      remoteFromGitConfig('[url "git@h:"]\n\tinsteadOf = https://h/\n[remote "origin"]\nurl = https://h/a'),
      url,
    );
  });

  it('of hostile text is none, without an error', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('[', ']', 'remote', '"', '\\', '\n', 'url', '=', ' ', '#', 'x', '\0')),
        (parts) => {
          const found = remoteFromGitConfig(parts.join(''));
          assert.ok(found === null || found.length > 0);
        },
      ),
    );
  });
});

describe('a hostile git configuration', () => {
  it('of 1 MiB does not hold the hub up', () => {
    // Quadratic work on these would take minutes.
    const shapes = ['x\\\n', '\\', '[remote "', '"', 'a = "', '[remote "a"]url=b\n', '\\"'];
    for (const shape of shapes) {
      remoteFromGitConfig(shape.repeat(2 ** 20 / shape.length));
      normaliseRemote(shape.repeat(2 ** 20 / shape.length));
    }
  });
});

describe('.git file', () => {
  it('names the git folder of a worktree or submodule', () => {
    assert.equal(gitDirFromDotGit('gitdir: /w/app/.git/worktrees/x\n'), '/w/app/.git/worktrees/x');
    assert.equal(gitDirFromDotGit('gitdir: ../.git/modules/sub\r\n'), '../.git/modules/sub');
    for (const text of ['', 'gitdir:', '[core]', 'x\ngitdir: /a', 'gitdir: /a\nmore', 'gitdir: /a\0b']) {
      assert.equal(gitDirFromDotGit(text), null, text);
    }
  });

  it('leads to the folder that holds the configuration', () => {
    assert.equal(commonGitDir('/w/app/.git/worktrees/x/'), '/w/app/.git');
    assert.equal(commonGitDir('C:\\w\\app\\.git\\worktrees\\x'), 'C:\\w\\app\\.git');
    assert.equal(commonGitDir('/w/app/.git/modules/sub'), '/w/app/.git/modules/sub');
  });
});
