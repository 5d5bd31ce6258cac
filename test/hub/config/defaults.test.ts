import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseByteSize } from '../../../src/hub/config/byte-size.ts';
import { defaultConfig, machineNameFrom } from '../../../src/hub/config/default-config.ts';
import { expandHome } from '../../../src/hub/config/expand-home.ts';
import { configJsonSchema } from '../../../src/hub/config/json-schema.ts';
import { parseConfig } from '../../../src/hub/config/parse.ts';
import { MACHINE_NAME } from '../../../src/hub/config/schema.ts';

const EVERYTHING = `{
  "machines": {
    "xps":   { "transport": "local", "claudeDir": "~/.claude" },
    "rog":   { "transport": "ssh", "host": "rog", "watch": "inotifywait", "rsync": "never", "paused": true, "home": "/home/x",
               "trust": "data", "followRoots": ["CLAUDE.md", "skills"],
               "scope": { "projects": ["moderator"], "maxAgeDays": 30, "maxFileMB": 50, "placement": "present-only" } }, // an alias
    "mac":   { "transport": "ssh", "host": "192.0.2.7", "port": 22, "user": "tomerhamam", "os": "macos",
               "identityFile": "~/.ssh/id_ed25519", "knownHostsFile": "~/.ssh/known_hosts" },
    "nelly": { "transport": "ssh", "host": "nelly", "os": "windows", "claudeDir": "C:/Users/nelly/.claude" }
  },
  "projects": { "moderator": { "xps": "/srv/moderator", "mac": "/Users/tomerhamam/work/moderator" } },
  "sync": { "pollSeconds": 2, "bandwidthLimitKBps": null, "include": ["settings"], "exclude": ["skills/private/**"] },
  "conflicts": { "strategy": "last-write-wins", "overrides": { "CLAUDE.md": "manual" } },
  "versions": { "keepDays": 90, "maxBytes": "5GB" },
  "pulls": { "refreshMinutes": 5, "queries": { "Mine": "author:@me", "Review": "review-requested:@me" } },
}`;

describe('a configuration', () => {
  it('takes everything that is documented', () => {
    const config = parseConfig(EVERYTHING, 'f', '/home/ada');
    assert.equal(config.versions.maxBytes, 5_000_000_000);
    assert.equal(config.machines['rog']?.scope.placement, 'present-only');
    assert.equal(config.conflicts.overrides['CLAUDE.md'], 'manual');
  });

  it('needs no more than one machine; everything else has a default', () => {
    const config = parseConfig('{ "machines": { "a": { "transport": "local" } } }', 'f', '/home/ada');
    assert.deepEqual(config, {
      machines: {
        a: {
          transport: 'local',
          claudeDir: '~/.claude',
          watch: 'auto',
          rsync: 'auto',
          paused: false,
          trust: 'full',
          scope: { placement: 'always' },
          followRoots: [],
        },
      },
      projects: {},
      sync: { pollSeconds: 2, bandwidthLimitKBps: null, include: [], exclude: [] },
      conflicts: { strategy: 'last-write-wins', overrides: {} },
      versions: { keepDays: 90, maxBytes: 5_000_000_000 },
      pulls: {
        enabled: true,
        include: [],
        exclude: [],
        refreshMinutes: 5,
        queries: { Mine: 'author:@me', Review: 'review-requested:@me' },
      },
      alerts: { command: null },
      logs: { level: 'info', maxBytes: 10_000_000, keep: 4 },
    });
  });

  it('that is embedded names this machine and its own Claude Code folder', () => {
    const usual = defaultConfig({ hostName: 'XPS-13.fritz.box', home: '/home/ada', env: {} });
    assert.deepEqual(Object.keys(usual.config.machines), ['xps-13']);
    assert.equal(usual.config.machines['xps-13']?.claudeDir, '~/.claude');
    assert.equal(usual.file, null);
    const moved = defaultConfig({ hostName: 'x', home: '/home/ada', env: { CLAUDE_CONFIG_DIR: '/data/"claude"' } });
    assert.equal(moved.config.machines['x']?.claudeDir, '/data/"claude"');
  });

  it('any host name gives a machine name', () => {
    fc.assert(fc.property(fc.string(), (hostName) => MACHINE_NAME.test(machineNameFrom(hostName))));
    assert.equal(machineNameFrom('日本'), 'hub');
  });

  it('is described for editors: required and optional keys as the hub sees them, each with words', () => {
    const schema = configJsonSchema() as Record<string, any>;
    assert.deepEqual(schema['required'], ['machines']);
    assert.equal(schema['additionalProperties'], false);
    assert.match(schema['properties'].sync.properties.exclude.description, /not synced/);
    const [local, ssh] = schema['properties'].machines.additionalProperties.oneOf;
    assert.deepEqual(local.required, ['transport']);
    assert.deepEqual(ssh.required, ['transport', 'host']);
  });
});

describe('sizes and homes', () => {
  it('sizes are decimal or binary, in either case', () => {
    const expected = { '500': 500, '5GB': 5e9, '5 gb': 5e9, '1.5MiB': 1_572_864, '2KiB': 2048, '1TB': 1e12 };
    for (const [text, bytes] of Object.entries(expected)) assert.equal(parseByteSize(text), bytes, text);
    for (const text of ['', 'GB', '-1GB', '0', '5XB', '5 G B', '1e400', '9999999TB'])
      assert.equal(parseByteSize(text), null, text);
  });

  it('only a leading ~ of one’s own is the home folder', () => {
    assert.equal(expandHome('~', '/home/ada'), '/home/ada');
    assert.equal(expandHome('~/.claude', '/home/ada/'), '/home/ada/.claude');
    assert.equal(expandHome('~bob/.claude', '/home/ada'), '~bob/.claude');
    assert.equal(expandHome('/x/~/y', '/home/ada'), '/x/~/y');
  });
});
