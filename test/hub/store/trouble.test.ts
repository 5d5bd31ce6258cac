import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Database from 'better-sqlite3';
import { openStore, openStoreInline, openStoreOn } from '../../../src/hub/store/open-store.ts';
import { SEQUENCE_BLOCK } from '../../../src/hub/store/sequence.ts';
import { StoreDamaged, StoreFromNewerVersion, StoreUnopenable } from '../../../src/hub/store/store-errors.ts';
import { GROUP_COMMIT_MS, StoreUnwritable } from '../../../src/hub/store/store.ts';
import { ManualClock } from './manual-clock.ts';
import { dump, head, inFolder, version } from './samples.ts';

/** Waits until `holds`, looking again after every turn of the event loop; mocha's timeout ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('store in trouble', () => {
  for (const driver of ['inline', 'thread'] as const) {
    it(`keeps the writes when the disk is full, and writes them when there is space again (${driver})`, function () {
      const mount = smallDisk();
      if (mount === null) {
        console.log('      skipped: mounting a small tmpfs needs root');
        return this.skip();
      }
      return inFolder(async (folder) => {
        mount(folder);
        try {
          const clock = new ManualClock();
          const troubles: Error[] = [];
          const path = join(folder, 'sync.db');
          const store = await openStore({ path, clock, driver, onTrouble: (error) => troubles.push(error) });
          store.heads.put(head('before', 1));
          await store.flush({ durable: true });
          const filler = await open(join(folder, 'filler'), 'w');
          await assert.rejects(async () => {
            for (;;) await filler.appendFile(Buffer.alloc(4096));
          }, /ENOSPC/);
          await filler.close();

          for (let n = 0; n < 3000; n++) {
            store.heads.put(head(`session/${n}`, n + 2));
            store.versions.add(version('a', `content ${n}`));
          }
          await assert.rejects(
            store.flush(),
            (error) => error instanceof StoreUnwritable && /full/.test(error.message),
          );
          store.heads.put(head('session/0', 9000));
          clock.advance(2000);
          await until(() => troubles.length > 0);
          clock.advance(10_000);
          await assert.rejects(store.flush({ durable: true }), StoreUnwritable);
          assert.equal(troubles.length, 1, 'told once');

          await rm(join(folder, 'filler'));
          await store.flush({ durable: true });
          const memory = dump(store, []);
          await store.close();
          const again = openStoreInline({ path, clock });
          assert.deepEqual(dump(again, []), memory);
          assert.equal(again.heads.count, 3001);
          assert.equal(again.heads.get('session/0')?.seq, 9000);
          await again.close();
        } finally {
          execFileSync('umount', ['-l', folder]);
        }
      });
    });
  }

  it('tries again by itself after another program held the database', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'sync.db');
      const clock = new ManualClock();
      const troubles: Error[] = [];
      const store = openStoreInline({ path, clock, onTrouble: (error) => troubles.push(error) });
      const other = new Database(path);
      other.exec('BEGIN IMMEDIATE');
      store.heads.put(head('a', 1));
      clock.advance(GROUP_COMMIT_MS);
      await until(() => troubles.length > 0);
      assert.match(String(troubles[0]), /another program holds a lock/);
      other.exec('ROLLBACK');
      clock.advance(1000);
      assert.equal(other.prepare('SELECT count(*) FROM heads').pluck().get(), 1);
      other.close();
      await store.close();
    }));

  it('goes on with a new writer thread when the old one dies', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'sync.db');
      const mark = join(folder, 'died-once');
      const entry = join(folder, 'dying-writer.mjs');
      const real = new URL('../../../src/hub/store/writer-thread.ts', import.meta.url);
      // Dies at its first start, then is the real one.
      await writeFile(
        entry,
        `import { existsSync, writeFileSync } from 'node:fs';
         if (!existsSync(${JSON.stringify(mark)})) { writeFileSync(${JSON.stringify(mark)}, ''); process.exit(3); }
         await import(${JSON.stringify(real.href)});`,
      );
      const store = await openStore({ path, clock: new ManualClock(), workerUrl: pathToFileURL(entry) });
      store.heads.put(head('a', 1));
      await assert.rejects(store.flush(), /ended with code 3/);
      await store.flush();
      const reader = new Database(path, { readonly: true });
      assert.equal(reader.prepare('SELECT count(*) FROM heads').pluck().get(), 1);
      reader.close();
      await store.close();
    }));

  it('says what is unchanged and what to do when the file is not a database', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'sync.db');
      await writeFile(path, 'not a database, but long enough to look like one '.repeat(100));
      const before = await readFile(path);
      await assert.rejects(
        openStore({ path, clock: new ManualClock() }),
        (error) =>
          error instanceof StoreDamaged &&
          /archive and all machines are unchanged.*Move .*sync\.db away/.test(error.message),
      );
      assert.deepEqual(await readFile(path), before);
    }));

  it('notices damage in the middle of a database that was not closed', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'sync.db');
      const store = openStoreInline({ path, clock: new ManualClock() });
      for (let n = 0; n < 2000; n++) store.versions.add(version(`k${n}`, `content ${n}`));
      await store.flush();
      store.abandon();
      const checkpoint = new Database(path);
      checkpoint.pragma('wal_checkpoint(TRUNCATE)');
      const size = (await readFile(path)).length;
      const file = await open(path, 'r+');
      await file.write(Buffer.alloc(32_768, 0xa5), 0, 32_768, Math.floor(size / 2 / 4096) * 4096);
      await file.close();
      checkpoint.close();
      await assert.rejects(openStore({ path, clock: new ManualClock() }), StoreDamaged);
    }));

  it('leaves a database of a newer version alone', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'sync.db');
      const newer = new Database(path);
      newer.pragma('user_version = 99');
      newer.close();
      await assert.rejects(openStore({ path, clock: new ManualClock() }), StoreFromNewerVersion);
    }));

  it('says why a database cannot be opened', () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'file'), '');
      await assert.rejects(
        openStore({ path: join(folder, 'file', 'sync.db'), clock: new ManualClock() }),
        StoreUnopenable,
      );
    }));

  it('refuses writes after it was closed', async () => {
    const store = openStoreInline({ path: ':memory:', clock: new ManualClock() });
    await store.close();
    assert.throws(() => store.heads.put(head('a', 1)), /closed/);
    assert.throws(() => store.nextSeq(), StoreUnwritable);
    await store.close();
  });
});

describe('sequence numbers', () => {
  it('are never given twice, whether the store was closed or crashed', async () => {
    const db = new Database(':memory:');
    let last = 0;
    for (let round = 0; round < 6; round++) {
      const store = openStoreOn(db, { clock: new ManualClock() });
      const count = round === 2 ? SEQUENCE_BLOCK * 3 : 10;
      for (let n = 0; n < count; n++) {
        const seq = store.nextSeq();
        assert.ok(seq > last);
        last = seq;
        if (n % 20_000 === 0) await store.flush();
      }
      if (round % 2 === 0) store.abandon();
      else await store.close();
    }
  });

  it('go on without a gap after a clean close', async () => {
    const db = new Database(':memory:');
    const store = openStoreOn(db, { clock: new ManualClock() });
    assert.deepEqual([store.nextSeq(), store.nextSeq()], [1, 2]);
    await store.close();
    assert.equal(openStoreOn(db, { clock: new ManualClock() }).nextSeq(), 3);
  });

  it('stop rather than repeat when nothing could be reserved', () => {
    const store = openStoreOn(new Database(':memory:'), { clock: new ManualClock() });
    for (let n = 0; n < SEQUENCE_BLOCK; n++) store.nextSeq();
    assert.throws(() => store.nextSeq(), StoreUnwritable);
  });
});

/** Makes a folder a disk of 4 MB, or `null` where that is not allowed. */
function smallDisk(): ((folder: string) => void) | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
  return (folder) => void execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]);
}
