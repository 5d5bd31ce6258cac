import assert from 'node:assert/strict';
import fc from 'fast-check';
import { commandLine, isCommandText, spokenText } from '../../../src/core/conversation/command-text.ts';
import { PART_BREAK, passagesOf } from '../../../src/core/conversation/passage.ts';
import { readRecord, type ConversationRecord } from '../../../src/core/conversation/record.ts';
import { EMPTY_TALLY, TallyFold } from '../../../src/core/conversation/tally.ts';
import { titleInFile, titleOf } from '../../../src/core/conversation/title.ts';

const read = (raw: object): ConversationRecord => readRecord(JSON.stringify(raw))!;
const user = (content: unknown, more: object = {}): object => ({
  type: 'user',
  uuid: 'u1',
  parentUuid: null,
  timestamp: '2026-03-01T10:00:00.000Z',
  message: { role: 'user', content },
  ...more,
});
const assistant = (content: unknown, more: object = {}): object => ({
  type: 'assistant',
  uuid: 'a1',
  parentUuid: 'u1',
  message: { id: 'm1', role: 'assistant', model: 'claude', content, usage: { input_tokens: 3, output_tokens: 5 } },
  ...more,
});

describe('a record of a conversation', () => {
  it('is told by what it means to a reader', () => {
    const kinds = [
      [user('hello'), 'prompt'],
      [user([{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }]), 'prompt'],
      [user([{ type: 'tool_result', tool_use_id: 't', content: 'x' }]), 'results'],
      [user('<command-name>/clear</command-name>'), 'note'],
      [user('[Request interrupted by user for tool use]'), 'note'],
      [user('text', { isMeta: true }), 'note'],
      [user('what came before', { isCompactSummary: true }), 'summary'],
      [assistant([{ type: 'text', text: 'hi' }]), 'answer'],
      [{ type: 'system', subtype: 'compact_boundary', uuid: 'b', content: 'Conversation compacted' }, 'boundary'],
      [{ type: 'system', subtype: 'turn_duration', uuid: 'b', durationMs: 3 }, 'silent'],
      [{ type: 'system', subtype: 'informational', uuid: 'b', content: 'a hook ran' }, 'note'],
      [{ type: 'attachment', uuid: 'x', attachment: { type: 'prompt_snapshot', text: 'y' } }, 'silent'],
      [{ type: 'attachment', uuid: 'x', attachment: { type: 'queued_command', prompt: 'and then' } }, 'attachment'],
      [{ type: 'progress', uuid: 'p' }, 'silent'],
      [{ type: 'last-prompt', leafUuid: 'u1' }, 'state'],
      [{ type: 'something-new', uuid: 'n' }, 'silent'],
    ] as const;
    for (const [raw, kind] of kinds) assert.equal(read(raw).kind, kind, JSON.stringify(raw));
  });

  it('is none when the CLI sees none there either', () => {
    for (const line of ['', '{"type":"user"', '{"a":1}{"b":2}', 'null', '[]', '"x"', '\u0000\u0000{"type":"user"}'])
      assert.equal(readRecord(line), null, JSON.stringify(line));
  });

  it('never throws, whatever it holds', () => {
    fc.assert(
      fc.property(
        fc.record({
          type: fc.constantFrom('user', 'assistant', 'system', 'attachment', 'x'),
          uuid: fc.constant('u'),
          message: fc.jsonValue(),
          attachment: fc.jsonValue(),
          content: fc.jsonValue(),
        }),
        (raw) => {
          const record = read(raw);
          passagesOf(record);
          new TallyFold(EMPTY_TALLY, (_, usage) => usage).add(record);
        },
      ),
    );
  });

  it('can be searched by role, with reminders, pictures and names of parameters left out', () => {
    assert.deepEqual(passagesOf(read(user('fix it <system-reminder>be brief</system-reminder>'))), [
      { role: 'prompt', text: 'fix it' },
    ]);
    const answer = assistant([
      { type: 'thinking', thinking: 'hm' },
      { type: 'text', text: 'I look' },
      { type: 'tool_use', id: 't', name: 'Bash', input: { command: 'ls', timeout: 5, nested: [{ deep: 'x' }] } },
    ]);
    assert.deepEqual(passagesOf(read(answer)), [
      { role: 'thinking', text: 'hm' },
      { role: 'answer', text: 'I look' },
      { role: 'tool', text: ['Bash', 'ls', '5', 'x'].join(PART_BREAK) },
    ]);
    const result = user([{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'a.txt' }] }]);
    assert.deepEqual(passagesOf(read(result)), [{ role: 'result', text: 'a.txt' }]);
    assert.deepEqual(passagesOf(read({ type: 'summary', summary: 'Logs' })), [{ role: 'title', text: 'Logs' }]);
  });

  it('of the CLI itself is one line', () => {
    assert.equal(
      commandLine('<command-name>/compact</command-name>\n<command-args>keep the plan</command-args>'),
      '/compact keep the plan',
    );
    assert.equal(commandLine('<bash-input>ls -l</bash-input>'), '! ls -l');
    assert.equal(spokenText('<system-reminder>a</system-reminder>\nhello'), 'hello');
    assert.ok(!isCommandText('<system-reminder>a</system-reminder>\nhello'));
    assert.ok(isCommandText('<system-reminder>a</system-reminder>'));
    assert.ok(!isCommandText('<div> is what I want'));
  });
});

