import assert from 'node:assert/strict';
import fc from 'fast-check';
import { applySettings, extractSettings, SettingsUnreadable } from '../../../src/core/settings/merge-settings.ts';
import { isSharedSetting } from '../../../src/core/settings/shared-keys.ts';
import { readSettingsFile } from '../../../src/core/settings/settings-file.ts';

/** Applies `canonical` to `file` and gives the new text. */
function apply(file: string | null, canonical: object, previous: object | null = null): string {
  return applySettings(
    file === null ? null : Buffer.from(file),
    Buffer.from(JSON.stringify(canonical)),
    previous === null ? null : Buffer.from(JSON.stringify(previous)),
  ).toString();
}

const FILE = `{
  // what I may run
  "permissions": { "allow": ["Bash(ls:*)"],   "deny": [] },
  "model": "opus", // the big one
  "env": {"TOKEN": "s3cret"},
  /* looks */ "theme": "dark",
  "statusLine": {"type": "command", "command": "~/bin/line"}
}
`;

describe('applying shared settings to a file', () => {
  it('changes the value of an allowed key and no other byte', () => {
    const wanted = { model: 'sonnet', theme: 'dark' };
    assert.equal(apply(FILE, wanted), FILE.replace('"opus"', '"sonnet"'));
  });

  it('leaves a file alone that says the same in other words', () => {
    assert.equal(apply(FILE, { theme: 'dark', model: 'opus' }), FILE);
  });

  it('adds a key as a line of its own, indented as the others', () => {
    const command = '"command": "~/bin/line"}';
    assert.equal(
      apply(FILE, { model: 'opus', theme: 'dark', verbose: true }),
      FILE.replace(command, `${command},\n  "verbose": true`),
    );
    assert.equal(apply('{\n\t"a": 1\n}\n', { verbose: true }), '{\n\t"a": 1,\n\t"verbose": true\n}\n');
    assert.equal(apply('{\r\n  "a": 1\r\n}', { verbose: true }), '{\r\n  "a": 1,\r\n  "verbose": true\r\n}');
    assert.equal(apply('{"a":1}', { verbose: true }), '{"a":1, "verbose": true}');
    assert.equal(apply('{\n  "a": 1,\n}', { verbose: true }), '{\n  "a": 1,\n  "verbose": true,\n}');
  });

  it('makes a file where there is none, or an empty object', () => {
    assert.equal(apply(null, { theme: 'dark', model: 'opus' }), '{\n  "model": "opus",\n  "theme": "dark"\n}\n');
    assert.equal(apply('{}\n', { theme: 'dark' }), '{\n  "theme": "dark"\n}\n');
    assert.equal(apply('{}', { theme: 'dark' }), '{"theme": "dark"}');
  });

  it('removes a key that was shared before and is not any more, with its line', () => {
    const shared = { model: 'opus', theme: 'dark' };
    assert.equal(apply('{\n  "a": 1,\n  "model": "opus",\n  "z": 2\n}\n', {}, shared), '{\n  "a": 1,\n  "z": 2\n}\n');
    assert.equal(apply('{\n  "a": 1,\n  "model": "opus"\n}\n', {}, shared), '{\n  "a": 1\n}\n');
    assert.equal(apply('{\n  "model": "opus",\n  "theme": "dark"\n}\n', {}, shared), '{\n}\n');
    assert.equal(apply('{"model":"opus","z":2}', {}, shared), '{"z":2}');
    assert.equal(apply('{"a":1,"model":"opus","theme":"dark"}', {}, shared), '{"a":1}');
    assert.equal(apply('{"a":1,"model":"opus",}', {}, shared), '{"a":1,}');
  });

  it('keeps the comments around a key that it removes', () => {
    const file = '{\n  "a": 1, // about a\n  // about the model\n  "model": "opus"\n}\n';
    assert.equal(apply(file, {}, { model: 'opus' }), '{\n  "a": 1 // about a\n  // about the model\n}\n');
  });

  it('keeps an allowed key that is news from this machine', () => {
    assert.equal(
      apply('{"verbose":true,"model":"opus"}', { model: 'sonnet' }, { model: 'opus' }),
      '{"verbose":true,"model":"sonnet"}',
    );
  });

  it('keeps a byte order mark', () => {
    assert.equal(apply('\uFEFF{"model":"opus"}', { model: 'sonnet' }), '\uFEFF{"model":"sonnet"}');
  });

  it('never writes a key that is not allowed, whatever the shared settings say', () => {
    const hostile = Buffer.from('{"hooks":"x","permissions":"x","__proto__":"x","model":"opus"}');
    assert.equal(applySettings(Buffer.from('{}'), hostile, null).toString(), '{"model": "opus"}');
    assert.equal(
      applySettings(Buffer.from('{"hooks":1}'), Buffer.from('{}'), Buffer.from('{"hooks":1}')).toString(),
      '{"hooks":1}',
    );
  });

  it('refuses to touch a file that it cannot read', () => {
    for (const file of ['', '  \n', '{"model": "op', '[]', '{"model":"a","model":"b"}', '{"model":{"a":{"b":1}}}']) {
      assert.throws(() => apply(file, { model: 'opus' }), SettingsUnreadable, file);
    }
  });
});

