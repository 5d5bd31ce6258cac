import assert from 'node:assert/strict';
import { connectToHub, type HubClient } from '../../src/client/connect.ts';
import { HubMirror, type HubEnd, type MirrorPart } from '../../src/client/hub-mirror.ts';
import type { Conflict } from '../../src/protocol/conflicts.ts';
import { HubError } from '../../src/protocol/errors.ts';
import type { HubService } from '../../src/protocol/service.ts';
import { privateFolder, sampleStatus, startFakeHub, until } from '../hub/rpc/fake-hub.ts';

const conflict = (id: number): Conflict => ({
  id,
  key: 'CLAUDE.md',
  at: 1,
  status: 'open',
  sides: [],
  strategy: 'manual',
  winner: null,
  resolvedAt: null,
  resolution: null,
});

describe('what a client mirrors of the hub', () => {
  let folder: Awaited<ReturnType<typeof privateFolder>>;
  let hub: Awaited<ReturnType<typeof startFakeHub>> | null = null;
  let mirror: HubMirror;
  let told: MirrorPart[];

  beforeEach(async () => {
    folder = await privateFolder();
    told = [];
    ends.length = 0;
  });
  afterEach(async () => {
    mirror.dispose();
    await hub?.server.close();
    hub = null;
    await folder.remove();
  });

  async function serve(answers: Partial<HubService> = {}): Promise<void> {
    hub = await startFakeHub(folder.path, { 'conflicts/list': async () => ({ conflicts: [] }), ...answers });
  }

  const ends: HubEnd[] = [];

  function open(connect?: () => Promise<HubClient>): void {
    mirror = new HubMirror({
      connect: connect ?? (() => connectToHub(`${folder.path}/hub.sock`)),
      onChange: (part) => told.push(part),
      onEnd: (end) => ends.push(end),
      retryMs: () => [1, 5],
    });
    mirror.start();
  }

  const isRunning = (): boolean => mirror.state.kind === 'running';

  it('is fetched whole when it connects', async () => {
    await serve({ 'conflicts/list': async () => ({ conflicts: [conflict(3)] }) });
    open();
    await until('conflicts are told', () => told.includes('conflicts'));
    assert.ok(isRunning());
    assert.deepEqual(mirror.conflicts, [conflict(3)]);
  });

  it('finds a hub that is started later, and one that was started again', async () => {
    open();
    await until('it says that there is none', () => mirror.state.kind === 'not-running');
    await serve();
    await until('it runs', isRunning);
    await hub?.server.close();
    await until('it is gone', () => mirror.state.kind === 'not-running');
    await serve({ 'conflicts/list': async () => ({ conflicts: [conflict(1)] }) });
    await until('its conflicts are there', () => mirror.conflicts.length === 1);
    assert.ok(isRunning());
  });

  it('keeps what was known when the hub goes, and says that there is none', async () => {
    await serve({ 'conflicts/list': async () => ({ conflicts: [conflict(1)] }) });
    open();
    await until('conflicts are told', () => told.includes('conflicts'));
    await hub?.server.close();
    await until('it is gone', () => mirror.state.kind === 'not-running');
    assert.equal(mirror.conflicts.length, 1);
  });

  it('takes notifications over, and fetches what they name', async () => {
    let open_ = [conflict(1)];
    await serve({ 'conflicts/list': async () => ({ conflicts: open_ }) });
    open();
    await until('conflicts are told', () => told.includes('conflicts'));
    hub?.announcer.tell({ method: 'status/changed', params: { ...sampleStatus(), inSync: false } });
    await until('the status is taken over', () => mirror.state.kind === 'running' && !mirror.state.status.inSync);
    open_ = [];
    hub?.announcer.tell({ method: 'conflicts/changed', params: { open: 0, changed: [conflict(1)] } });
    await until('the conflict is gone', () => mirror.conflicts.length === 0);
  });

  it('ends with the newest when more is told than can be fetched, and fetches little', async () => {
    let asked = 0;
    let release: (() => void)[] = [];
    await serve({
      'conflicts/list': async () => {
        const id = ++asked;
        if (asked > 1) await new Promise<void>((resolve) => release.push(resolve));
        return { conflicts: [conflict(id)] };
      },
    });
    open();
    await until('conflicts are told', () => told.includes('conflicts'));
    for (let n = 0; n < 50; n += 1)
      hub?.announcer.tell({ method: 'conflicts/changed', params: { open: 1, changed: [] } });
    await until('it asks', () => release.length === 1);
    release.shift()?.();
    await until('it asks once more', () => release.length === 1);
    release.shift()?.();
    release = [];
    await until('the newest is there', () => mirror.conflicts[0]?.id === 3);
    assert.equal(asked, 3);
  });

  it('a part that the hub refuses leaves the rest as it is', async () => {
    await serve({ 'conflicts/list': () => Promise.reject(new HubError('unknown-method', 'no such method')) });
    open();
    await until('it runs', isRunning);
    assert.deepEqual(mirror.conflicts, []);
  });

  it('says why a hub cannot be talked to', async () => {
    open(() => Promise.reject(new HubError('protocol-mismatch', 'of another version', { next: 'upgrade' })));
    await until('it is told', () => told.length > 0);
    assert.deepEqual(mirror.state, { kind: 'trouble', message: 'of another version', next: 'upgrade' });
    await assert.rejects(
      mirror.ask(async () => 1),
      { code: 'not-running', message: 'of another version', next: 'upgrade' },
    );
  });

  it('asks through the connection that there is, or makes one first', async () => {
    await serve();
    open();
    assert.equal(await mirror.ask(async (client) => (await client.request('hub/status', {})).hub.pid), 4711);
  });

  it('tells a hub that stopped from one that was lost', async () => {
    await serve();
    open();
    await until('it runs', isRunning);
    hub?.announcer.tell({ method: 'hub/stopping', params: { reason: 'asked to' } });
    await hub?.server.close();
    await until('the end is told', () => ends.length === 1);
    await serve();
    await until('it runs again', isRunning);
    await hub?.server.close();
    await until('the end is told', () => ends.length === 2);
    assert.deepEqual(
      ends.map(({ hello, wasStopping, elsewhere }) => [hello.pid, wasStopping, elsewhere]),
      [
        [process.pid, true, null],
        [process.pid, false, null],
      ],
    );
  });

  it('leaves one hub for another, with nothing of the first and no word of its end', async () => {
    const other = await privateFolder();
    const second = await startFakeHub(other.path, { 'conflicts/list': async () => ({ conflicts: [conflict(2)] }) });
    try {
      await serve({ 'conflicts/list': async () => ({ conflicts: [conflict(1)] }) });
      let place = folder.path;
      open(() => connectToHub(`${place}/hub.sock`));
      await until('the conflict is there', () => mirror.conflicts.length === 1);
      place = other.path;
      const moving = mirror.reconnect();
      assert.deepEqual([mirror.conflicts, mirror.pulls], [[], null]);
      await moving;
      assert.deepEqual(mirror.conflicts, [conflict(2)]);
      assert.deepEqual(ends, []);
    } finally {
      mirror.dispose();
      await second.server.close();
      await other.remove();
    }
  });

  it('tells nothing after it was disposed, also when a connection was just being made', async () => {
    await serve();
    let made: HubClient | null = null;
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    open(async () => {
      await gate;
      return (made = await connectToHub(`${folder.path}/hub.sock`));
    });
    mirror.dispose();
    release();
    let over = false;
    await until('the connection was made', () => made !== null);
    (made as HubClient | null)?.onClose(() => (over = true));
    await until('and ended', () => over);
    assert.deepEqual(told, []);
  });
});
