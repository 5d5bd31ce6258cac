import assert from 'node:assert/strict';
import fc from 'fast-check';
import picomatch from 'picomatch';
import { keyForSession, parsePath, pathOfKey } from '../../../src/core/keys/key.ts';
import { unsafeReason } from '../../../src/core/keys/safe-path.ts';
import { createRules } from '../../../src/core/rules/classify.ts';
import type { Rules } from '../../../src/core/rules/classify.ts';
import { OPT_INS, PATH_TABLE } from '../../../src/core/rules/table.ts';

const SESSION = '0f8fad5b-d9cb-469f-a165-70867728950e';
const IN = `projects/-home-u/${SESSION}`;

const plain = createRules({ include: [], exclude: [] });
const everything = createRules({ include: OPT_INS, exclude: [] });

/** Paths that come close to rows of the table: their own words, mixed. */
const words = [...new Set(PATH_TABLE.flatMap((row) => row.glob.split('/')))];
const segment = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(...words)
      .map((word) => word.replaceAll('**', 'x').replaceAll('*', 'y').replaceAll('?', 'a')),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      SESSION,
      `${SESSION}.jsonl`,
      'projects',
      'memory',
      'subagents',
      '-home-u',
      'skills',
      'MEMORY',
      'Skills',
    ),
  },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-zA-Z.~#_-]{1,8}$/) },
);
const nearPaths = fc.array(segment, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));