describe('any file to which shared settings are applied', () => {
  const scalar = fc.oneof(
    fc.boolean(),
    fc.integer({ min: 1, max: 99 }),
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.constant('},{"\\//*'),
  );
  const allowed = fc.constantFrom('model', 'theme', 'verbose', 'language', 'attribution');
  const denied = fc.constantFrom('hooks', 'env', 'permissions', 'apiKeyHelper', 'x', '__proto__', 'constructor');
  const shared = fc.dictionary(allowed, fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })), {
    noNullPrototype: true,
  });
  const space = fc.constantFrom('', ' ', '\n', '\n  ', '\r\n\t', ' /* , } */ ', ' // {",\n');
  const fileWith = (middle: fc.Arbitrary<string>): fc.Arbitrary<string> => {
    const value = fc.oneof(scalar, fc.constant({ a: [1, { b: 2 }] }));
    const member = fc.record({ name: fc.oneof(allowed, denied), value, before: space, middle, after: space });
    return fc
      .record({
        members: fc.uniqueArray(member, { selector: (m) => m.name, maxLength: 6 }),
        comma: fc.boolean(),
        end: space,
      })
      .map(({ members, comma, end }) => {
        const texts = members.map((m) => {
          const fit = isSharedSetting(m.name) && typeof m.value === 'object' ? 1 : m.value;
          return `${m.before}${JSON.stringify(m.name)}${m.middle}:${JSON.stringify(fit)}${m.after}`;
        });
        return `{${texts.join(',')}${comma && texts.length > 0 ? ',' : ''}${end}}`;
      });
  };
  const file = fileWith(space);

  /** Source text of each member that is not allowed. */
  function othersOf(text: string): string[] {
    const read = readSettingsFile(Buffer.from(text));
    assert.equal(read.kind, 'ok');
    return read.members.filter((m) => !isSharedSetting(m.name)).map((m) => read.text.slice(m.from, m.to));
  }

  function sharedOf(text: string): Record<string, unknown> {
    const read = extractSettings(Buffer.from(text));
    assert.equal(read.kind, 'ok');
    return JSON.parse(read.canonical.toString()) as Record<string, unknown>;
  }

  it('says what was wanted, keeps its other keys byte for byte, and its own news', () => {
    fc.assert(
      fc.property(file, shared, shared, (text, wanted, previous) => {
        const result = apply(text, wanted, previous);
        assert.deepEqual(othersOf(result), othersOf(text));
        const news = Object.entries(sharedOf(text)).filter(([name]) => !(name in wanted) && !(name in previous));
        assert.deepEqual(sharedOf(result), { ...Object.fromEntries(news), ...wanted });
      }),
      { numRuns: 300 },
    );
  });

  it('stays as it is when the same is applied again', () => {
    fc.assert(
      fc.property(file, shared, shared, (text, wanted, previous) => {
        const once = apply(text, wanted, previous);
        assert.equal(apply(once, wanted, wanted), once);
      }),
    );
  });

  it('keeps every comment that does not stand inside a removed member', () => {
    const comments = (text: string): number => text.split('/* , } */').length + text.split('// {",\n').length;
    fc.assert(
      fc.property(fileWith(fc.constantFrom('', ' ')), shared, shared, (text, wanted, previous) => {
        assert.equal(comments(apply(text, wanted, previous)), comments(text));
      }),
    );
  });
});
