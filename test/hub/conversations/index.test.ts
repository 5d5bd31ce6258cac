import assert from 'node:assert/strict';
import { readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { passagesOf } from '../../../src/core/conversation/passage.ts';
import { matchesIn, parseQuery } from '../../../src/core/conversation/query.ts';
import { readRecord } from '../../../src/core/conversation/record.ts';
import { IndexGround, said } from './index-ground.ts';
import { Transcript } from './transcript.ts';

describe('the index of conversations', () => {
  let ground: IndexGround;

  beforeEach(() => (ground = new IndexGround()));
  afterEach(() => ground.close());

  const indexed = (...transcripts: Transcript[]): void => {
    for (const transcript of transcripts) {
      ground.write(transcript.session, transcript.text);
      ground.index(transcript.session);
    }
  };
  const talk = (session: string): string[] => ground.all(session).map(said);

  it('reads a conversation with what its tools returned', () => {
    const t = new Transcript();
    t.prompt('list the files');
    t.tool('Bash', { command: 'ls' }, 'a.txt');
    t.answer('There is one.');
    indexed(t);
    assert.deepEqual(talk(t.session), ['list the files', '[Bash ls -> a.txt]', 'There is one.']);
    assert.equal(ground.session(t.session)?.title, 'list the files');
  });

  it('pairs calls that were made at once, and shows a result whose call is not there', () => {
    const t = new Transcript();
    t.prompt('go');
    const call = (id: string): object => ({
      type: 'assistant',
      message: {
        id: 'm',
        role: 'assistant',
        content: [{ type: 'tool_use', id, name: 'Read', input: { file_path: id } }],
      },
    });
    const result = (id: string): object => ({
      type: 'user',
      message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: `of ${id}` }] },
    });
    t.add(call('one'));
    t.add(call('two'));
    t.add(result('two'));
    t.add(result('one'));
    t.add(result('lost'));
    indexed(t);
    assert.deepEqual(talk(t.session), ['go', '[Read one -> of one]', '[Read two -> of two]', '(outcome)']);
  });

  it('follows the branch of the newest checkpoint, and reaches the others', () => {
    const t = new Transcript();
    const root = t.prompt('first');
    t.answer('one');
    const left = t.prompt('left');
    const end = t.answer('left answer');
    t.from(root);
    t.answer('two');
    t.prompt('right');
    t.answer('right answer');
    indexed(t);
    assert.deepEqual(talk(t.session), ['first', 'two', 'right', 'right answer']);
    t.checkpoint(end);
    ground.append(t.session, `${t.lines.at(-1)}\n`);
    ground.index(t.session);
    assert.deepEqual(talk(t.session), ['first', 'one', 'left', 'left answer']);
    // Two processes go on at once: the last turn in the file counts until the next checkpoint.
    t.from(left).answer('other');
    ground.append(t.session, `${t.lines.at(-1)}\n`);
    ground.index(t.session);
    assert.deepEqual(talk(t.session), ['first', 'one', 'left', 'other']);
    const tips = ground.page(t.session, 'end');
    assert.equal(tips.branch, null);
    const others = new Set(
      branches(t.session).map((offset) => ground.all(t.session, { branch: offset }).map(said).join(' > ')),
    );
    assert.deepEqual(others, new Set(['first > two > right > right answer', 'first > one > left > left answer']));
  });

  const branches = (session: string): number[] => ground.tips(session).map(({ offset }) => offset);

  it('stitches what came before a compaction, and shows what comes again only once', () => {
    const t = new Transcript();
    t.prompt('before');
    const kept = t.answer('kept');
    const line = JSON.parse(t.lines.at(-1)!) as object;
    t.from(null);
    const boundary = t.add({
      type: 'system',
      subtype: 'compact_boundary',
      parentUuid: null,
      logicalParentUuid: kept,
      content: 'Conversation compacted',
    });
    t.prompt('summary of it', { isCompactSummary: true, parentUuid: boundary });
    t.add({ ...line, parentUuid: JSON.parse(t.lines.at(-1)!).uuid as string, uuid: kept });
    t.prompt('after');
    t.answer('done');
    indexed(t);
    const entries = ground.all(t.session);
    assert.deepEqual(
      entries.map(({ kind }) => kind),
      ['prompt', 'answer', 'boundary', 'summary', 'prompt', 'answer'],
    );
    assert.deepEqual(entries.map(said).slice(-2), ['after', 'done']);
    assert.equal(ground.search('kept').length, 1);
    assert.equal(ground.session(t.session)?.tally.compactions, 1);
  });

  it('gives the same in pieces as at once, from wherever it was left', () => {
    const t = conversation(40);
    const whole = new IndexGround();
    try {
      whole.write(t.session, t.text);
      whole.index(t.session);
      const bytes = Buffer.from(t.text);
      ground.write(t.session, '');
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: bytes.length }), { maxLength: 8 }), (cuts) => {
          ground.write(t.session, '');
          ground.index(t.session);
          let done = 0;
          for (const cut of [...cuts.sort((a, b) => a - b), bytes.length]) {
            ground.append(t.session, bytes.subarray(done, cut));
            done = cut;
            ground.index(t.session);
          }
          assert.deepEqual(talk(t.session), whole.all(t.session).map(said));
          assert.deepEqual(ground.session(t.session), whole.session(t.session));
          assert.equal(ground.search('word').length, whole.search('word').length);
        }),
        { numRuns: 30 },
      );
    } finally {
      whole.close();
    }
  });

  it('takes what is committed, up to the last whole line', () => {
    const t = new Transcript();
    t.prompt('one');
    const committed = Buffer.byteLength(t.text);
    t.answer('two');
    ground.write(t.session, t.text.slice(0, -1));
    ground.index(t.session, { most: committed });
    assert.deepEqual(talk(t.session), ['one']);
    ground.index(t.session);
    assert.deepEqual(talk(t.session), ['one']);
    ground.append(t.session, '\n');
    ground.index(t.session);
    assert.deepEqual(talk(t.session), ['one', 'two']);
  });

  it('goes over damage: torn, spliced and empty lines, NUL, CRLF', () => {
    const t = new Transcript();
    t.prompt('one');
    t.lines.push('{"type":"user","uu', `${t.lines[0]}{"type":"x"}`, '', '\u0000\u0000\u0000');
    t.answer('two');
    t.lines[t.lines.length - 1] += '\r';
    indexed(t);
    assert.deepEqual(talk(t.session), ['one', 'two']);
    assert.equal(ground.session(t.session)?.tally.damagedLines, 3);
  });

  it('takes lines of 10 MB, and passes over those that are too long to be records', function () {
    this.timeout(60_000);
    const t = new Transcript();
    t.prompt(`${'large text '.repeat(950_000)} needle`);
    t.answer('between');
    ground.write(t.session, t.text);
    ground.append(t.session, `${'x'.repeat(65 * 1024 * 1024)}\n`);
    const before = t.lines.length;
    t.answer('end');
    ground.append(t.session, `${t.lines.slice(before).join('\n')}\n`);
    ground.index(t.session);
    assert.deepEqual(
      ground
        .all(t.session)
        .map(({ blocks }) => (blocks[0]?.kind === 'text' ? blocks[0].length > 9_000_000 || blocks[0].text : '')),
      [true, 'between', 'end'],
    );
    assert.equal(ground.search('needle').length, 1);
  });

  it('begins anew when the file is another one, and forgets one that is gone', () => {
    const t = new Transcript();
    t.prompt('alpha');
    indexed(t);
    const other = new Transcript(t.session);
    other.prompt('bravo');
    ground.write(t.session, other.text);
    assert.ok(ground.index(t.session));
    assert.deepEqual(talk(t.session), ['bravo']);
    assert.deepEqual([ground.search('alpha').length, ground.search('bravo').length], [0, 1]);
    // Cut in place, and grown to the same size again.
    truncateSync(ground.file(t.session), 0);
    const third = new Transcript(t.session);
    third.prompt('delta');
    ground.append(t.session, third.text);
    ground.index(t.session);
    assert.deepEqual(talk(t.session), ['delta']);
    ground.remove(t.session);
    assert.equal(ground.session(t.session), null);
    assert.equal(ground.search('delta').length, 0);
  });

  it('holds no word of what was taken out', () => {
    const t = new Transcript();
    t.prompt('topsecretword');
    const other = new Transcript();
    other.prompt('harmless');
    indexed(t, other);
    ground.remove(t.session);
    ground.reopen();
    assert.ok(!readFileSync(ground.path).includes('topsecretword'));
    assert.equal(ground.search('harmless').length, 1);
  });

  it('is made anew when it is damaged', () => {
    const t = new Transcript();
    t.prompt('alpha');
    indexed(t);
    ground.reopen(() => writeFileSync(ground.path, 'no database'.repeat(1000)));
    assert.equal(ground.anew.length, 1);
    assert.equal(ground.session(t.session), null);
    ground.index(t.session);
    assert.deepEqual(talk(t.session), ['alpha']);
  });

  it('finds exactly what reading everything finds', () => {
    const vocabulary = [
      'log',
      'login',
      'logs',
      'Error',
      'foo_bar.ts',
      'naïve',
      '東京',
      'data',
      'migrate',
      'migration',
      'x',
      '42',
      'word',
    ];
    const transcripts: Transcript[] = [];
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.constantFrom(...vocabulary), { minLength: 1, maxLength: 12 }), {
          minLength: 3,
          maxLength: 30,
        }),
        (texts) => {
          const t = new Transcript();
          for (const [at, words] of texts.entries()) {
            const text = words.join(' ');
            if (at % 3 === 0) t.prompt(text);
            else if (at % 3 === 1) t.answer(text);
            else t.tool(at % 2 === 0 ? 'Bash' : 'Read', { command: text }, text.toUpperCase());
          }
          transcripts.push(t);
        },
      ),
      { numRuns: 40 },
    );
    indexed(...transcripts);
    const query = fc.array(
      fc.tuple(
        fc.constantFrom('', '', '-', '"'),
        fc.constantFrom(
          'lo',
          'log',
          'err',
          'migr',
          'data',
          'foo_bar',
          '東',
          '京 x',
          'log data',
          '4',
          'na',
          'wor',
          'bash log',
          'word x',
          'x 42',
        ),
      ),
      { minLength: 1, maxLength: 3 },
    );
    fc.assert(
      fc.property(query, (terms) => {
        const text = terms.map(([mark, words]) => (mark === '"' ? `"${words}"` : `${mark}${words}`)).join(' ');
        const wanted: string[] = [];
        for (const { session, lines } of transcripts) {
          let offset = 0;
          for (const line of lines) {
            for (const passage of passagesOf(readRecord(line)!))
              if (matchesIn(passage.text, parseQuery(text)) !== null)
                wanted.push(`${session} ${offset} ${passage.role}`);
            offset += Buffer.byteLength(line) + 1;
          }
        }
        const found = ground.search(text).map(({ session, offset, role }) => `${session} ${offset} ${role}`);
        assert.deepEqual(found.sort(), wanted.sort(), text);
      }),
      { numRuns: 100 },
    );
  });

  it('filters by who says it, tool, project, session and time', () => {
    const one = new Transcript();
    one.prompt('alpha');
    one.tool('Bash', { command: 'alpha' }, 'alpha');
    one.tool('Read', { file_path: 'alpha' }, 'alpha');
    const two = new Transcript();
    two.answer('alpha');
    ground.write(one.session, one.text);
    ground.write(two.session, two.text);
    ground.index(one.session, { project: 'app' });
    ground.index(two.session, { project: 'web' });
    const roles = (more: object): string[] =>
      ground
        .search('alpha', more)
        .map(({ role }) => role)
        .sort();
    assert.deepEqual(roles({}), ['answer', 'prompt', 'result', 'result', 'tool', 'tool']);
    assert.deepEqual(roles({ roles: ['prompt', 'answer'] }), ['answer', 'prompt']);
    assert.deepEqual(roles({ tool: 'bash' }), ['result', 'tool']);
    assert.deepEqual(roles({ project: 'web' }), ['answer']);
    assert.deepEqual(roles({ sessions: [two.session] }), ['answer']);
    assert.deepEqual(roles({ session: one.session, roles: ['prompt'] }), ['prompt']);
    const at = Date.parse('2026-03-01T10:00:02.000Z');
    assert.deepEqual(roles({ before: at, session: one.session }), ['prompt']);
    assert.deepEqual(roles({ after: at, session: one.session }), ['result', 'result', 'tool', 'tool']);
    const [first] = ground.search('alpha', { roles: ['prompt'] });
    assert.deepEqual(first?.snippet, { text: 'alpha', marks: [[0, 5]] });
  });

  it('goes through a conversation from both ends, and around any place', () => {
    const t = conversation(57);
    indexed(t);
    const all = ground.all(t.session, { limit: 500 }).map(({ offset }) => offset);
    assert.equal(new Set(all).size, all.length);
    for (const limit of [1, 7, 20]) {
      assert.deepEqual(
        ground.all(t.session, { limit }).map(({ offset }) => offset),
        all,
      );
      const back: number[] = [];
      let page = ground.page(t.session, 'end', { limit });
      assert.equal(page.after, null);
      for (;;) {
        back.unshift(...page.entries.map(({ offset }) => offset));
        if (page.before === null) break;
        page = ground.page(t.session, { before: page.before }, { limit });
      }
      assert.deepEqual(back, all);
    }
    for (const offset of all) {
      const { entries } = ground.page(t.session, { around: offset }, { limit: 6 });
      assert.ok(entries.some((entry) => entry.offset === offset));
    }
  });

  it('knows subagents, their logs, and the call that they worked for', () => {
    const t = new Transcript();
    t.prompt('explore');
    t.tool('Task', { description: 'look around', prompt: 'where is it' }, 'found it', {
      toolUseResult: { agentId: 'ab12' },
    });
    const agent = new Transcript(t.session, 'ab12');
    agent.prompt('where is it');
    agent.answer('under the rug');
    indexed(t);
    ground.write(t.session, agent.text, 'ab12');
    ground.index(t.session, { agent: 'ab12' });
    assert.equal(ground.session(t.session)?.agents, 1);
    const call = ground.all(t.session)[1]?.blocks[0];
    assert.equal(call?.kind === 'tool' && call.outcome?.agent, 'ab12');
    assert.deepEqual(ground.all(t.session, { agent: 'ab12' }).map(said), ['where is it', 'under the rug']);
    assert.equal(ground.search('rug')[0]?.agent, 'ab12');
  });

  it('shows the title that was given last, in the record or in the file', () => {
    const t = new Transcript();
    t.prompt('first words');
    indexed(t);
    ground.setFileTitle(t.session, 'From the file');
    assert.equal(ground.session(t.session)?.title, 'From the file');
    t.state({ type: 'custom-title', customTitle: 'Renamed' });
    t.state({ type: 'custom-title', customTitle: 'Renamed' });
    ground.append(t.session, `${t.lines.slice(1).join('\n')}\n`);
    ground.index(t.session);
    assert.equal(ground.session(t.session)?.title, 'Renamed');
    assert.equal(ground.search('renamed', { roles: ['title'] }).length, 1, 'a title that is said again is found once');
  });

  it('reads the real sample data', () => {
    const root = new URL('../../fixtures/claude-home-sample/', import.meta.url).pathname;
    let count = 0;
    for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
      if (!/projects\/[^/]+\/[^/]+\.jsonl$/.test(file)) continue;
      const session = file.replaceAll('/', '_').replace('.jsonl', '');
      ground.write(session, readFileSync(join(root, file)));
      ground.index(session);
      const entries = ground.all(session);
      const found = ground.session(session);
      assert.ok(entries.some(({ kind }) => kind === 'prompt') && entries.some(({ kind }) => kind === 'answer'), file);
      assert.ok(found?.title !== null && found!.tally.tokens.output > 0, file);
      count += 1;
    }
    assert.equal(count, 5);
  });

  /** A conversation of many turns, with forks. */
  function conversation(turns: number): Transcript {
    const t = new Transcript();
    const prompts: string[] = [];
    for (let turn = 0; turn < turns; turn += 1) {
      if (turn % 10 === 7) t.from(prompts.at(-2) ?? null);
      prompts.push(t.prompt(`word ${turn}`));
      if (turn % 3 === 0) t.tool('Bash', { command: `run ${turn}` }, `out ${turn}`);
      if (turn % 5 === 0) t.state({ type: 'mode', mode: 'normal' });
      const end = t.answer(`answer ${turn}`);
      if (turn % 4 === 0) t.checkpoint(end);
    }
    return t;
  }
});
