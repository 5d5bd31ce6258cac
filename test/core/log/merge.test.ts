import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasCompaction, mergeAgain, mergeTails, newestActivity } from '../../../src/core/log/merge.ts';
import { anyLines, cut, factsOf, log, sampleTranscripts } from './log-fixtures.ts';

/** What is appended to `head` for `copy`, as lines. */
async function added(head: readonly string[], copy: readonly string[]): Promise<string[]> {
  const content = log(...copy);
  const facts = mergeTails(await factsOf(log(...head)), await factsOf(content));
  return cut(content, facts).split('\n').slice(0, -1);
}

async function merged(head: readonly string[], copy: readonly string[]): Promise<string[]> {
  return [...head, ...(await added(head, copy))];
}

function count(lines: readonly string[], line: string): number {
  return lines.filter((other) => other === line).length;
}

function isSubsequence(part: readonly string[], whole: readonly string[]): boolean {
  let at = 0;
  for (const line of whole) if (line === part[at]) at++;
  return at === part.length;
}

const mode = (name: string): string => JSON.stringify({ type: 'mode', mode: name });
const user = (uuid: string, content = ''): string => JSON.stringify({ type: 'user', uuid, content });

describe('merging the tails of a diverged log', () => {
  it('adds the lines of the copy that the head has not, in their order', async () => {
    assert.deepEqual(await added([user('a'), user('b')], [user('a'), user('x'), user('b'), user('y')]), [
      user('x'),
      user('y'),
    ]);
  });

  it('skips state records only while the copy retells the head', async () => {
    const head = [mode('plan'), user('a'), mode('normal')];
    const copy = [mode('plan'), user('a'), user('x'), mode('normal'), user('a')];
    assert.deepEqual(await added(head, copy), [user('x'), mode('normal')]);
  });

  it('keeps both contents of one uuid', async () => {
    assert.deepEqual(await added([user('a', 'one')], [user('a', 'two')]), [user('a', 'two')]);
  });

  it('keeps damaged lines as they are', async () => {
    assert.deepEqual(await added([user('a')], ['{"torn', '', '\0\0']), ['{"torn', '', '\0\0']);
  });

  it('adds nothing of a copy that is a part of the head in its order, a prefix above all', async () => {
    await fc.assert(
      fc.asyncProperty(anyLines, fc.infiniteStream(fc.boolean()), fc.nat(14), async (head, keep, length) => {
        const part = head.filter(() => keep.next().value);
        assert.deepEqual(await added(head, part), []);
        assert.deepEqual(await added(head, head.slice(0, length)), []);
      }),
    );
  });

  it('merged a second time adds nothing, neither the copy again nor the result', async () => {
    await fc.assert(
      fc.asyncProperty(anyLines, anyLines, async (head, copy) => {
        const result = await merged(head, copy);
        assert.deepEqual(await added(result, copy), []);
        assert.deepEqual(await added(result, result), []);
        assert.deepEqual(await added(result, head), []);
      }),
      { numRuns: 1000 },
    );
  });

  it('loses no line of either side and invents none', async () => {
    await fc.assert(
      fc.asyncProperty(anyLines, anyLines, async (head, copy) => {
        const result = await merged(head, copy);
        assert.deepEqual(result.slice(0, head.length), head);
        for (const line of new Set([...head, ...copy])) {
          const [inHead, inCopy, inResult] = [count(head, line), count(copy, line), count(result, line)];
          assert.ok(inResult <= inHead + inCopy, `${line} was invented`);
          // A record is there once at least; a state record as often as the side that says it most.
          const least = line.includes('"uuid":"') ? 1 : Math.max(inHead, inCopy);
          assert.ok(inResult >= least, `${line} was lost`);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps the order of each side', async () => {
    await fc.assert(
      fc.asyncProperty(anyLines, anyLines, async (head, copy) => {
        assert.ok(isSubsequence(await added(head, copy), copy));
        assert.ok(isSubsequence(head, await merged(head, copy)));
      }),
    );
  });

  it('keeps the whole copy in its order when the two sides share no record', async () => {
    await fc.assert(
      fc.asyncProperty(anyLines, anyLines, async (head, copy) => {
        const foreign = copy.map((line) => line.replace('"uuid":"', '"uuid":"other-'));
        assert.ok(isSubsequence(foreign, await merged(head, foreign)));
      }),
    );
  });

  it('is fast when one state record occurs thousands of times', async () => {
    const head = Array.from({ length: 50_000 }, () => mode('plan'));
    assert.deepEqual(await added(head, [...head, user('x')]), [user('x')]);
  });
});

describe('merging a copy again that was cut', () => {
  async function again(head: readonly string[], copy: readonly string[]): Promise<string[]> {
    const content = log(...copy);
    return cut(content, mergeAgain(await factsOf(log(...head)), await factsOf(content)))
      .split('\n')
      .slice(0, -1);
  }

  it('adds nothing while the copy only has lines of the head, in whatever order', async () => {
    const head = [user('a'), mode('plan'), user('b'), mode('edit'), user('c')];
    assert.deepEqual(await again(head, [mode('edit'), user('c'), mode('plan'), user('a')]), []);
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(head), async (copy) => {
        assert.deepEqual(await again(head, copy), []);
      }),
    );
  });

  it('adds what was written after the cut, state lines included', async () => {
    const head = [user('a'), mode('plan'), user('b')];
    assert.deepEqual(await again(head, [user('a'), mode('plan'), user('x'), mode('edit')]), [user('x'), mode('edit')]);
  });

  it('adds a state line that the copy has more often than the head', async () => {
    assert.deepEqual(await again([mode('plan')], [mode('plan'), mode('plan')]), [mode('plan')]);
  });
});

describe('what decides between merge and fork', () => {
  it('is a compaction in either tail', async () => {
    const boundary = { type: 'system', subtype: 'compact_boundary', uuid: 'b' };
    assert.equal(hasCompaction(await factsOf(log(user('a'), boundary))), true);
    assert.equal(hasCompaction(await factsOf(log(user('a'), { type: 'user', subtype: 'compact_boundary' }))), false);
    assert.equal(
      hasCompaction(
        await factsOf(log({ type: 'system', subtype: 'turn_duration' }, JSON.stringify(boundary).slice(0, 40))),
      ),
      false,
    );
  });

  it('is found in the sample that was compacted, and only there', async function () {
    const transcripts = sampleTranscripts('rog');
    if (transcripts === null) return this.skip();
    for (const [session, bytes] of transcripts) {
      assert.equal(hasCompaction(await factsOf(bytes)), session.startsWith('f30062c2'), session);
    }
  });

  it('is the newest activity wherever it stands in the file', async () => {
    const at = (timestamp: string): object => ({ type: 'user', timestamp });
    const facts = await factsOf(
      log(at('2026-01-02T00:00:00.000Z'), at('2026-01-03T00:00:00+02:00'), at('2026-01-01T00:00:00Z'), mode('plan')),
    );
    assert.equal(newestActivity(facts), Date.UTC(2026, 0, 2, 22));
    assert.equal(newestActivity(await factsOf(log(mode('plan')))), null);
  });
});