describe('a session as a whole', () => {
  const fold = (...records: object[]): TallyFold => {
    const seen = new Set<string>();
    const tally = new TallyFold(EMPTY_TALLY, (id, usage) => (seen.has(id) ? null : (seen.add(id), usage)));
    for (const record of records) tally.add(read(record));
    return tally;
  };

  it('has the title that Claude Code would show', () => {
    const title = (...records: object[]): string | null => titleOf(fold(...records).value.titles);
    const prompts = [user('<b>not typed</b>'), user('  fix\n the  log '), user('later')];
    assert.equal(title(...prompts), 'fix the log');
    assert.equal(title(...prompts, { type: 'summary', summary: 'S1' }, { type: 'summary', summary: 'S2' }), 'S2');
    assert.equal(title(...prompts, { type: 'ai-title', aiTitle: 'AI' }, { type: 'summary', summary: 'S' }), 'AI');
    assert.equal(title({ type: 'custom-title', customTitle: 'Mine' }, { type: 'ai-title', aiTitle: 'AI' }), 'Mine');
    assert.equal(title(user([{ type: 'tool_result', content: 'x' }])), null);
    assert.equal(titleInFile('{"customTitle":"From the file"}'), 'From the file');
    assert.equal(titleInFile('{broken'), null);
  });

  it('counts tokens once for each answer, however many records it is', () => {
    const { value } = fold(
      user('hello'),
      assistant([{ type: 'text', text: 'a' }]),
      assistant([{ type: 'tool_use', id: 't', name: 'Read', input: {} }], { uuid: 'a2' }),
    );
    assert.deepEqual(
      [value.prompts, value.answers, value.toolCalls, value.tokens, value.models],
      [1, 1, 1, { input: 3, output: 5, cacheRead: 0, cacheWrite: 0 }, { claude: 1 }],
    );
  });

  it('knows where it was last, and on which branch', () => {
    const { value } = fold(
      user('a', { cwd: '/home/u/app', gitBranch: 'main' }),
      { type: 'relocated', relocatedCwd: '/home/u/other' },
      user('b', { gitBranch: 'HEAD', timestamp: '2026-02-01T10:00:00.000Z' }),
    );
    assert.deepEqual([value.firstCwd, value.cwd, value.gitBranch], ['/home/u/app', '/home/u/other', null]);
    assert.deepEqual(
      [value.firstAt, value.lastAt],
      [Date.parse('2026-02-01T10:00:00Z'), Date.parse('2026-03-01T10:00:00Z')],
    );
  });
});
