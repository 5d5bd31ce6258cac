import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileStat } from '../../../src/core/domain.ts';
import type { MachineView } from '../../../src/hub/engine/context.ts';
import { ListedAbsence } from '../../../src/hub/engine/machines/listed-absence.ts';
import type { Replica, Scan } from '../../../src/hub/replica/replica.ts';
import { HubGround, until } from '../hub-ground.ts';
import { ManualClock } from '../store/manual-clock.ts';

const STAT: FileStat = { size: 1, mtimeMs: 0, inode: '1', executable: false };

describe('a folder that was listed', () => {
  let clock: ManualClock;
  let absence: ListedAbsence;
  let listings: string[];
  /** What is there, by folder; `null`: it cannot be listed. */
  let there: Map<string, string[] | null>;
  let machine: MachineView;

  beforeEach(() => {
    clock = new ManualClock();
    absence = new ListedAbsence(clock);
    listings = [];
    there = new Map([['plans', ['plans/stays.md']]]);
    const replica = {
      scan(folder: string): Promise<Scan> {
        listings.push(folder);
        const names = there.get(folder);
        return Promise.resolve({
          files: new Map((names ?? []).map((path) => [path, STAT])),
          unlisted: names === null ? new Map([[folder, 'no']]) : new Map<string, string>(),
          refused: new Map(),
          startedAt: clock.now(),
        });
      },
      look: () => Promise.resolve({ kind: 'unknown', reason: 'no' }),
    } as unknown as Replica;
    machine = { name: 'rog', replica } as unknown as MachineView;
  });

  it('serves all its files that are asked for within a moment, and is listed again afterwards', async () => {
    const due = clock.now();
    for (let n = 0; n < 100; n += 1) assert.equal(await absence.confirms(machine, `plans/${n}.md`, due), true);
    assert.equal(await absence.confirms(machine, 'plans/stays.md', due), false);
    assert.deepEqual(listings, ['plans']);
    clock.advance(501);
    assert.equal(await absence.confirms(machine, 'plans/1.md', due), true);
    assert.deepEqual(listings, ['plans', 'plans']);
  });

  it('does not count for a file whose second look was not due when it began', async () => {
    await absence.confirms(machine, 'plans/a.md', clock.now());
    there.set('plans', ['plans/b.md']);
    clock.advance(10);
    assert.equal(await absence.confirms(machine, 'plans/b.md', clock.now()), false, 'it is there by now');
    assert.equal(listings.length, 2);
  });

  it('says nothing when it could not be listed', async () => {
    there.set('plans', null);
    assert.equal(await absence.confirms(machine, 'plans/a.md', clock.now()), false);
  });
});

describe('a clean-up of many files of one folder', function () {
  this.timeout(60_000);
  let ground: HubGround;
  beforeEach(async () => (ground = await HubGround.open()));
  afterEach(() => ground.close());

  it('lists the folder a few times, not once for each', async () => {
    const paths = Array.from({ length: 80 }, (_, n) => `plans/p${n}.md`);
    for (const path of paths) await ground.write('rog', path, `${path}\n`);
    await ground.write('rog', 'agents/a.md', 'stays\n');
    await ground.settle();
    const link = ground.hub.engine.links.get('mac');
    assert.ok(link);
    let listings = 0;
    const scan = link.replica.scan.bind(link.replica);
    link.replica.scan = (folder, wanted) => {
      if (folder === 'plans') listings += 1;
      return scan(folder, wanted);
    };
    for (const path of paths) await rm(join(ground.claudeDir('mac'), path));
    await until('all are evicted', () => ground.hub.engine.counts(link).evicted === paths.length);
    assert.ok(listings < 20, `${listings} listings of the folder`);
    assert.equal(await ground.text('rog', 'plans/p0.md'), 'plans/p0.md\n');
  });
});
