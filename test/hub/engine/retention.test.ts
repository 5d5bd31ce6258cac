import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../src/hub/ports/system.ts';
import { examine } from '../../../src/hub/doctor.ts';
import { lastRetention } from '../../../src/hub/engine/upkeep/retention.ts';
import type { VersionRow } from '../../../src/hub/store/store.ts';
import { HubGround, until } from '../hub-ground.ts';

const DAY_MS = 86_400_000;
const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('retention of versions', function () {
  this.timeout(60_000);
  let ground: HubGround;
  afterEach(() => ground.close());

  async function open(versions: object = {}): Promise<void> {
    ground = await HubGround.open({ config: { versions } });
  }

  /** Keeps a content as if that had been `daysAgo`. */
  async function keep(key: string, text: string, daysAgo: number, more: Partial<VersionRow> = {}): Promise<string> {
    async function* content(): AsyncGenerator<Buffer> {
      yield Buffer.from(text);
    }
    const { archive, store } = ground.hub;
    const kept = await archive.keep(content());
    const at = ground.clock.now() - daysAgo * DAY_MS;
    const row = {
      key,
      machine: 'mac',
      at,
      ...kept,
      reason: 'overwritten',
      executable: false,
      mtimeMs: at,
      ...more,
    } as const;
    store.versions.add(row);
    return kept.sha256;
  }

  /** A key whose head is `text` everywhere. */
  async function current(path: string, text: string): Promise<void> {
    await ground.write('rog', path, text);
    await ground.settle();
  }

  /** Lets the hub come to its next retention, and waits for it. */
  async function turn(ms = DAY_MS): Promise<void> {
    const before = lastRetention(ground.hub.store)?.at ?? 0;
    ground.clock.jump(ms);
    await until('a retention was done', () => (lastRetention(ground.hub.store)?.at ?? 0) > before);
  }

  async function files(): Promise<string[]> {
    const found = await readdir(join(ground.dataDir, 'versions'), { recursive: true });
    return found.filter((name) => name.endsWith('.zst')).map((name) => name.slice(3, -4));
  }

  const versionsOf = (key: string): string[] => ground.hub.store.versions.list(key).map(({ sha256 }) => sha256);

  it('removes what is older than keepDays, with its file, and nothing younger', async () => {
    await open({ keepDays: 10 });
    await current('agents/a.md', 'now\n');
    await keep('agents/a.md', 'old\n', 11);
    const young = await keep('agents/a.md', 'young\n', 9);
    await turn(61_000);
    assert.deepEqual(versionsOf('agents/a.md'), [young]);
    assert.deepEqual(await files(), [young]);
    const logged = ground.hub.store.syncLog.recent(50).find(({ action }) => action === 'prune');
    assert.match(logged?.detail ?? '', /^1 versions older than 10 days, 1 contents$/);
    assert.deepEqual(
      ground.findings().filter(({ id }) => id === 'versions-limit'),
      [],
    );
    await turn(2 * DAY_MS);
    assert.deepEqual([versionsOf('agents/a.md'), await files()], [[], []], 'the next day removes what became old');
  });

  it('keeps 90 days by default', async () => {
    await open();
    await current('agents/a.md', 'now\n');
    await keep('agents/a.md', 'old\n', 91);
    const young = await keep('agents/a.md', 'young\n', 88);
    await turn(61_000);
    assert.deepEqual(versionsOf('agents/a.md'), [young]);
  });

  it('keeps a content for as long as one version names it', async () => {
    await open({ keepDays: 10 });
    await current('agents/a.md', 'now\n');
    await current('agents/b.md', 'now too\n');
    await keep('agents/a.md', 'same\n', 20);
    const same = await keep('agents/b.md', 'same\n', 1);
    await turn();
    assert.deepEqual([versionsOf('agents/a.md'), versionsOf('agents/b.md')], [[], [same]]);
    assert.deepEqual(await files(), [same]);
  });

  it('never removes the only copy of a key, however old and however much it is', async () => {
    await open({ keepDays: 10, maxBytes: 1 });
    await keep('agents/gone.md', 'earlier\n', 200);
    const last = await keep('agents/gone.md', 'last\n', 100, { reason: 'deleted' });
    await turn();
    assert.deepEqual(versionsOf('agents/gone.md'), [last]);
    assert.deepEqual(await files(), [last]);
    const [alert] = ground.findings().filter(({ id }) => id === 'versions-limit');
    assert.match(alert?.message ?? '', /must be kept take 5 bytes/);
  });

  it('never removes what is current, what a machine was last level with, and what a conflict or a stopped machine is about', async () => {
    await open({ keepDays: 10, maxBytes: 1 });
    await current('agents/a.md', 'now\n');
    const { store } = ground.hub;
    const isHead = await keep('agents/a.md', 'now\n', 100);
    const isBase = await keep('agents/a.md', 'base\n', 100);
    const pair = store.pairs.get('mac', 'agents/a.md');
    assert.ok(pair?.base);
    store.pairs.put({ ...pair, base: { ...pair.base, hash: isBase } });
    const side = await keep('agents/a.md', 'side\n', 100);
    const conflict = store.conflicts.add({
      key: 'agents/a.md',
      at: 0,
      status: 'open',
      baseSha256: null,
      sides: [{ machine: 'mac', sha256: side, bytes: 5, mtimeMs: 0 }],
      strategy: 'manual',
      winner: null,
      resolvedAt: null,
      resolution: null,
    });
    const stopped = await keep('agents/a.md', 'stopped\n', 100, { machine: 'elsewhere', reason: 'quarantined' });
    const row = store.machines.get('mac');
    assert.ok(row);
    store.machines.put({ ...row, name: 'elsewhere', quarantine: 'stopped' });
    await keep('agents/a.md', 'nobody needs it\n', 100);
    // Nothing moves meanwhile: what the test says about the machine stays.
    for (const link of ground.hub.engine.links.values()) link.setPaused(true);
    await turn();
    assert.deepEqual(versionsOf('agents/a.md').sort(), [isHead, isBase, side, stopped].sort());

    store.conflicts.update({ ...conflict, status: 'resolved', resolvedAt: 0 });
    store.machines.put({ ...row, name: 'elsewhere', quarantine: null });
    store.pairs.put({ ...pair });
    await turn();
    assert.deepEqual(versionsOf('agents/a.md'), [isHead]);
    assert.deepEqual(await files(), [isHead]);
  });

  it('removes younger ones only when all are over maxBytes, the oldest first, and says so', async () => {
    await open({ keepDays: 10, maxBytes: 25 });
    await current('agents/a.md', 'now\n');
    await keep('agents/a.md', '0123456789', 3);
    const second = await keep('agents/a.md', '1123456789', 2);
    const third = await keep('agents/a.md', '2123456789', 1);
    await turn(61_000);
    assert.deepEqual(versionsOf('agents/a.md'), [third, second]);
    const [alert] = ground.findings().filter(({ id }) => id === 'versions-limit');
    assert.match(alert?.message ?? '', /^1 versions younger than 10 days were removed/);
    const finding = (await examine(ground.hub, ground.dataDir, systemClock)).find(({ check }) => check === 'versions');
    assert.equal(finding?.severity, 'warning');
    await turn();
    assert.deepEqual(
      ground.findings().filter(({ id }) => id === 'versions-limit'),
      [],
      'said until a clean-up keeps to both limits',
    );
  });

  it('leaves a content alone that is kept again while it is being removed', async () => {
    await open({ keepDays: 10 });
    await current('agents/a.md', 'now\n');
    const old = await keep('agents/a.md', 'old\n', 20);
    const { archive } = ground.hub;
    const contents = archive.contents.bind(archive);
    archive.contents = async function* () {
      // Its row is gone, its file is about to go.
      await keep('agents/b.md', 'old\n', 0);
      yield* contents();
    };
    await turn();
    assert.deepEqual(versionsOf('agents/a.md'), []);
    assert.deepEqual(await files(), [old]);
  });

  it('takes away the files that a crash left without a row, and those only', async () => {
    await open();
    await current('agents/a.md', 'now\n');
    const kept = await keep('agents/a.md', 'kept\n', 1);
    await keep('agents/a.md', 'left over\n', 1);
    ground.hub.store.versions.delete('agents/a.md', 2);
    assert.equal((await files()).length, 2);
    await turn(61_000);
    assert.deepEqual(await files(), [kept]);
    assert.equal(sha('kept\n'), kept);
  });
});
