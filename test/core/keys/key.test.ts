import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  MalformedKey,
  keyForProject,
  keyForSession,
  keyFromUserInput,
  parseKey,
  parsePath,
  pathOfKey,
} from '../../../src/core/keys/key.ts';
import { unsafeReason } from '../../../src/core/keys/safe-path.ts';

const SESSION = '0f8fad5b-d9cb-469f-a165-70867728950e';

const uuids = fc.uuid();
const names = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((name) => unsafeReason(name) === null && !name.includes('/'));
const rests = fc.array(names, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const folders = fc.stringMatching(/^-[A-Za-z0-9-]{0,20}$/);

describe('paths', () => {
  it('are told apart by what they are', () => {
    assert.deepEqual(parsePath(`projects/-home-u/${SESSION}.jsonl`), {
      kind: 'transcript',
      folder: '-home-u',
      session: SESSION,
    });
    assert.deepEqual(parsePath(`projects/-home-u/${SESSION}/subagents/agent-1.jsonl`), {
      kind: 'session-file',
      folder: '-home-u',
      session: SESSION,
      rest: 'subagents/agent-1.jsonl',
    });
    assert.deepEqual(parsePath('projects/-home-u/memory/a/b.md'), {
      kind: 'project-file',
      folder: '-home-u',
      rest: 'memory/a/b.md',
    });
    assert.deepEqual(parsePath('projects/-home-u/agent-12.jsonl'), {
      kind: 'project-file',
      folder: '-home-u',
      rest: 'agent-12.jsonl',
    });
    assert.deepEqual(parsePath('history.jsonl'), { kind: 'history' });
    assert.deepEqual(parsePath('agents/a.md'), { kind: 'plain', path: 'agents/a.md' });
  });

  it('that only look like a session or a project file are plain', () => {
    const lookalikes = [
      'projects/x/not-a-uuid.jsonl',
      'projects/x/gggggggg-gggg-gggg-gggg-gggggggggggg.jsonl',
      `projects/x/${SESSION}.json`,
      `projects/x/${SESSION}`,
      `projects/x/y/${SESSION}.jsonl`,
      `projects/${SESSION}.jsonl`,
      `other/x/${SESSION}.jsonl`,
      'projects/x/memory',
      'projects/x/memory/',
      'projects/x/agent-1/y.jsonl',
      'projects/x/notuuid/tool-results/a.txt',
      'projects',
    ];
    for (const path of lookalikes) assert.deepEqual(parsePath(path), { kind: 'plain', path });
  });

  it('keep the spelling of a session uuid', () => {
    const upper = SESSION.toUpperCase();
    const found = parsePath(`projects/x/${upper}.jsonl`);
    assert.equal(found.kind === 'transcript' && found.session, upper);
    assert.notEqual(keyForSession(upper), keyForSession(SESSION));
  });
});

describe('keys', () => {
  it('of sessions, project files and history lead back to the path, whatever the folder', () => {
    fc.assert(
      fc.property(uuids, rests, folders, folders, (session, rest, here, there) => {
        const key = keyForSession(session);
        assert.deepEqual(parseKey(key), { kind: 'transcript', session });
        assert.equal(pathOfKey(key, here), `projects/${here}/${session}.jsonl`);
        const sidecar = keyForSession(session, rest);
        assert.deepEqual(parseKey(sidecar), { kind: 'session-file', session, rest });
        assert.deepEqual(parsePath(pathOfKey(sidecar, there)), { kind: 'session-file', folder: there, session, rest });
        const memory = keyForProject('code%2Fapp', `memory/${rest}`);
        assert.deepEqual(parseKey(memory), { kind: 'project-file', project: 'code%2Fapp', rest: `memory/${rest}` });
        assert.deepEqual(parsePath(pathOfKey(memory, here)), {
          kind: 'project-file',
          folder: here,
          rest: `memory/${rest}`,
        });
      }),
    );
    assert.equal(pathOfKey('history', null), 'history.jsonl');
  });

  it('of other files are their paths', () => {
    fc.assert(
      fc.property(rests, (path) => {
        fc.pre(!['session', 'project', 'projects', 'history', 'history.jsonl'].includes(path.split('/')[0] ?? ''));
        assert.deepEqual(parseKey(path), { kind: 'plain', path });
        assert.equal(pathOfKey(path, null), path);
        assert.deepEqual(parsePath(path), { kind: 'plain', path });
      }),
    );
  });

  it('that no file may have are refused', () => {
    const malformed = [
      '',
      '/etc/passwd',
      '../x',
      'agents/../../x',
      'session',
      'session/',
      'session/x',
      `session/${SESSION}/`,
      `session/${SESSION}/../x`,
      `session/${SESSION}.jsonl`,
      'project/p',
      'project/p/other.md',
      'project/p/memory',
      'project/a/b/memory/x.md',
      'project//memory/x.md',
      'projects/x/memory/y.md',
      'history.jsonl',
      'agents/a\nb.md',
    ];
    for (const key of malformed) assert.throws(() => parseKey(key), MalformedKey, key);
  });

  it('are not made from parts that would change their meaning', () => {
    assert.throws(() => keyForSession('../x'), MalformedKey);
    assert.throws(() => keyForSession(SESSION, ''), MalformedKey);
    assert.throws(() => keyForSession(SESSION, '../../x'), MalformedKey);
    assert.throws(() => keyForSession(`${SESSION}/x`), MalformedKey);
    assert.throws(() => keyForProject('a/memory', 'memory/x.md'), MalformedKey);
    assert.throws(() => keyForProject('..', 'memory/x.md'), MalformedKey);
    assert.throws(() => keyForProject('p', 'settings.json'), MalformedKey);
  });

  it('need a project folder where they have one', () => {
    for (const folder of [null, '', 'a/b']) {
      assert.throws(() => pathOfKey(keyForSession(SESSION), folder), MalformedKey);
      assert.throws(() => pathOfKey(keyForProject('p', 'memory/x.md'), folder), MalformedKey);
    }
  });
});

describe('KEY as a user types it', () => {
  const key = (text: string, dirs?: readonly string[]): unknown => {
    const found = keyFromUserInput(text, dirs);
    return found.kind === 'key' ? found.key : found;
  };

  it('may be a key', () => {
    for (const text of [
      `session/${SESSION}`,
      `session/${SESSION}/custom-title.json`,
      'history',
      'agents/a.md',
      'project/p/memory/x.md',
    ]) {
      assert.equal(key(text), text);
    }
  });

  it('may be a bare session uuid', () => {
    assert.equal(key(SESSION), `session/${SESSION}`);
    assert.equal(key(` ${SESSION}\n`), `session/${SESSION}`);
  });

  it('may be a path below claudeDir, relative or absolute, of any system', () => {
    const transcript = `projects/-home-u/${SESSION}.jsonl`;
    assert.equal(key(transcript), `session/${SESSION}`);
    assert.equal(key(`./${transcript}`), `session/${SESSION}`);
    assert.equal(key(`~/.claude/${transcript}`), `session/${SESSION}`);
    assert.equal(key(`/home/u/.claude/${transcript}`), `session/${SESSION}`);
    assert.equal(
      key(`C:\\Users\\u\\.claude\\projects\\C--x\\${SESSION}\\archived.json`),
      `session/${SESSION}/archived.json`,
    );
    assert.equal(key('/srv/data/agents/a.md', ['/srv/data/']), 'agents/a.md');
    assert.equal(key('history.jsonl'), 'history');
  });

  it('names a project file by its folder, for the registry to look up', () => {
    assert.deepEqual(key('projects/-x/memory/a.md'), { kind: 'project-path', folder: '-x', rest: 'memory/a.md' });
  });

  it('is refused with a reason when it is none', () => {
    for (const text of ['', '../../etc/passwd', '/etc/passwd', 'session/x', 'projects/x', 'a//b', '~/.claude/../x']) {
      const found = keyFromUserInput(text);
      assert.equal(found.kind, 'not-a-key', text);
      assert.ok(found.kind === 'not-a-key' && found.reason.length > 5);
    }
  });
});
