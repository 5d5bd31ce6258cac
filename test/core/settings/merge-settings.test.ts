import assert from 'node:assert/strict';
import fc from 'fast-check';
import { extractSettings, mergeSettings } from '../../../src/core/settings/merge-settings.ts';
import { isSharedSetting, SHARED_SETTINGS } from '../../../src/core/settings/shared-keys.ts';

function extract(text: string | Buffer): string {
  const read = extractSettings(Buffer.from(text));
  return read.kind === 'ok' ? read.canonical.toString() : `unreadable: ${read.reason}`;
}

function merge(base: object | null, ours: object, theirs: object): { content: unknown; conflicts: string[] } {
  const bytes = (value: object): Buffer => Buffer.from(JSON.stringify(value));
  const result = mergeSettings(base && bytes(base), bytes(ours), bytes(theirs));
  return { content: JSON.parse(result.content.toString()) as unknown, conflicts: result.conflicts };
}

describe('settings that may travel', () => {
  it('are none that run, grant, carry secrets or name paths', () => {
    const never = [
      'permissions', 'mcpServers', 'enabledPlugins', 'extraKnownMarketplaces', 'env', 'hooks', 'apiKeyHelper', 'awsAuthRefresh',
      'otelHeadersHelper', 'statusLine', 'fileSuggestion', 'sandbox', 'additionalDirectories', 'plansDirectory', 'defaultShell',
      'autoMemoryDirectory', 'disableAllHooks', 'enableAllProjectMcpServers', 'skipDangerousModePermissionPrompt', 'forceLoginMethod',
      '__proto__', 'constructor', 'prototype', 'toString',
    ]; // prettier-ignore
    for (const name of never) assert.equal(isSharedSetting(name), false, name);
    for (const name of SHARED_SETTINGS)
      assert.doesNotMatch(name, /helper|path|dir|command|hook|token|key$|url|permission/i);
  });

  it('are read out in one spelling, however the file is written', () => {
    const expected = '{"attribution":{"commit":"","pr":"x"},"model":"opus","theme":"dark"}';
    assert.equal(
      extract('{"theme":"dark","attribution":{"pr":"x","commit":""},"model":"opus","env":{"K":"v"}}'),
      expected,
    );
    assert.equal(
      extract(
        '\uFEFF{\r\n // c\n "model": "\\u006fpus", "hooks": {"a":[{"b":[]}]},\n "attribution": {"commit":"","pr":"x",}, "theme":"dark", }',
      ),
      expected,
    );
    assert.equal(extract('{}'), '{}');
  });

  it('are unknown, not absent, when the file cannot be read', () => {
    const unreadable = [
      '',
      ' \n',
      '{',
      '{"model":"opus"',
      'null',
      '[]',
      '"x"',
      '{"model":"a","model":"b"}',
      '{"model":}',
      '['.repeat(500_000),
    ];
    for (const text of unreadable) assert.match(extract(text), /^unreadable: /, text.slice(0, 20));
    assert.match(extract(Buffer.from([0x7b, 0xff, 0x7d])), /UTF-8/);
    assert.match(extract(`{"a":${'['.repeat(90)}${']'.repeat(90)}}`), /deeper/);
    assert.match(extract(`{"a":"${'x'.repeat(1_000_000)}"}`), /1 MB/);
  });

  it('hold plain values, or flat lists and objects of them', () => {
    for (const value of ['{"a":{"b":1}}', '[[1]]', '[{"a":1}]', '{"__proto__":1}', '{"constructor":1}', '1e999']) {
      assert.match(extract(`{"attribution":${value}}`), /^unreadable: "attribution"/, value);
    }
    assert.equal(extract('{"attribution":[1,"a",null,true]}'), '{"attribution":[1,"a",null,true]}');
  });

  it('hold no clean-up period that would empty other machines', () => {
    for (const value of ['0', '-1', '"0"', 'null', 'false', '[0]']) {
      assert.match(extract(`{"cleanupPeriodDays":${value}}`), /clean-up period/, value);
    }
    assert.equal(extract('{"cleanupPeriodDays":365}'), '{"cleanupPeriodDays":365}');
  });
});

describe('merging shared settings', () => {
  it('takes the keys that each side changed', () => {
    const result = merge(
      { model: 'a', theme: 'x' },
      { model: 'b', theme: 'x' },
      { model: 'a', theme: 'y', verbose: true },
    );
    assert.deepEqual(result, { content: { model: 'b', theme: 'y', verbose: true }, conflicts: [] });
  });

  it('names a key that both changed, and gives it the value of theirs', () => {
    const result = merge({ model: 'a', theme: 'x' }, { model: 'b', theme: 'x' }, { model: 'c', theme: 'x' });
    assert.deepEqual(result, { content: { model: 'c', theme: 'x' }, conflicts: ['model'] });
  });

  it('takes a delete against an unchanged key, and the change against a delete', () => {
    assert.deepEqual(merge({ model: 'a' }, {}, { model: 'a' }).content, {});
    assert.deepEqual(merge({ model: 'a' }, { model: 'a' }, {}).content, {});
    assert.deepEqual(merge({ model: 'a' }, {}, { model: 'b' }), { content: { model: 'b' }, conflicts: [] });
    assert.deepEqual(merge({ model: 'a' }, { model: 'b' }, {}), { content: { model: 'b' }, conflicts: [] });
  });

  it('is a union when nothing is known about the past', () => {
    const result = merge(null, { model: 'a', theme: 'x' }, { model: 'b', verbose: true });
    assert.deepEqual(result, { content: { model: 'b', theme: 'x', verbose: true }, conflicts: ['model'] });
  });

  const settings = fc.dictionary(fc.constantFrom('model', 'theme', 'verbose'), fc.integer({ min: 0, max: 2 }), {
    noNullPrototype: true,
  });

  it('is the other side where only one changed, and the same where both did the same', () => {
    fc.assert(
      fc.property(settings, settings, (base, changed) => {
        assert.deepEqual(merge(base, base, changed), { content: changed, conflicts: [] });
        assert.deepEqual(merge(base, changed, base), { content: changed, conflicts: [] });
        assert.deepEqual(merge(base, changed, changed), { content: changed, conflicts: [] });
      }),
    );
  });

  it('differs between the two orders in the conflicting keys only', () => {
    fc.assert(
      fc.property(settings, settings, settings, (base, ours, theirs) => {
        const one = merge(base, ours, theirs);
        const other = merge(base, theirs, ours);
        assert.deepEqual(one.conflicts, other.conflicts);
        const a = one.content as Record<string, unknown>;
        const b = other.content as Record<string, unknown>;
        for (const name of ['model', 'theme', 'verbose']) {
          assert.equal(a[name] === b[name], !one.conflicts.includes(name));
        }
      }),
    );
  });
});
