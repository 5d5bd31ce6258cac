import assert from 'node:assert/strict';
import fc from 'fast-check';
import { folderName } from '../../../src/core/projects/folder-name.ts';
import { fromHome, homeRelative } from '../../../src/core/projects/home.ts';
import { projectPathOf } from '../../../src/core/projects/session-path.ts';

describe('project folder name', () => {
  const long = `/home/u/${'a'.repeat(220)}/x`;
  const examples: [string, string][] = [
    ['/home/thh3/code/my.app', '-home-thh3-code-my-app'],
    ['/home/thh3/code/my-app', '-home-thh3-code-my-app'],
    ['/Users/tomerhamam/code/my_app', '-Users-tomerhamam-code-my-app'],
    ['C:\\Users\\nelly\\code\\app', 'C--Users-nelly-code-app'],
    ['c:\\Users\\nelly\\code\\app', 'c--Users-nelly-code-app'],
    ['\\\\wsl$\\Ubuntu\\home\\x', '--wsl--Ubuntu-home-x'],
    ['/home/u/naïve (copy)', '-home-u-na-ve--copy-'],
    ['/home/u/😀app', '-home-u---app'],
    [long, `-home-u-${'a'.repeat(192)}-8p0v6k`],
  ];
  for (const [path, folder] of examples) {
    it(`of ${path.length > 60 ? 'a path over 200 characters' : path} is the one Claude Code uses`, () => {
      assert.equal(folderName(path), folder);
    });
  }

  it('is cut only beyond 200 characters', () => {
    assert.equal(folderName('/'.padEnd(200, 'a')).length, 200);
    assert.match(folderName('/'.padEnd(201, 'a')), /^-a{199}-[0-9a-z]+$/);
  });

  it('has no sign that means anything in a path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (path) =>
        assert.match(folderName(path), /^[A-Za-z0-9-]*$/),
      ),
    );
  });
});

describe('project path of a session', () => {
  it('is the latest recorded folder that encodes to where the session lies', () => {
    assert.equal(projectPathOf('-w-my-app', ['/w/my.app', '/w/my.app/src', '/w/my-app', '/elsewhere']), '/w/my-app');
  });

  it('is the first recorded folder when none encodes to where the session lies', () => {
    assert.equal(projectPathOf('-moved', ['/w/app', '/w/app/src']), '/w/app');
  });

  it('is unknown when none was recorded', () => {
    assert.equal(projectPathOf('-w-app', []), null);
  });
});

describe('path relative to home', () => {
  it('is found on every system', () => {
    assert.equal(homeRelative('/home/u/code/app', '/home/u', 'linux'), 'code/app');
    assert.equal(homeRelative('/home/u/code/app/', '/home/u/', 'linux'), 'code/app');
    assert.equal(homeRelative('/home/u', '/home/u', 'linux'), '');
    assert.equal(homeRelative('/root/x', '/root', 'linux'), 'x');
    assert.equal(homeRelative('/x', '/', 'linux'), 'x');
    assert.equal(homeRelative('C:\\Users\\nelly\\code\\App', 'C:/Users/nelly', 'windows'), 'code/App');
    assert.equal(homeRelative('c:\\users\\Nelly\\code', '/C:/Users/nelly', 'windows'), 'code');
    assert.equal(homeRelative('/users/tomerhamam/Code', '/Users/tomerhamam', 'macos'), 'Code');
    assert.equal(homeRelative('/Users/jose\u0301/x', '/Users/jos\u00e9', 'macos'), 'x');
  });

  it('is none for folders elsewhere, neighbours with the same beginning, and paths that climb', () => {
    assert.equal(homeRelative('/srv/app', '/home/u', 'linux'), null);
    assert.equal(homeRelative('/home/user2', '/home/u', 'linux'), null);
    assert.equal(homeRelative('/home', '/home/u', 'linux'), null);
    assert.equal(homeRelative('/Home/u/x', '/home/u', 'linux'), null);
    assert.equal(homeRelative('/home/u/../other', '/home/u', 'linux'), null);
    assert.equal(homeRelative('code', '/home/u', 'linux'), null);
    assert.equal(homeRelative('D:\\Users\\nelly\\x', 'C:\\Users\\nelly', 'windows'), null);
    assert.equal(homeRelative('\\\\wsl$\\Ubuntu\\home\\x', 'C:\\Users\\nelly', 'windows'), null);
  });

  it('keeps a backslash as part of a name outside Windows', () => {
    assert.equal(homeRelative('/home/u/a\\b', '/home/u', 'linux'), 'a\\b');
  });

  it('leads to the path that Claude Code would record there', () => {
    assert.equal(fromHome('code/app', '/home/thh3', 'linux'), '/home/thh3/code/app');
    assert.equal(fromHome('', '/home/thh3/', 'linux'), '/home/thh3');
    assert.equal(fromHome('x', '/', 'linux'), '/x');
    assert.equal(fromHome('code/app', '/C:/Users/nelly', 'windows'), 'C:\\Users\\nelly\\code\\app');
    assert.equal(folderName(fromHome('code/app', 'C:/Users/nelly', 'windows')), 'C--Users-nelly-code-app');
  });

  it('comes back the same after a round trip on any system', () => {
    const part = fc.stringMatching(/^[A-Za-z0-9 _-]{1,8}$/);
    const homes = fc.constantFrom(
      ['/home/u', 'linux'] as const,
      ['/Users/u', 'macos'] as const,
      ['C:\\Users\\u', 'windows'] as const,
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), homes, (parts, [home, os]) => {
        assert.equal(homeRelative(fromHome(parts.join('/'), home, os), home, os), parts.join('/'));
      }),
    );
  });
});