describe('rules', () => {
  it('carry what belongs to the user, each in its own way', () => {
    const expected: [path: string, pathClass: string, merge: string, del: string][] = [
      [`${IN}.jsonl`, 'transcript', 'log', 'evict'],
      [`${IN}/subagents/agent-1.jsonl`, 'sidechain', 'log', 'evict'],
      [`${IN}/subagents/workflows/w/journal.jsonl`, 'sidechain', 'log', 'evict'],
      [`${IN}/subagents/agent-1.meta.json`, 'sidecar', 'lww', 'evict'],
      [`${IN}/tool-results/a.txt`, 'sidecar', 'lww', 'evict'],
      [`${IN}/custom-title.json`, 'sidecar', 'lww', 'evict'],
      ['projects/-home-u/agent-1.jsonl', 'sidechain', 'log', 'evict'],
      ['projects/-home-u/memory/MEMORY.md', 'document', 'text', 'tombstone'],
      ['history.jsonl', 'history', 'union', 'evict'],
      ['paste-cache/0123456789abcdef.txt', 'blob', 'lww', 'evict'],
      ['plans/a.md', 'document', 'text', 'evict'],
      ['CLAUDE.md', 'document', 'text', 'tombstone'],
      ['agents/deep/a.md', 'document', 'text', 'tombstone'],
      ['skills/x/package.lock', 'document', 'text', 'tombstone'],
      ['themes/a.json', 'blob', 'lww', 'tombstone'],
      ['keybindings.json', 'blob', 'lww', 'tombstone'],
    ];
    for (const [path, pathClass, merge, del] of expected) {
      const rule = plain.ofPath(path);
      assert.deepEqual(
        [rule.allowed, rule.class, rule.merge, rule.delete, rule.denial],
        [true, pathClass, merge, del, null],
        path,
      );
    }
  });

  it('never carry a secret, however it is spelled and wherever it lies', () => {
    const secrets = [
      '.credentials.json',
      '.CREDENTIALS.JSON',
      'skills/x/.credentials.bak',
      'skills/x/.env',
      'skills/x/.ENV.local',
      'agents/server.PEM',
      'rules/a.key',
      'skills/Id_Rsa.pub',
      'skills/id_ed25519',
      'commands/.netrc',
      'projects/-x/memory/.npmrc',
      '.claude.json',
      '.claude.json.backup',
      '.claude-x.json',
      '.config.json',
      'backups/.claude.json.1',
      'sessions/1.key',
      'ide/123.lock',
      '.device-keys.json',
      'skills/.credential\u017f',
      'skills/x.\u212aey',
      'skills/x/.credentials/token',
      'skills/x/.env/production',
    ];
    for (const path of secrets) {
      const rule = everything.ofPath(path);
      assert.deepEqual([rule.allowed, rule.class], [false, 'secret'], path);
      assert.equal(typeof rule.denial, 'string');
    }
  });

  it('never carry locks, live state, caches, repositories or the work files of editors and of the sync', () => {
    const denied = [
      'sessions/1.json',
      'history.jsonl.lock',
      'history.jsonl.lock/x',
      'settings.local.json',
      'todos/a.json',
      'x.lock',
    ];
    denied.push(
      'skills/x/.git/config',
      'skills/x/node_modules/y/index.js',
      'skills/.trash/x',
      'skills/manifest.json',
      'plugins/a',
    );
    denied.push(
      '.claude-sync/tmp/x',
      '.claude-sync',
      'skills/.claude-sync-x',
      'agents/a.md~',
      'agents/.a.md.swp',
      'agents/.#a.md',
    );
    denied.push(
      'agents/#a.md#',
      'agents/4913',
      'agents/.DS_Store',
      'agents/a.tmp',
      'agents/a.tmp.1',
      `${IN}.jsonl.compact.tmp.ab`,
    );
    denied.push(
      `${IN}/resume-head.jsonl`,
      `${IN}.jsonl.superseded-1`,
      'projects/-x/.session-aliases',
      `${IN}/mcp-tasks/a`,
    );
    for (const path of denied) assert.equal(everything.ofPath(path).allowed, false, path);
  });

  it('deny what nobody has heard of', () => {
    for (const path of [
      'new-thing.json',
      'new/thing',
      'projects/-x/new.json',
      `${IN}/new/thing`,
      'x',
      'a\nb',
      '',
      '../x',
      '/agents/a.md',
    ]) {
      const rule = everything.ofPath(path);
      assert.equal(rule.allowed, false, path);
      assert.match(rule.denial ?? '', /^not synced/);
    }
  });

  it('deny names that no machine-independent key could stand for', () => {
    const misfits = [
      'projects/-x/gggggggg-gggg-gggg-gggg-gggggggggggg.jsonl',
      'projects/-x/notuuid/tool-results/a.txt',
      'agents',
      'skills',
    ];
    misfits.push('history', `session/${SESSION}`, 'project/p/memory/x.md');
    for (const path of misfits) assert.equal(everything.ofPath(path).allowed, false, path);
  });

  it('treat memory files as documents even where their name is that of a session file', () => {
    assert.equal(plain.ofPath('projects/-x/memory/tool-results/a.md').class, 'document');
    assert.equal(plain.ofPath('projects/-x/memory/archived.json').class, 'document');
  });

  it('deny unsafe names below allowed folders', () => {
    for (const path of [
      'agents/../.credentials.json',
      'agents/a:b',
      'skills/nul.txt',
      'skills/.env.',
      'skills/.env ',
      'skills\\x',
    ]) {
      assert.equal(everything.ofPath(path).allowed, false, path);
    }
  });

  it('turn a class on only by its own name', () => {
    const examples = {
      settings: 'settings.json',
      tasks: 'tasks/s/1.json',
      'file-history': 'file-history/s/x@v1',
      workflows: 'workflows/a.js',
      hooks: 'hooks/a.sh',
      loop: 'loop.md',
    };
    for (const name of OPT_INS) {
      const rules = createRules({ include: [name], exclude: [] });
      for (const [other, path] of Object.entries(examples))
        assert.equal(rules.ofPath(path).allowed, other === name, path);
      assert.match(plain.ofPath(examples[name]).denial ?? '', new RegExp(`"${name}"`));
    }
    assert.equal(createRules({ include: ['tasks'], exclude: [] }).ofPath('tasks/s/.lock').allowed, false);
  });

  it('know what Claude Code would act on', () => {
    for (const path of [
      'CLAUDE.md',
      'rules/a.md',
      'agents/a.md',
      'commands/a.md',
      'skills/x/run.sh',
      'hooks/a.sh',
      'output-styles/a.md',
    ]) {
      assert.equal(everything.ofPath(path).executableContent, true, path);
    }
    for (const path of [`${IN}.jsonl`, 'projects/-x/memory/a.md', 'plans/a.md', 'agent-memory/a.md', 'settings.json']) {
      assert.equal(everything.ofPath(path).executableContent, false, path);
    }
  });

  it('give a key the rule of its path', () => {
    assert.equal(plain.ofKey(keyForSession(SESSION)).class, 'transcript');
    assert.equal(plain.ofKey(keyForSession(SESSION, 'tool-results/a.txt')).class, 'sidecar');
    assert.equal(plain.ofKey(keyForSession(SESSION, 'resume-head.jsonl')).allowed, false);
    assert.equal(plain.ofKey('project/p/memory/a.md').class, 'document');
    assert.equal(plain.ofKey('project/p/memory/.env').allowed, false);
    assert.equal(plain.ofKey('history').merge, 'union');
    assert.equal(plain.ofKey('agents/a.md').class, 'document');
    for (const key of ['', 'session/x', '../x', 'history.jsonl', `${IN}.jsonl`])
      assert.equal(plain.ofKey(key).allowed, false, key);
  });

  it('agree about a path and its key', () => {
    fc.assert(
      fc.property(nearPaths, (path) => {
        const at = parsePath(path);
        if (unsafeReason(path) !== null || (at.kind !== 'transcript' && at.kind !== 'session-file')) return;
        const key = keyForSession(at.session, at.kind === 'session-file' ? at.rest : undefined);
        assert.equal(pathOfKey(key, at.folder), path);
        assert.deepEqual(everything.ofKey(key), everything.ofPath(pathOfKey(key, '-home-u')));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('rules and the plain reading of the table', () => {
  const rows = PATH_TABLE.map((row) => ({
    row,
    matches: picomatch(row.glob, { dot: true, nocase: row.sync === 'never' }),
  }));
  const inSecretFolder = (path: string): boolean =>
    path
      .split('/')
      .some((part) =>
        /^(\.credentials|\.env$|\.env\.|id_rsa|id_ed25519|id_ecdsa|\.netrc$|\.npmrc$)|\.(pem|key)$/i.test(part),
      );

  it('differ only where a file has no key or lies in a folder named like a secret', () => {
    let compared = 0;
    fc.assert(
      fc.property(nearPaths, (path) => {
        if (unsafeReason(path) !== null) return;
        const { row } = rows.find(({ matches }) => matches(path)) ?? assert.fail('the last row matches everything');
        const rule = everything.ofPath(path);
        const allowed = row.sync === 'yes' || row.optIn !== null;
        if (rule.allowed && path.startsWith('projects/') && path.split('/')[2] === 'memory') return;
        if (allowed && !rule.allowed) {
          const noKey = path.startsWith('projects/') && parsePath(path).kind === 'plain';
          // `x/**` speaks of the folder x as well, which is no file.
          const isFolder = row.glob.endsWith('/**') && picomatch(row.glob.slice(0, -3), { dot: true })(path);
          assert.ok(noKey || isFolder || inSecretFolder(path), `${path} is denied: ${rule.denial}`);
        } else {
          compared++;
          assert.equal(rule.allowed, allowed, path);
          if (allowed)
            assert.deepEqual([rule.class, rule.merge, rule.delete], [row.class, row.merge, row.delete], path);
        }
      }),
      { numRuns: 5000 },
    );
    assert.ok(compared > 1000, `only ${compared} paths compared`);
  });
});

describe('folders', () => {
  const check = (rules: Rules, path: string): void => {
    if (!rules.ofPath(path).allowed) return;
    const parts = path.split('/');
    for (let depth = 0; depth < parts.length; depth++) {
      const folder = parts
        .slice(0, depth)
        .map((part) => `${part}/`)
        .join('');
      assert.equal(rules.folderWanted(folder), true, `${folder} of ${path}`);
    }
  };

  it('that hold something allowed are never pruned', () => {
    let allowed = 0;
    fc.assert(
      fc.property(nearPaths, (path) => {
        if (everything.ofPath(path).allowed) allowed++;
        check(everything, path);
        check(plain, path);
      }),
      { numRuns: 5000 },
    );
    // The paths must come close enough to the table for this to mean something.
    assert.ok(allowed > 100, `only ${allowed} allowed paths`);
    const roots = [
      'agents/',
      'skills/x/',
      'plans/',
      `${IN}/subagents/deep/er/`,
      'projects/-x/memory/d/',
      'hooks/',
      'file-history/a/',
      '',
    ];
    for (const root of roots) check(everything, `${root}${root.startsWith('plans') ? 'a.md' : 'a.jsonl'}`);
  });

  it('does not depend on which project or session it is', () => {
    const uuid = 'a3b1c2d4-1111-4222-8333-444455556666';
    const below = ['', 'memory/', 'memory/deep/', 'node_modules/', '.git/', `${uuid}/`, 'other/'].concat(
      ['subagents/', 'tool-results/', 'x/', 'node_modules/', '.git/'].map((folder) => `${uuid}/${folder}`),
    );
    for (const rules of [plain, everything]) {
      for (const folder of below) {
        // A name with an underscore is not one of those that share their answers.
        const asked = rules.folderWanted(`projects/x_y/${folder}`);
        for (const project of ['-home-me-x', '-', 'C--Users-me'])
          assert.equal(rules.folderWanted(`projects/${project}/${folder}`), asked, `${project}/${folder}`);
      }
      for (const rest of ['', '/subagents/agent-1.jsonl', '/tool-results/a.txt', '/x/.env', '/x/../y', '/nul']) {
        const rule = rules.ofKey(`session/${uuid}${rest}`);
        const path = rest === '' ? `projects/-a/${uuid}.jsonl` : `projects/-a/${uuid}${rest}`;
        assert.equal(rule.allowed, rules.ofPath(path).allowed, path);
        assert.equal(rule.class, rules.ofPath(path).class, path);
      }
    }
    for (const name of ['node_modules', '.git', '-/node_modules', '-/.git'])
      assert.equal(plain.folderWanted(`projects/${name}/`), false, name);
  });

  it('that cannot hold anything allowed are pruned', () => {
    const pruned = [
      '.claude-sync/',
      '.claude-sync/tmp/',
      'plugins/',
      'plugins/a/b/',
      'debug/',
      'todos/',
      'unknown/',
      'sessions/',
      'ide/',
    ];
    pruned.push(
      'skills/.trash/',
      'skills/.x/',
      'skills/a/node_modules/',
      'skills/a/node_modules/b/',
      'agents/.git/',
      'agents/.GIT/objects/',
    );
    pruned.push(
      'projects/-x/notuuid/',
      'projects/-x/tiny_memory/',
      `${IN}/mcp-tasks/`,
      `${IN}/other/`,
      'projects/-x/memory/proposals/',
    );
    pruned.push('hooks/', 'tasks/', 'file-history/', 'workflows/');
    for (const folder of pruned) assert.equal(plain.folderWanted(folder), false, folder);
    for (const folder of ['hooks/', 'tasks/a/', 'file-history/', 'workflows/'])
      assert.equal(everything.folderWanted(folder), true, folder);
    for (const folder of ['', 'projects/', 'projects/-x/', `${IN}/`, `${IN}/subagents/a/`, 'skills/a/']) {
      assert.equal(plain.folderWanted(folder), true, folder);
    }
  });
});

describe('exclude', () => {
  it('takes keys out by glob, hidden ones too', () => {
    const rules = createRules({
      include: [],
      exclude: ['skills/private/**', `session/${SESSION}*`, 'project/*/memory/secret.md'],
    });
    for (const key of [
      'skills/private/a',
      'skills/private/.b/c',
      `session/${SESSION}`,
      'project/code%2Fapp/memory/secret.md',
    ]) {
      assert.equal(rules.excludesKey(key), true, key);
    }
    for (const key of ['skills/public/a', 'history', 'project/p/memory/open.md'])
      assert.equal(rules.excludesKey(key), false, key);
    assert.equal(plain.excludesKey('skills/private/a'), false);
  });

  it('has no glob that turns around and takes everything else out', () => {
    const rules = createRules({ include: [], exclude: ['!skills/**'] });
    assert.equal(rules.excludesKey('agents/a.md'), false);
  });
});
