import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, statSync, utimesSync, writeSync } from 'node:fs';
import { appendFile, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { folderName } from '../../../src/core/projects/folder-name.ts';
import { systemClock } from '../../../src/hub/ports/system.ts';
import { examine } from '../../../src/hub/doctor.ts';
import { COMPARE_EVERY_MS, lastComparison, type ComparisonReport } from '../../../src/hub/engine/upkeep/comparison.ts';
import { Pace } from '../../../src/hub/engine/upkeep/pace.ts';
import { HubGround, until } from '../hub-ground.ts';
import { ManualClock } from '../store/manual-clock.ts';

describe('comparison of all contents', function () {
  this.timeout(60_000);
  let ground: HubGround;
  beforeEach(async () => (ground = await HubGround.open()));
  afterEach(() => ground.close());

  /** Lets the hub come to its next comparison. @returns what it found. */
  async function compare(): Promise<ComparisonReport> {
    const before = lastComparison(ground.hub.store)?.endedAt ?? 0;
    ground.clock.jump(COMPARE_EVERY_MS);
    await until('a comparison was done', () => (lastComparison(ground.hub.store)?.endedAt ?? 0) > before);
    await ground.settle();
    const report = lastComparison(ground.hub.store);
    assert.ok(report);
    return report;
  }

  /** Overwrites bytes of a file without a trace in its size and its time; in one turn, so that no look of the hub comes in between. */
  function tamper(file: string, at: number, bytes: string): void {
    const before = statSync(file);
    const handle = openSync(file, 'r+');
    writeSync(handle, bytes, at);
    closeSync(handle);
    utimesSync(file, before.atimeMs / 1000, before.mtimeMs / 1000);
    assert.equal(statSync(file).mtimeMs, before.mtimeMs, 'the time is what it was');
  }

  const archived = (key: string): string => join(ground.dataDir, 'archive', key);
  const copy = (machine: string, path: string): string => join(ground.claudeDir(machine), path);
  // A clock that is put forward makes those of the folders look wrong.
  const alerts = (): string[] =>
    ground
      .findings()
      .map(({ id }) => id)
      .filter((id) => !id.startsWith('clock/'));

  interface Conversation {
    readonly key: string;
    readonly text: string;
    readonly path: (machine: string) => string;
    readonly line: (n: number) => string;
  }

  /** A conversation of so many lines of about a kilobyte. */
  async function converse(lines: number): Promise<Conversation> {
    const session = randomUUID();
    const cwd = (machine: string): string => join(ground.root, machine, 'app');
    const line = (n: number): string =>
      `${JSON.stringify({ uuid: randomUUID().replace(/^.{8}/, String(n).padStart(8, '0')), sessionId: session, cwd: cwd('rog'), type: 'user', text: `${n} ${'x'.repeat(1000)}` })}\n`;
    const text = Array.from({ length: lines }, (_, n) => line(n)).join('');
    const path = (machine: string): string => `projects/${folderName(cwd(machine))}/${session}.jsonl`;
    await ground.write('rog', path('rog'), text);
    await ground.settle();
    return { key: `session/${session}`, text, path, line };
  }

  it('finds nothing where nothing is wrong, and changes nothing', async () => {
    const { key, text, path } = await converse(20);
    await ground.write('rog', 'agents/a.md', 'text\n');
    const entry = {
      display: 'hello',
      pastedContents: {},
      timestamp: 1,
      project: join(ground.root, 'rog', 'app'),
      sessionId: randomUUID(),
    };
    await ground.write('rog', 'history.jsonl', `${JSON.stringify(entry)}\n`);
    await ground.settle();
    const report = await compare();
    // The lines of the prompt history lie in one file for each origin; the copies differ from machine to machine.
    assert.deepEqual([report.heads, report.copies, report.silent, report.healed, report.damaged], [3, 4, 0, 0, 0]);
    assert.equal(await ground.text('mac', path('mac')), text);
    assert.equal(ground.hub.store.heads.segments(key)?.bytes, text.length);
    assert.deepEqual(alerts(), []);
    const found = (await examine(ground.hub, ground.dataDir, systemClock)).find(({ check }) => check === 'contents');
    assert.match(found?.message ?? '', /^3 files of the hub and 4 copies were compared/);
  });

  it('a conversation whose archive file was cut by hand is mended as soon as it goes on, and no hole is made', async () => {
    const { key, text, path, line } = await converse(20);
    const more = line(20);
    await truncate(archived(`${key}.jsonl`), 100);
    await appendFile(copy('rog', path('rog')), more);
    await ground.settle();
    await until('it is whole again', async () => (await readFile(archived(`${key}.jsonl`), 'utf8')) === text + more);
    await ground.settle();
    assert.equal(await ground.text('mac', path('mac')), text + more);
    assert.deepEqual(alerts(), []);
  });

  it('takes a document that changed without a sign as a change of that machine', async () => {
    await ground.write('rog', 'agents/a.md', 'text\n');
    await ground.settle();
    tamper(copy('mac', 'agents/a.md'), 0, 'next');
    await ground.settle();
    assert.equal(await ground.text('rog', 'agents/a.md'), 'text\n', 'nobody saw it');
    assert.equal((await compare()).silent, 1);
    assert.equal(await ground.text('rog', 'agents/a.md'), 'next\n');
    assert.equal(ground.hub.store.versions.list('agents/a.md').length, 1, 'what it was is kept');
  });

  it('keeps both lines where a conversation changed without a sign', async () => {
    const { text, path, line } = await converse(20);
    tamper(copy('mac', path('mac')), line(0).length + 200, 'changed');
    assert.equal((await compare()).silent, 1);
    await until('both are in it', async () => {
      const now = await ground.text('rog', path('rog'));
      return now.startsWith(text) && now.slice(text.length).includes('changed');
    });
    await ground.settle();
    assert.equal(await ground.text('mac', path('mac')), await ground.text('rog', path('rog')));
  });

  it('mends a document of the archive from a machine, and passes nothing of the damage on', async () => {
    await ground.write('rog', 'agents/a.md', 'text\n');
    await ground.settle();
    tamper(archived('agents/a.md'), 0, 'rots');
    const report = await compare();
    assert.deepEqual([report.silent, report.healed, report.damaged], [0, 1, 0]);
    assert.equal(await readFile(archived('agents/a.md'), 'utf8'), 'text\n');
    for (const name of ['rog', 'mac']) assert.equal(await ground.text(name, 'agents/a.md'), 'text\n');
    assert.deepEqual(alerts(), ['mended']);
    await compare();
    assert.deepEqual(alerts(), [], 'said until the next comparison finds nothing');
  });

  it('mends files of the archive that are gone or short', async () => {
    const { key, text } = await converse(20);
    await ground.write('rog', 'agents/a.md', 'text\n');
    await ground.write('rog', 'agents/b.md', 'text too\n');
    await ground.settle();
    await compare();
    await rm(archived('agents/a.md'));
    await truncate(archived('agents/b.md'), 2);
    await truncate(archived(`${key}.jsonl`), 300);
    const report = await compare();
    assert.deepEqual([report.silent, report.healed, report.damaged], [0, 3, 0]);
    assert.equal(await readFile(archived('agents/a.md'), 'utf8'), 'text\n');
    assert.equal(await readFile(archived('agents/b.md'), 'utf8'), 'text too\n');
    assert.equal(await readFile(archived(`${key}.jsonl`), 'utf8'), text);
  });

  it('says nothing more of a document that nobody could mend once it has new content', async () => {
    await ground.write('rog', 'agents/a.md', 'text\n');
    await ground.settle();
    for (const link of ground.hub.engine.links.values()) link.setPaused(true);
    tamper(archived('agents/a.md'), 0, 'rots');
    ground.clock.jump(COMPARE_EVERY_MS);
    await until('it was found', () => alerts().includes('damaged/agents/a.md'));
    await ground.write('rog', 'agents/a.md', 'new\n');
    for (const link of ground.hub.engine.links.values()) link.setPaused(false);
    await ground.settle();
    assert.equal(await ground.text('mac', 'agents/a.md'), 'new\n');
    assert.deepEqual(alerts(), []);
  });

  it('mends only the damaged part of a long conversation, which goes on meanwhile', async () => {
    const { key, text, path, line } = await converse(5_000);
    await compare();
    const more = line(5_000);
    await ground.write('rog', path('rog'), text + more);
    await ground.settle();
    tamper(archived(`${key}.jsonl`), 4_500_000, 'rotten');
    tamper(archived(`${key}.jsonl`), 300, 'rotten');
    const report = await compare();
    assert.deepEqual([report.silent, report.healed, report.damaged], [0, 1, 0]);
    assert.ok((await readFile(archived(`${key}.jsonl`), 'utf8')) === text + more, 'it is what it was');
    for (const name of ['rog', 'mac']) assert.ok((await ground.text(name, path(name))) === text + more, name);
    assert.equal(ground.hub.store.heads.segments(key)?.bytes, text.length + more.length);
  });

  it('holds a conversation back that nobody can mend, also after a restart, and mends it when somebody can', async () => {
    const { key, text, path, line } = await converse(20);
    await compare();
    for (const link of ground.hub.engine.links.values()) link.setPaused(true);
    tamper(archived(`${key}.jsonl`), 300, 'rotten');
    ground.clock.jump(COMPARE_EVERY_MS);
    await until('it was found', () => alerts().includes(`damaged/${key}`));
    await ground.hub.close();
    await ground.boot();
    assert.ok(alerts().includes(`damaged/${key}`));
    // A machine that wants it all again gets nothing.
    const mac = ground.hub.engine.links.get('mac');
    ground.hub.store.pairs.delete('mac', key);
    await ground.write('rog', path('rog'), text + line(20));
    for (const link of ground.hub.engine.links.values()) link.setPaused(false);
    await until('it is held back', () => mac !== undefined && ground.hub.engine.counts(mac).held > 0);
    assert.ok(!(await ground.text('mac', path('mac'))).includes('rotten'));

    await compare();
    await until('it goes on', async () => (await ground.text('mac', path('mac'))).length > text.length);
    assert.ok((await readFile(archived(`${key}.jsonl`), 'utf8')).startsWith(text));
    assert.deepEqual(alerts(), ['mended']);
  });

  it('brings no damaged conversation to a machine that has nothing yet', async () => {
    const { key, text, path } = await converse(20);
    await compare();
    for (const link of ground.hub.engine.links.values()) link.setPaused(true);
    tamper(archived(`${key}.jsonl`), 300, 'rotten');
    ground.clock.jump(COMPARE_EVERY_MS);
    await until('it was found', () => alerts().includes(`damaged/${key}`));
    // Its folder is new: everything is brought there together.
    await ground.hub.close();
    await rm(ground.claudeDir('mac'), { recursive: true });
    await ground.write('mac', 'agents/new.md', 'new\n');
    await ground.boot();
    const mac = ground.hub.engine.links.get('mac');
    assert.ok(mac);
    mac.setPaused(false);
    await until('it is stopped as another folder', () => mac.quarantine !== null);
    mac.release('refill');
    for (const pair of [...ground.hub.store.pairs.ofMachine('mac')]) ground.hub.store.pairs.delete('mac', pair.key);
    await until('it is held back there', () => ground.hub.engine.counts(mac).held > 0);
    await assert.rejects(ground.text('mac', path('mac')), /ENOENT/);
    const rog = ground.hub.engine.links.get('rog');
    rog?.setPaused(false);
    await ground.settle();
    await compare();
    await ground.settle();
    assert.equal(await ground.text('mac', path('mac')), text);
  });

  it('leaves off when the hub stops', async () => {
    await converse(20_000);
    ground.clock.jump(COMPARE_EVERY_MS);
    await ground.hub.close();
    assert.equal(lastComparison(ground.hub.store), null, 'what was not read to its end is not called compared');
    await ground.boot();
    await ground.settle();
    assert.deepEqual(ground.troubles, []);
  });
});

describe('reading in the background', () => {
  it('waits for as long as there is work, and takes the time that its bytes may take', async () => {
    const clock = new ManualClock();
    let busy = true;
    const pace = new Pace({ clock, turn: { stopped: () => false }, bytesPerSecond: 1_000_000, isBusy: () => busy });
    let isDone = false;
    const spending = pace.spend(2_000_000).then(() => (isDone = true));
    const turns = async (): Promise<void> => {
      for (let n = 0; n < 20; n += 1) await Promise.resolve();
    };
    clock.advance(1_999);
    await turns();
    assert.equal(clock.armed, 1, 'its own bytes first');
    clock.advance(1);
    for (let n = 0; n < 100; n += 1) {
      await turns();
      clock.advance(250);
    }
    assert.equal(isDone, false, 'there is work');
    busy = false;
    await turns();
    clock.advance(250);
    await spending;
  });
});
