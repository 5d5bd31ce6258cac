import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, type ConfigErrorCode } from '../../../src/hub/config/config-error.ts';
import { loadConfig } from '../../../src/hub/config/load.ts';
import { parseConfig } from '../../../src/hub/config/parse.ts';

const HOME = '/home/ada';

/** The mistakes in `text`, where `^` marks the expected place of the first one. */
function mistakes(marked: string): { error: ConfigError; line: number; column: number } {
  const before = marked.slice(0, marked.indexOf('^')).split('\n');
  const text = marked.replace('^', '');
  try {
    parseConfig(text, 'config.jsonc', HOME);
  } catch (error) {
    assert.ok(ConfigError.is(error), String(error));
    return { error, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  }
  assert.fail('accepted');
}

const inMachine = (property: string): string =>
  `{\n  "machines": {\n    "rog": { "transport": "ssh", "host": "rog", ${property} }\n  }\n}`;
const beside = (property: string): string => `{ "machines": { "xps": { "transport": "local" } },\n  ${property} }`;

const CASES: readonly [what: string, text: string, reason: RegExp, at: string, code?: ConfigErrorCode][] = [
  ['a missing comma', '{ "machines": {}\n  ^"sync": {} }', /comma expected/, '', 'syntax'],
  ['a file that ends too early', '{ "machines": {^', /close brace expected/, '', 'syntax'],
  ['an empty file', '^', /value expected|empty/, '', 'syntax'],
  ['something that is no object', '^[]', /expected object/, ''],
  [
    'a relative folder',
    '{ "machines": { "xps": { "transport": "local", "claudeDir": ^"rel/dir" } } }',
    /relative/,
    'machines.xps.claudeDir',
  ],
  ['no machines', '^{ "sync": {} }', /missing/, 'machines'],
  ['an empty list of machines', '{ "machines": ^{} }', /at least one/, 'machines'],
  ['an unknown key at the top', beside('^"machine": {}'), /not a known key/, 'machine'],
  ['an unknown key of a machine', inMachine('^"prot": 22'), /not a known key/, 'machines.rog.prot'],
  [
    'an unknown key in scope',
    inMachine('"scope": { ^"project": [] }'),
    /not a known key/,
    'machines.rog.scope.project',
  ],
  [
    'a key of ssh at a local machine',
    '{ "machines": { "xps": { "transport": "local", ^"host": "x" } } }',
    /not a known key/,
    'machines.xps.host',
  ],
  [
    'a machine without transport',
    '{ "machines": { "xps": ^{ "claudeDir": "~" } } }',
    /"local" or "ssh"/,
    'machines.xps.transport',
  ],
  [
    'an unknown transport',
    '{ "machines": { "xps": { "transport": ^"ftp" } } }',
    /"local" or "ssh"/,
    'machines.xps.transport',
  ],
  ['an ssh machine without host', '{ "machines": { "rog": ^{ "transport": "ssh" } } }', /missing/, 'machines.rog.host'],
  [
    'a host that ssh would read as an option',
    '{ "machines": { "rog": { "transport": "ssh", "host": ^"-oProxyCommand=x" } } }',
    /must not begin with "-"/,
    'machines.rog.host',
  ],
  ['a wrong type', inMachine('"port": ^"22"'), /expected number, received string/, 'machines.rog.port'],
  ['a port out of range', inMachine('"port": ^70000'), /<=65535/, 'machines.rog.port'],
  ['an unknown watcher', inMachine('"watch": ^"magic"'), /expected one of/, 'machines.rog.watch'],
  ['an unknown trust', inMachine('"trust": ^"none"'), /expected one of/, 'machines.rog.trust'],
  [
    'a root outside of claudeDir',
    inMachine('"followRoots": ["CLAUDE.md", ^"../secrets"]'),
    /without "\.\."/,
    'machines.rog.followRoots.1',
  ],
  [
    'a machine name that is no name',
    '{ "machines": { ^"my box": { "transport": "local" } } }',
    /letter or digit/,
    'machines.my box',
  ],
  [
    'a glob among the opt-in classes',
    beside('"sync": { "include": ["tasks", ^"**"] }'),
    /not an opt-in class; there are: settings/,
    'sync.include.1',
  ],
  ['a negated glob', beside('"sync": { "exclude": [^"!skills/**"] }'), /neither "\/" nor "!"/, 'sync.exclude.0'],
  ['an unknown strategy', beside('"conflicts": { "strategy": ^"ask" }'), /expected one of/, 'conflicts.strategy'],
  [
    'an unknown strategy of an override',
    beside('"conflicts": { "overrides": { "CLAUDE.md": ^"ask" } }'),
    /expected one of/,
    'conflicts.overrides.CLAUDE.md',
  ],
  ['a size that is none', beside('"versions": { "maxBytes": ^"5 gigs" }'), /not a size/, 'versions.maxBytes'],
  ['polling slower than the promise of 10 s', beside('"sync": { "pollSeconds": ^60 }'), /<=10/, 'sync.pollSeconds'],
  [
    'a project on a machine that is not there',
    beside('"projects": { "app": { "mac": ^"/x" } }'),
    /no machine "mac"/,
    'projects.app.mac',
  ],
  [
    'a machine that is there twice',
    '{ "machines": {\n "a": { "transport": "local" },\n ^"a": { "transport": "ssh", "host": "a" } } }',
    /there twice/,
    'machines.a',
  ],
  [
    'a name that JavaScript would drop',
    '{ "machines": { "a": { "transport": "local" }, ^"__proto__": { "transport": "local" } } }',
    /cannot be used/,
    'machines.__proto__',
  ],
  [
    'two names that differ in case',
    '{ "machines": { "a": { "transport": "local" },\n "A": ^{ "transport": "ssh", "host": "a" } } }',
    /only in case/,
    'machines.A',
  ],
  [
    'two local machines with one folder',
    '{ "machines": { "a": { "transport": "local" },\n "b": ^{ "transport": "local", "claudeDir": "/home/ada/x/../.claude/" } } }',
    /same folder as "a"/,
    'machines.b',
  ],
  [
    'a local machine in the folder of another',
    '{ "machines": { "a": { "transport": "local" },\n "b": ^{ "transport": "local", "claudeDir": "~/.claude/skills" } } }',
    /same folder as "a"/,
    'machines.b',
  ],
  [
    'one ssh account twice',
    '{ "machines": { "a": { "transport": "ssh", "host": "box" },\n "b": ^{ "transport": "ssh", "host": "BOX" } } }',
    /same folder as "a"/,
    'machines.b',
  ],
];

describe('a mistake in the configuration is told with line and column', () => {
  for (const [what, text, reason, at, code = 'invalid'] of CASES) {
    it(what, () => {
      const { error, line, column } = mistakes(text);
      assert.match(error.reason, reason);
      assert.equal(error.issues[0]?.at, at);
      assert.equal(error.code, code);
      assert.deepEqual([error.line, error.column], [line, column], error.message);
      assert.ok(error.message.startsWith(`config.jsonc:${line}:${column}: `), error.message);
    });
  }

  it('all mistakes are told at once, in the order of the file', () => {
    const { error } = mistakes('{ ^"a": 1, "machines": { "x": { "transport": "local", "paused": 1 } }, "b": 2 }');
    assert.deepEqual(
      error.issues.map(({ at }) => at),
      ['a', 'machines.x.paused', 'b'],
    );
  });

  it('columns count after comments and in files with CRLF', () => {
    const { error, line, column } = mistakes(
      '// one\r\n{\r\n  /* two */ ^"x": 1,\r\n "machines": { "a": { "transport": "local" } } }',
    );
    assert.deepEqual([error.line, error.column], [line, column]);
  });

  it('the same folder on different machines is no mistake', () => {
    const text =
      '{ "machines": { "a": { "transport": "local" }, "b": { "transport": "ssh", "host": "b" }, "c": { "transport": "ssh", "host": "c" } } }';
    assert.deepEqual(Object.keys(parseConfig(text, 'f', HOME).machines), ['a', 'b', 'c']);
  });
});

describe('a configuration file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'config-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('that is not there is told as such, by name', async () => {
    const file = join(folder, 'none.jsonc');
    await assert.rejects(
      loadConfig(file, HOME),
      (error) => ConfigError.is(error, 'missing') && error.message.includes(file),
    );
  });

  it('that cannot be read is told as such', async () => {
    await assert.rejects(loadConfig(folder, HOME), (error) => ConfigError.is(error, 'unreadable'));
  });

  it('may begin with a byte order mark', async () => {
    const file = join(folder, 'config.jsonc');
    await writeFile(file, '\uFEFF{ "machines": { "a": { "transport": "local" } } }');
    assert.deepEqual(Object.keys((await loadConfig(file, HOME)).config.machines), ['a']);
  });

  it('cannot hide one folder behind a link and use it twice', async () => {
    await mkdir(join(folder, 'real'));
    await symlink(join(folder, 'real'), join(folder, 'link'));
    const file = join(folder, 'config.jsonc');
    const machine = (name: string): string => JSON.stringify({ transport: 'local', claudeDir: join(folder, name) });
    await writeFile(file, `{ "machines": {\n"a": ${machine('real')},\n"b": ${machine('link')} } }`);
    await assert.rejects(loadConfig(file, HOME), (error) => {
      assert.ok(ConfigError.is(error, 'invalid'));
      assert.deepEqual([error.line, error.column], [3, 6]);
      assert.match(error.message, /machines\.b: uses the same folder as "a", through a link/);
      return true;
    });
  });
});
