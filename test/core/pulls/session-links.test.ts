import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  githubRepositoryOf,
  linksOf,
  publicRepositoryOf,
  pullsOf,
  SessionIndex,
} from '../../../src/core/pulls/session-links.ts';
import type { MarkedSession } from '../../../src/core/pulls/session-links.ts';
import type { SessionMarks } from '../../../src/core/pulls/session-marks.ts';
import { PullSessionSchema } from '../../../src/protocol/pulls.ts';

const link = (repository: string, number: number): SessionMarks['links'][number] => ({
  repository,
  number,
  url: `https://github.com/${repository}/pull/${number}`,
});

const session = (
  name: string,
  at: number,
  more: { branches?: string[]; links?: SessionMarks['links']; repositories?: string[] } = {},
): MarkedSession => ({
  session: name,
  at,
  marks: { branches: more.branches ?? [], links: more.links ?? [] },
  repositories: more.repositories ?? ['owner/name'],
});

const PULL = { repository: 'Owner/Name', number: 7, branch: 'fix/it', url: 'https://github.com/Owner/Name/pull/7' };

describe('conversations of a pull request', () => {
  it('are those that name it and those on its branch, the newest first', () => {
    const found = linksOf(PULL, [
      session('a', 1, { branches: ['fix/it'] }),
      session('b', 3, { links: [link('owner/name', 7)], repositories: [] }),
      session('c', 2, { branches: ['other', 'fix/it'] }),
      session('d', 9, { branches: ['other'] }),
      session('e', 9, { links: [link('owner/name', 8), link('owner/other', 7)] }),
    ]);
    assert.deepEqual(found, [
      { session: 'b', by: 'link', at: 3 },
      { session: 'c', by: 'branch', at: 2 },
      { session: 'a', by: 'branch', at: 1 },
    ]);
    for (const one of found) PullSessionSchema.parse(one);
  });

  it('belong to it by what they say themselves rather than by their branch', () => {
    const both = session('a', 1, { branches: ['fix/it'], links: [link('OWNER/name', 7)] });
    assert.deepEqual(linksOf(PULL, [both]), [{ session: 'a', by: 'link', at: 1 }]);
  });

  it('on a branch of that name in another repository are not among them', () => {
    const elsewhere = session('a', 1, { branches: ['fix/it'], repositories: ['owner/other'] });
    const nowhere = session('b', 1, { branches: ['fix/it'], repositories: [] });
    const spelled = session('c', 1, { branches: ['Fix/it'] });
    assert.deepEqual(linksOf(PULL, [elsewhere, nowhere, spelled]), []);
  });

  it('of a fork are on its branch, and mine are in a checkout of either', () => {
    const [base, fork] = [
      session('base', 1, { branches: ['fix/it'] }),
      session('fork', 2, { branches: ['fix/it'], repositories: ['me/name'] }),
    ];
    const names = (pull: Parameters<typeof linksOf>[0]): string[] =>
      linksOf(pull, [base, fork]).map(({ session: name }) => name);
    assert.deepEqual(names({ ...PULL, headRepository: 'Me/Name' }), ['fork'], "somebody else's branch of that name");
    assert.deepEqual(names({ ...PULL, headRepository: 'me/name', isMine: true }), ['fork', 'base']);
    assert.deepEqual(names({ ...PULL, headRepository: null, isMine: true }), ['base']);
    assert.deepEqual(names({ ...PULL, headRepository: null }), []);
    assert.deepEqual(
      pullsOf(fork, [{ ...PULL, headRepository: 'me/name' }]).map(({ by }) => by),
      ['branch'],
    );
  });

  it('on a default branch belong to it only when they say so', () => {
    for (const branch of ['main', 'master', 'develop', 'trunk', 'Main']) {
      const on = session('a', 1, { branches: [branch] });
      const says = session('b', 2, { branches: [branch], links: [link('owner/name', 7)] });
      assert.deepEqual(linksOf({ ...PULL, branch }, [on, says]), [{ session: 'b', by: 'link', at: 2 }]);
    }
  });

  it('are at most twenty', () => {
    const many = Array.from({ length: 60 }, (_, at) =>
      session(`s${at}`, at, at % 2 === 0 ? { branches: ['fix/it'] } : { links: [link('owner/name', 7)] }),
    );
    const found = linksOf(PULL, many);
    assert.deepEqual(
      found.map(({ at }) => at),
      Array.from({ length: 20 }, (_, at) => 59 - at),
    );
  });

  it('are the same from both ends', () => {
    const repository = fc.constantFrom('o/n', 'O/N', 'o/m');
    const branch = fc.constantFrom('main', 'a', 'b', '__proto__');
    const number = fc.integer({ min: 1, max: 3 });
    const sessions = fc
      .array(
        fc.record({
          branches: fc.uniqueArray(branch),
          links: fc.uniqueArray(fc.tuple(fc.constantFrom('o/n', 'O/m'), number), {
            selector: ([name, each]) => `${name}#${each}`,
          }),
          repositories: fc.array(repository, { maxLength: 2 }),
          at: fc.nat(3),
        }),
        { maxLength: 15 },
      )
      .map((all) =>
        all.map(({ at, links, ...more }, index) =>
          session(`s${index}`, at, { ...more, links: links.map(([name, each]) => link(name, each)) }),
        ),
      );
    const pulls = fc
      .uniqueArray(fc.record({ repository, number, branch }), {
        selector: (pull) => `${pull.repository.toLowerCase()}#${pull.number}`,
      })
      .map((all) => all.map((pull) => ({ ...pull, url: link(pull.repository, pull.number).url })));
    fc.assert(
      fc.property(sessions, pulls, (some, all) => {
        const index = new SessionIndex(some);
        const pairs = all.flatMap((pull) =>
          index.linksOf(pull).map(({ session: name, by }) => `${name} ${pull.repository}#${pull.number} ${by}`),
        );
        const back = some.flatMap((one) =>
          pullsOf(one, all)
            .filter(({ pull }) => pull !== null)
            .map((found) => `${one.session} ${found.repository}#${found.number} ${found.by}`),
        );
        assert.deepEqual(pairs.sort(), back.sort());
      }),
    );
  });

  it('are found for hundreds of pull requests among thousands of conversations, in seconds and not in hours', () => {
    const sessions = Array.from({ length: 10_000 }, (_, at) =>
      session(`s${at}`, at, {
        branches: [`b${at % 700}`, 'shared', 'main'],
        links: [link('owner/name', (at % 900) + 1)],
      }),
    );
    const index = new SessionIndex(sessions);
    for (let number = 1; number <= 600; number += 1)
      assert.ok(index.linksOf({ repository: 'owner/name', number, branch: `b${number}` }).length > 0);
    for (let number = 1; number <= 600; number += 1)
      assert.equal(index.linksOf({ repository: 'owner/name', number, branch: 'shared' }).length, 20);
  });
});

