import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readMarks } from '../../../src/core/pulls/session-marks.ts';
import { tellingRanges } from '../../../src/core/projects/recorded-folders.ts';

const T0 = Date.parse('2026-03-01T10:00:00.000Z');

const said = (branch: unknown, more: object = {}): object => ({
  parentUuid: null,
  cwd: '/home/u/app',
  sessionId: 's',
  gitBranch: branch,
  type: 'user',
  message: { role: 'user', content: 'hello' },
  uuid: 'u',
  timestamp: new Date(T0).toISOString(),
  ...more,
});

const linked = (more: object): object => ({ type: 'pr-link', sessionId: 's', ...more });

const lines = (...records: (object | string)[]): string =>
  records.map((record) => `${typeof record === 'string' ? record : JSON.stringify(record)}\n`).join('');

describe('marks of a session', () => {
  it('are its branches, its pull requests, its folders and its last activity', () => {
    const text = lines(
      said('feature/a'),
      said('feature/b', { cwd: '/home/u/app/sub', timestamp: new Date(T0 + 5_000).toISOString() }),
      said('feature/a', { timestamp: new Date(T0 + 1_000).toISOString() }),
      linked({
        prNumber: 12,
        prUrl: 'https://github.com/Owner/name/pull/12',
        prRepository: 'Owner/name',
        timestamp: new Date(T0 + 6_000).toISOString(),
      }),
    );
    assert.deepEqual(readMarks([text]), {
      branches: ['feature/b', 'feature/a'],
      links: [{ repository: 'Owner/name', number: 12, url: 'https://github.com/Owner/name/pull/12' }],
      cwds: ['/home/u/app/sub', '/home/u/app'],
      at: T0 + 6_000,
    });
  });

  it('are none where nothing is said', () => {
    const none = { branches: [], links: [], cwds: [], at: null };
    assert.deepEqual(readMarks([]), none);
    assert.deepEqual(readMarks(['', '\n\n']), none);
    assert.deepEqual(readMarks([lines({ type: 'mode', mode: 'x', cwd: '/a' }, 'garbage', '[]', 'null', '7')]), none);
  });

  it('do not count a detached head, no branch, or what is no text', () => {
    const text = lines(said('HEAD'), said(''), said(7), said(null), said(['x']), said({ a: 'x' }));
    assert.deepEqual(readMarks([text]).branches, []);
  });

  it('are of the records themselves, not of what these quote', () => {
    const quoted = said('own', {
      toolUseResult: { gitBranch: 'nested', cwd: '/nested', type: 'pr-link', prNumber: 1 },
    });
    const text = lines(quoted, {
      type: 'user',
      uuid: 'u',
      message: { content: lines(said('told'), linked({ prUrl: 'https://github.com/o/n/pull/1' })) },
    });
    const marks = readMarks([text]);
    assert.deepEqual([marks.branches, marks.links, marks.cwds], [['own'], [], ['/home/u/app']]);
  });

  it('take what a link leaves out from its address, and the address from the rest', () => {
    const expected = [{ repository: 'o/n', number: 3, url: 'https://github.com/o/n/pull/3' }];
    for (const record of [
      { prUrl: 'https://github.com/o/n/pull/3' },
      { prUrl: 'https://github.com/o/n/pull/3/files#diff-1', prNumber: null, prRepository: '' },
      { prUrl: 'https://github.com/o/n/pull/3?w=1', prNumber: '3' },
      { prUrl: 'https://github.com/o/n/pull/3', prNumber: -1, prRepository: 'not a repository' },
      { prNumber: 3, prRepository: 'o/n' },
      { prNumber: '3', prRepository: 'o/n', prUrl: null },
    ]) {
      assert.deepEqual(readMarks([lines(linked(record))]).links, expected, JSON.stringify(record));
    }
    const enterprise = linked({ prUrl: 'https://github.corp.example/o/n/pull/3' });
    assert.equal(readMarks([lines(enterprise)]).links[0]?.url, 'https://github.corp.example/o/n/pull/3');
  });

  it('do not count links that name no pull request of GitHub', () => {
    for (const record of [
      {},
      { prNumber: 3 },
      { prRepository: 'o/n' },
      { prNumber: 3, prRepository: 'n' },
      { prNumber: 3, prRepository: 'o/n/x' },
      { prNumber: 3, prRepository: '../n' },
      { prNumber: 3, prRepository: 'o/..' },
      { prNumber: 3, prRepository: 'o/n\nx' },
      { prNumber: 0, prRepository: 'o/n' },
      { prNumber: 1.5, prRepository: 'o/n' },
      { prNumber: '3x', prRepository: 'o/n' },
      { prNumber: 1e300, prRepository: 'o/n' },
      { prNumber: 3, prRepository: 'o/n', prUrl: 'https://gitlab.com/o/n/-/merge_requests/3' },
      { prUrl: 'http://github.com/o/n/pull/3' },
      { prUrl: 'javascript:https://github.com/o/n/pull/3' },
      { prUrl: 'https://user:secret@github.com/o/n/pull/3' },
      { prUrl: 'https://github.com/o/n/pull/0' },
      { prUrl: 'https://github.com/o/n/pull/3x' },
      { prUrl: 'https://github.com/o/n/issues/3' },
    ]) {
      assert.deepEqual(readMarks([lines(linked(record))]).links, [], JSON.stringify(record));
    }
  });

  it('name each pull request once, however its owner is spelled, the one linked last at the end', () => {
    const link = (repository: string, prNumber: number): object => linked({ prNumber, prRepository: repository });
    const { links } = readMarks([lines(link('o/n', 1), link('o/n', 2), link('O/N', 1))]);
    assert.deepEqual(
      links.map(({ repository, number }) => `${repository}#${number}`),
      ['o/n#2', 'O/N#1'],
    );
  });

  it('are the newest ones where there are very many', () => {
    const records = Array.from({ length: 50 }, (_, at) => [
      said(`b${at}`, { cwd: `/c${at}` }),
      linked({ prNumber: at + 1, prRepository: 'o/n' }),
    ]).flat();
    const { branches, links, cwds } = readMarks([lines(...records)]);
    assert.deepEqual([branches.length, branches[0], branches.at(-1)], [20, 'b30', 'b49']);
    assert.deepEqual([links.length, links[0]?.number, links.at(-1)?.number], [20, 31, 50]);
    assert.deepEqual([cwds.length, cwds[0], cwds.at(-1)], [10, '/c40', '/c49']);
  });

  it('do not count times without a zone, which mean another moment on every machine', () => {
    for (const timestamp of ['2026-03-01T10:00:00', '2026', 'soon', '', 5, null])
      assert.equal(readMarks([lines(said('x', { timestamp }))]).at, null);
  });

  it('survive keys of the prototype and lone surrogates', () => {
    const text = lines(
      '{"__proto__":{"gitBranch":"evil","cwd":"/evil"},"constructor":1,"x":"gitBranch"}',
      '{"__proto__":{"type":"pr-link"},"prNumber":1,"prRepository":"o/n"}',
      said('__proto__'),
      said('constructor'),
      '{"gitBranch":"\\ud800","cwd":"\\udc00"}',
    );
    const marks = readMarks([text]);
    assert.deepEqual(marks.branches, ['__proto__', 'constructor', '\ud800']);
    assert.deepEqual(marks.links, []);
    assert.deepEqual(JSON.parse(JSON.stringify(marks)), marks);
  });

  it('never throw, whatever the pieces are', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc
        .array(
          fc.oneof(
            fc.jsonValue().map((value) => JSON.stringify({ gitBranch: value, cwd: value, timestamp: value })),
            fc
              .tuple(fc.jsonValue(), fc.jsonValue(), fc.jsonValue())
              .map(([prNumber, prUrl, prRepository]) =>
                JSON.stringify({ type: 'pr-link', prNumber, prUrl, prRepository }),
              ),
            fc.constantFrom('"gitBranch"', '{"gitBranch":', '["pr-link"]', 'null "pr-link"', '\0"pr-link"'),
          ),
        )
        .map((all) => all.join('\n')),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 3 }), (pieces) => {
        const marks = readMarks(pieces);
        assert.ok(marks.branches.every((branch) => branch !== '' && branch !== 'HEAD'));
        assert.ok(marks.links.every(({ url }) => /^https:\/\/[^@]+\/pull\/[1-9][0-9]*$/.test(url)));
        assert.ok(marks.branches.length <= 20 && marks.links.length <= 20 && marks.cwds.length <= 10);
      }),
    );
  });

  it('hold what the records say that are whole in one of the pieces', () => {
    const record = fc.oneof(
      fc.record({
        kind: fc.constant('said' as const),
        branch: fc.string({ unit: 'binary', maxLength: 30 }),
        cwd: fc.string({ unit: 'binary', maxLength: 30 }),
        text: fc.string({ unit: 'binary', maxLength: 200 }),
        ms: fc.nat(1_000_000),
      }),
      fc.record({
        kind: fc.constant('link' as const),
        number: fc.integer({ min: 1, max: 9 }),
        repository: fc.constantFrom('o/n', 'o/m'),
      }),
      fc.record({ kind: fc.constant('other' as const), text: fc.string({ maxLength: 200 }) }),
    );
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 10 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (records, one, other) => {
          const texts = records.map((each) =>
            lines(
              each.kind === 'said'
                ? said(each.branch, {
                    cwd: each.cwd,
                    message: each.text,
                    timestamp: new Date(T0 + each.ms).toISOString(),
                  })
                : each.kind === 'link'
                  ? linked({ prNumber: each.number, prRepository: each.repository })
                  : { type: 'title', text: each.text },
            ),
          );
          const whole = Buffer.from(texts.join(''));
          const [from, to] = [one, other].map((part) => Math.floor(part * whole.length)).sort((a, b) => a - b) as [
            number,
            number,
          ];
          const marks = readMarks([whole.toString('utf8', 0, from), whole.toString('utf8', to)]);
          let at = 0;
          let latest = -Infinity;
          for (const [index, text] of texts.entries()) {
            const [start, end] = [at, at + Buffer.byteLength(text)];
            at = end;
            const each = records[index];
            if ((end > from && start < to) || each === undefined) continue;
            if (each.kind === 'said') {
              latest = Math.max(latest, T0 + each.ms);
              if (each.branch !== '' && each.branch !== 'HEAD') assert.ok(marks.branches.includes(each.branch));
              if (each.cwd !== '') assert.ok(marks.cwds.includes(each.cwd));
            } else if (each.kind === 'link') {
              assert.ok(
                marks.links.some(({ number, repository }) => number === each.number && repository === each.repository),
              );
            }
          }
          assert.ok((marks.at ?? -Infinity) >= latest);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('are read fast from the two ends of a large transcript', () => {
    const image = said('main', { message: { content: [{ type: 'image', data: 'A'.repeat(60_000) }] } });
    const whole = lines(...Array.from({ length: 4_000 }, () => said('x')), image, image);
    const pieces = tellingRanges(whole.length).map(([from, to]) => whole.slice(from, to));
    let fastest = Infinity;
    for (let run = 0; run < 100; run += 1) {
      const start = performance.now();
      readMarks(pieces);
      fastest = Math.min(fastest, performance.now() - start);
    }
    // Some tenths of a millisecond on any computer; much more would be another order of growth. The fastest: others wait for the processor.
    assert.ok(fastest < 20, `${fastest} ms`);
  });
});
