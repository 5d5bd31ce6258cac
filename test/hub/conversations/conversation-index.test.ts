import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ConversationIndex } from '../../../src/hub/conversations/conversation-index.ts';
import { createHistoryService } from '../../../src/hub/conversations/history-service.ts';
import { systemClock } from '../../../src/hub/ports/system.ts';
import type { HistorySessionResult, HistorySessionsResult } from '../../../src/protocol/history.ts';
import { METHODS } from '../../../src/protocol/methods.ts';
import { HubGround, until } from '../hub-ground.ts';
import { POISON } from './poison.ts';
import { Transcript } from './transcript.ts';

const REQUEST = { signal: new AbortController().signal };

describe('conversations of a running hub', function () {
  this.timeout(30_000);
  let ground: HubGround;
  let index: ConversationIndex;
  let changed: string[];
  let troubles: Error[];

  const open = (workerUrl?: URL): void => {
    const { hub } = ground;
    changed = [];
    troubles = [];
    index = new ConversationIndex({
      path: join(ground.dataDir, 'history.db'),
      store: hub.store,
      archive: hub.archive,
      clock: systemClock,
      workerUrl,
      projectOf: (key) => hub.engine.placement.projectOf(key),
      isBusy: () => false,
      onChanged: (sessions) => changed.push(...sessions),
      onTrouble: (error) => troubles.push(error),
    });
    index.start();
  };
  const service = (): ReturnType<typeof createHistoryService> => createHistoryService(() => ground.hub, index);
  const sessions = async (more: object = {}): Promise<HistorySessionsResult> =>
    METHODS['history/sessions'].result.parse(
      await service()['history/sessions'](METHODS['history/sessions'].params.parse(more), REQUEST),
    );
  const session = async (name: string): Promise<HistorySessionResult> =>
    METHODS['history/session'].result.parse(await service()['history/session']({ session: name }, REQUEST));
  const found = async (query: string): Promise<string[]> => {
    const params = METHODS['history/search'].params.parse({ query });
    const { hits } = METHODS['history/search'].result.parse(await service()['history/search'](params, REQUEST));
    return hits.map((hit) => hit.session);
  };
  const at = (machine: string, t: Transcript): string => `projects/-home-${machine}-app/${t.session}.jsonl`;

  beforeEach(async () => {
    ground = await HubGround.open({ entries: { rog: { home: '/home/rog' }, mac: { home: '/home/mac' } } });
    open();
  });
  afterEach(async () => {
    await index.stop();
    await ground.close();
  });

  const talk = (machine: string): Transcript => {
    const t = new Transcript();
    t.prompt('find the needle', { cwd: `/home/${machine}/app` });
    t.answer('It is in the haystack.', { cwd: `/home/${machine}/app` });
    return t;
  };

  it('are found as they grow, with the machines that have them', async () => {
    const t = talk('rog');
    await ground.write('rog', at('rog', t), t.text);
    await ground.settle();
    await until('the index to follow', async () => (await found('needle')).length > 0);
    assert.ok(changed.includes(t.session));
    const [row] = (await sessions()).sessions;
    assert.deepEqual(
      [row?.session, row?.title, row?.projectName, row?.machines.toSorted(), row?.archivedOnly, row?.live],
      [t.session, 'find the needle', 'app', ['mac', 'rog'], false, []],
    );
    t.prompt('and the thread');
    await ground.write('rog', at('rog', t), t.text);
    await until('the index to follow', async () => (await found('thread')).length > 0);
    await until('it is level', () => index.backlog() === null);
    assert.equal((await sessions({ project: 'app', machine: 'mac', title: 'NEEDLE' })).total, 1);
    assert.equal((await sessions({ state: 'archived' })).total, 0);
    await assert.rejects(sessions({ project: 'nonesuch' }), /There is no project nonesuch/);
    await assert.rejects(sessions({ machine: 'nonesuch' }), /There is no machine nonesuch/);
    assert.deepEqual(troubles, []);
  });

  it('are told by the beginning of their uuid, with how they can be resumed on each machine', async () => {
    const t = talk('rog');
    await ground.write('rog', at('rog', t), t.text);
    await ground.settle();
    await until('the index to follow', async () => (await found('needle')).length > 0);
    const { resume, session: one } = await session(t.session.slice(0, 8));
    assert.equal(one.session, t.session);
    const on = (machine: string) => resume.find((place) => place.machine === machine);
    assert.equal(on('rog')?.command, `cd /home/rog/app && claude --resume ${t.session}`);
    assert.equal(on('mac')?.command, null);
    assert.match(on('mac')?.reason ?? '', /its project was not seen there yet: get it to \/home\/mac\/app/);
    await ground.write(
      'rog',
      'sessions/7.json',
      JSON.stringify({ pid: process.pid, procStart: null, sessionId: t.session, updatedAt: Date.now() }),
    );
    await until('the index to follow', async () => (await session(t.session)).session.live.includes('rog'));
    const live = await session(t.session);
    assert.match(live.resume.find(({ machine }) => machine === 'rog')?.reason ?? '', /it is open there now/);
    assert.match(live.resume.find(({ machine }) => machine === 'mac')?.reason ?? '', /it is open on rog now/);
    assert.equal((await sessions({ state: 'live' })).total, 1);
    await assert.rejects(session('ffffffff'), /No conversation begins with ffffffff/);
  });

  it('are gone with what was forgotten', async () => {
    const t = talk('rog');
    await ground.write('rog', at('rog', t), t.text);
    await ground.settle();
    await until('the index to follow', async () => (await found('needle')).length > 0);
    await ground.hub.engine.actions.forget(t.session);
    await until('the index to follow', async () => (await found('needle')).length === 0);
    await until('the index to follow', async () => (await sessions()).total === 0);
  });

  it('are found again after a restart, with what changed meanwhile, and without an index', async () => {
    const t = talk('rog');
    await ground.write('rog', at('rog', t), t.text);
    await ground.settle();
    await until('the index to follow', async () => (await found('needle')).length > 0);
    await index.stop();
    await ground.hub.close();
    t.prompt('while nobody looked');
    await ground.write('rog', at('rog', t), t.text);
    await ground.boot();
    await ground.settle();
    open();
    await until('the index to follow', async () => (await found('nobody')).length > 0);
    await index.stop();
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(ground.dataDir, `history.db${suffix}`), { force: true });
    open();
    await until('the index to follow', async () => (await found('nobody')).length > 0);
    assert.equal((await sessions()).total, 1);
  });

  it('are found although one of them kills whoever reads it', async () => {
    await index.stop();
    open(new URL('./fragile-worker.ts', import.meta.url));
    const poison = new Transcript(POISON);
    poison.prompt('poison', { cwd: '/home/rog/app' });
    const others = [talk('rog'), talk('rog')];
    for (const t of [others[0]!, poison, others[1]!]) await ground.write('rog', at('rog', t), t.text);
    await ground.settle();
    await until('the others are found', async () => new Set(await found('needle')).size === 2);
    await until('it is told', () =>
      troubles.some(({ message }) => message.includes(`${POISON} is left out of the index`)),
    );
    await until('it is level', () => index.backlog() === null);
    assert.equal((await found('poison')).length, 0);
  });

  it('that hold secrets are told, without the secrets, also what subagents did', async () => {
    // Put together here, so that no scanner of repositories takes this file for a leak.
    const token = ['ghp', 'a1B2'.repeat(9)].join('_');
    const t = talk('rog');
    t.tool('Bash', { command: 'env' }, `GH=${token}`);
    await ground.write('rog', at('rog', t), t.text);
    const agent = new Transcript(t.session, 'ab12');
    agent.answer(`it is ${token}`);
    await ground.write('rog', at('rog', t).replace('.jsonl', '/subagents/agent-ab12.jsonl'), agent.text);
    const clean = talk('rog');
    await ground.write('rog', at('rog', clean), clean.text);
    await ground.settle();
    const told = async () => METHODS['history/secrets'].result.parse(await service()['history/secrets']({}, REQUEST));
    await until('both are found', async () => (await told()).sessions[0]?.secrets.length === 2);
    await until('it is complete', async () => (await told()).isComplete);
    const { sessions: found } = await told();
    assert.deepEqual(
      found.map(({ session: one, title, secrets }) => [
        one,
        title,
        secrets.map(({ kind, lines, agent: of }) => [kind, lines, of]),
      ]),
      [
        [
          t.session,
          'find the needle',
          [
            ['github-token', 1, null],
            ['github-token', 1, 'ab12'],
          ],
        ],
      ],
    );
    assert.ok(!JSON.stringify(found).includes(token));
    await ground.hub.engine.actions.forget(t.session);
    await until('it is gone', async () => (await told()).sessions.length === 0);
  });
});
