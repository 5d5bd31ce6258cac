import assert from 'node:assert/strict';
import { FileSystemError } from '../../src/hub/ports/file-system.ts';
import { HubProcess } from './hub-process.ts';
import { createMemoryFileSystem } from './memory-file-system.ts';
import { Prng } from './prng.ts';
import { Scheduler } from './scheduler.ts';
import { Link } from './transport.ts';
import { Volume } from './volume.ts';

interface Setup {
  readonly scheduler: Scheduler;
  readonly volume: Volume;
  readonly link: Link;
  readonly fs: ReturnType<typeof createMemoryFileSystem>;
}

/** A remote disk with a connection. */
async function connected(seed: number): Promise<Setup> {
  const scheduler = new Scheduler();
  const volume = new Volume({ now: () => scheduler.now });
  const link = new Link({ scheduler, prng: new Prng(seed), label: 'rog', kind: 'remote', delayMs: 10 });
  await during(scheduler, link.connect());
  return { scheduler, volume, link, fs: createMemoryFileSystem(volume, '', link.execute) };
}

/** Runs virtual time until `promise` settles. */
async function during<T>(scheduler: Scheduler, promise: Promise<T>): Promise<T> {
  let done = false;
  const settled = promise.then(
    () => (done = true),
    () => (done = true),
  );
  await scheduler.run(scheduler.now + 60_000, () => done);
  assert.ok(done, 'settles within a virtual minute');
  await settled;
  return promise;
}

describe('the transport of the simulation', () => {
  it('executes requests in the order in which they were made, without waiting for each answer', async () => {
    const { scheduler, volume, fs } = await connected(1);
    const file = await during(scheduler, fs.open('log', 'create'));
    await during(scheduler, Promise.all(Array.from({ length: 20 }, (_, i) => file.write(Buffer.from(`${i},`)))));
    assert.equal(volume.contentOf('log')?.toString(), Array.from({ length: 20 }, (_, i) => `${i},`).join(''));
  });

  it('sends what is asked in one go mostly in one packet, and lets nothing but an ambush in between', async () => {
    const { scheduler, volume, fs } = await connected(1);
    const file = await during(scheduler, fs.open('log', 'create'));
    const before = scheduler.events;
    const asked = Array.from({ length: 40 }, () => file.write(Buffer.from('x')));
    await during(scheduler, Promise.all(asked));
    const events = scheduler.events - before;
    assert.equal(volume.contentOf('log')?.length, 40);
    assert.ok(events >= 2 && events < 40, `${events} events for 40 requests`);
  });

  it('after a cut tells of an unknown outcome: done, never done, or done after the next connection', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const { scheduler, volume, link, fs } = await connected(seed);
      const made = fs.makeFolder('x');
      made.catch(() => undefined);
      await scheduler.run(scheduler.now + (seed % 15));
      link.cut();
      await assert.rejects(during(scheduler, fs.lstat('x')), (error) => FileSystemError.is(error, 'disconnected'));
      let told = '';
      await during(scheduler, made).then(
        () => (told = 'answered'),
        (error: unknown) => (told = FileSystemError.is(error, 'disconnected') ? 'unknown' : 'wrong'),
      );
      link.restore();
      await during(scheduler, link.connect());
      const atReconnect = volume.find('x') !== null;
      await scheduler.run(scheduler.now + 60_000);
      outcomes.add(`${told} ${atReconnect ? 'done' : volume.find('x') ? 'done late' : 'never done'}`);
    }
    assert.deepEqual([...outcomes].sort(), [
      'answered done',
      'unknown done',
      'unknown done late',
      'unknown never done',
    ]);
  });

  it('refuses connections while the network is down', async () => {
    const { scheduler, link } = await connected(3);
    link.cut();
    await assert.rejects(during(scheduler, link.connect()), (error) => FileSystemError.is(error, 'disconnected'));
    link.restore();
    await during(scheduler, link.connect());
    assert.ok(link.connected);
  });

  it('answers after a stall, and late', async () => {
    const { scheduler, link, fs } = await connected(4);
    link.stall(5000);
    const start = scheduler.now;
    await during(scheduler, fs.lstat(''));
    assert.ok(scheduler.now - start >= 5000);
  });

  it('never answers a hub that has died, whose last writes are done or not done', async () => {
    const written = new Set<boolean>();
    for (let seed = 0; seed < 30; seed++) {
      const scheduler = new Scheduler();
      const volume = new Volume({ now: () => scheduler.now });
      const hub = new HubProcess({ scheduler, prng: new Prng(seed), volume, life: 1 });
      let heard = false;
      void hub.disk.makeFolder('x').then(() => (heard = true));
      hub.clock.after(10, () => (heard = true));
      hub.die();
      await scheduler.run(scheduler.now + 60_000);
      assert.equal(heard, false);
      written.add(volume.find('x') !== null);
    }
    assert.deepEqual([...written].sort(), [false, true]);
  });
});