describe('pull requests of a conversation', () => {
  it('are those it names, also closed ones, the newest first, then those of its branches', () => {
    const other = { ...PULL, number: 9, branch: 'other', url: link('Owner/Name', 9).url };
    const found = pullsOf(
      session('a', 1, {
        branches: ['fix/it', 'other', 'main'],
        links: [link('owner/name', 3), link('owner/name', 7)],
      }),
      [PULL, other, { ...PULL, number: 10, branch: 'main' }],
    );
    assert.deepEqual(found, [
      { repository: 'Owner/Name', number: 7, url: PULL.url, by: 'link', pull: PULL },
      { repository: 'owner/name', number: 3, url: link('owner/name', 3).url, by: 'link', pull: null },
      { repository: 'Owner/Name', number: 9, url: other.url, by: 'branch', pull: other },
    ]);
  });
});

describe('repository of a remote', () => {
  it('that others may hear of is one at github.com', () => {
    assert.equal(publicRepositoryOf('github.com/owner/name//'), 'owner/name');
    assert.equal(publicRepositoryOf('github.com-work/owner/name//'), 'owner/name');
    for (const remote of ['github.corp.example/owner/name//', 'acme.ghe.com/owner/name//', 'gitlab.com/owner/name//'])
      assert.equal(publicRepositoryOf(remote), null, remote);
  });

  it('is owner and name at GitHub', () => {
    const known: Record<string, string | null> = {
      'github.com/owner/name': 'owner/name',
      'github.com/owner/name//': 'owner/name',
      'github.com/owner/name//packages/a': 'owner/name',
      'github.com-work/owner/name//': 'owner/name',
      'github.corp.example/owner/name//': 'owner/name',
      'acme.ghe.com/owner/name//': 'owner/name',
      'gitlab.com/owner/name//': null,
      'gist.github.com/owner/0123//': null,
      'notgithub.com/owner/name//': null,
      'github.com/owner//': null,
      'github.com/owner/name/more//': null,
      'github.com/../name': null,
      'github.com/owner/na me': null,
      'owner/name': null,
      '': null,
    };
    for (const [remote, repository] of Object.entries(known))
      assert.equal(githubRepositoryOf(remote), repository, remote);
  });
});
