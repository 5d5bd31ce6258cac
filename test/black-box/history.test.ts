import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { HistorySearchResult, HistorySessionsResult } from '../../src/protocol/history.ts';
import { Ground, until } from './ground.ts';
import { Conversation } from './conversation.ts';

const SESSION = '5d3f0a52-8c5e-4a55-9d0b-6f3a1c2b4e10';

describe('conversations of all machines, from the command line', function () {
  this.timeout(120_000);
  let ground: Ground;

  before(async () => {
    ground = await Ground.open({ machines: ['rog', 'mac'] });
    await ground.startHub();
    const talk = new Conversation(SESSION);
    await talk.say(ground.home('rog'), 'needle');
    await talk.say(ground.home('rog'), 'haystack');
    await ground.settle();
    await until('it is found', async () => (await found('haystack')).hits.length > 0, 30_000);
  });

  after(() => ground.close());

  const found = (...query: string[]): Promise<HistorySearchResult> => ground.json('history', 'search', ...query);

  it('are listed, searched and shown', async () => {
    const { sessions } = await ground.json<HistorySessionsResult>('history', 'list');
    assert.deepEqual(
      sessions.map(({ session, machines }) => [session, machines.toSorted()]),
      [[SESSION, ['mac', 'rog']]],
    );
    assert.equal(
      (await found('needle', '--role', 'prompt')).hits.length + (await found('needle', '--role', 'answer')).hits.length,
      1,
    );
    assert.equal((await found('needle', '--before', '2001-01-01')).hits.length, 0);
    assert.equal((await found('needle', '--without', 'needl')).hits.length, 0);
    assert.equal((await found('needle', '--without', 'thread')).hits.length, 1);
    const shown = await ground.run('history', 'show', SESSION.slice(0, 8));
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, new RegExp(`rog: cd .*${ground.home('rog').project}.* && claude --resume ${SESSION}`));
    assert.match(shown.stdout, /haystack/);
    assert.match((await ground.run('history')).stdout, /^SESSION +TITLE/);
  });

  it('are exported to a file that only their owner can read, and that is not replaced by itself', async () => {
    for (const format of ['md', 'html', 'json']) {
      const file = join(ground.root, `talk.${format}`);
      const ran = await ground.run('history', 'export', SESSION, '--format', format, '-o', file);
      assert.equal(ran.code, 0, ran.stderr);
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      const text = await readFile(file, 'utf8');
      assert.ok(text.includes('needle') && text.includes('haystack'));
      const again = await ground.run('history', 'export', SESSION, '--format', format, '-o', file);
      assert.equal(again.code, 1);
      assert.match(again.stderr, /There is a file .* already/);
      assert.equal(await readFile(file, 'utf8'), text);
    }
  });

  it('that are not there are told as that', async () => {
    const ran = await ground.run('history', 'show', 'ffffffff');
    assert.deepEqual([ran.code, ran.stdout], [1, '']);
    assert.match(ran.stderr, /No conversation begins with ffffffff/);
    assert.equal((await ground.run('history', 'search', 'x', '--after', 'yesterday')).code, 2);
    assert.equal((await ground.run('history', 'list', '--limit', '0')).code, 2);
  });
});
