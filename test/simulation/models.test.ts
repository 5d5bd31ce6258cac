import assert from 'node:assert/strict';
import { SimulatedMachine } from './machine.ts';
import { ClaudeCli } from './models/claude-cli.ts';
import { Editor } from './models/editor.ts';
import { Mishaps } from './models/mishaps.ts';
import { readRecord } from './models/records.ts';
import { Ledger, splitLines } from './oracle/ledger.ts';
import { Prng } from './prng.ts';
import { Scheduler } from './scheduler.ts';

function household(seed: number): {
  scheduler: Scheduler;
  machine: SimulatedMachine;
  ledger: Ledger;
  context: ConstructorParameters<typeof ClaudeCli>[0];
} {
  const scheduler = new Scheduler();
  const machine = new SimulatedMachine(
    {
      name: 'rog',
      os: 'linux',
      home: '/home/rog',
      kind: 'local',
      delayMs: 0,
      skewMs: 0,
      watching: 'events',
      noHardLinks: false,
      coarseTimes: false,
    },
    scheduler,
    new Prng(seed),
    { around: () => undefined, onConnected: () => undefined },
  );
  const ledger = new Ledger(() => scheduler.now);
  return { scheduler, machine, ledger, context: { scheduler, machine, ledger, prng: new Prng(seed) } };
}

const SESSION = '0b0b0b0b-1111-4222-a333-444444444444';
const FILE = `projects/-home-rog-code-app/${SESSION}.jsonl`;

describe('the CLI of the simulation', () => {
  it('writes records that parse, each after its parent, and tells the ledger of each', async () => {
    const { scheduler, machine, ledger, context } = household(1);
    const cli = new ClaudeCli(context, SESSION, 'code/app');
    assert.equal(machine.content(FILE), null, 'nothing is written before the first prompt');
    for (let i = 0; i < 10; i++) {
      cli.turn();
      await scheduler.run(scheduler.now + 20_000);
    }
    const { whole, torn } = splitLines(machine.content(FILE) ?? Buffer.alloc(0));
    assert.equal(torn, '');
    assert.ok(whole.length >= 20);
    const seen = new Set<unknown>([null]);
    for (const text of whole) {
      const record = readRecord(text);
      assert.ok(record, text);
      assert.ok(ledger.knows(`session/${SESSION}`, text));
      if (record.uuid === undefined) continue;
      assert.ok(seen.has(record.parentUuid), 'the parent is above');
      seen.add(record.uuid);
    }
    assert.deepEqual(machine.files('sessions'), ['sessions/4000.json']);
    cli.exit();
    assert.deepEqual(machine.files('sessions'), []);
  });

  it('closes a torn line with a newline first when a killed session is resumed', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const { scheduler, machine, context } = household(seed);
      const cli = new ClaudeCli(context, SESSION, 'code/app');
      cli.turn();
      await scheduler.run(scheduler.now + 20_000);
      cli.kill();
      const before = machine.content(FILE) as Buffer;
      if (before.at(-1) === 0x0a) continue;
      const resumed = ClaudeCli.resume(context, SESSION, 'code/app');
      assert.ok(resumed);
      resumed.turn();
      await scheduler.run(scheduler.now + 20_000);
      const after = machine.content(FILE) as Buffer;
      assert.equal(after.toString('latin1', before.length, before.length + 2), '\n{');
      assert.equal(splitLines(after).torn, '');
      return;
    }
    assert.fail('no seed tears a line');
  });

  it('withdraws the last message in place and moves with its sidecars', async () => {
    const { scheduler, machine, context } = household(5);
    const cli = new ClaudeCli(context, SESSION, 'code/app');
    for (let i = 0; i < 6; i++) {
      cli.turn();
      await scheduler.run(scheduler.now + 20_000);
    }
    cli.sidecar();
    await scheduler.run(scheduler.now + 20_000);
    const inode = machine.volume.find(machine.at(FILE));
    const size = inode?.size ?? 0;
    cli.withdraw();
    assert.ok((inode?.size ?? 0) < size, 'shorter, and the same inode');
    cli.changeFolder('work/site');
    assert.equal(machine.content(FILE), null);
    const moved = machine.files('projects');
    assert.ok(moved.length > 1);
    assert.ok(moved.every((path) => path.startsWith('projects/-home-rog-work-site/')));
  });

  it('sweeps what nobody touched, but no live session', async () => {
    const { scheduler, machine, ledger, context } = household(6);
    const cli = new ClaudeCli(context, SESSION, 'code/app');
    cli.turn();
    await scheduler.run(scheduler.now + 60_000);
    const mishaps = new Mishaps(context, ['code/app']);
    assert.equal(mishaps.sweep(30_000, new Set([SESSION])), 0);
    assert.ok(mishaps.sweep(30_000, new Set()) >= 1);
    assert.equal(machine.content(FILE), null);
    assert.ok(ledger.removals.has(`rog session/${SESSION}`));
  });
});

describe('the editor and the mishaps of the simulation', () => {
  it('saves whole documents and never leaves a temp behind', async () => {
    const { scheduler, machine, ledger, context } = household(2);
    const editor = new Editor(context, ['code/app']);
    for (let i = 0; i < 40; i++) {
      editor.edit('agents/a.md');
      await scheduler.run(scheduler.now + 5000);
    }
    assert.deepEqual(machine.files(), ['agents/a.md']);
    assert.ok(ledger.contents.size >= 30);
  });

  it('restores an old backup exactly, except for the private folder', async () => {
    const { scheduler, machine, context } = household(3);
    const editor = new Editor(context, ['code/app']);
    const mishaps = new Mishaps(context, ['code/app']);
    editor.edit('CLAUDE.md');
    machine.write('.claude-sync/replica-id', Buffer.from('id'));
    await scheduler.run(scheduler.now + 5000);
    const backup = mishaps.backup();
    const before = machine.content('CLAUDE.md');
    editor.edit('CLAUDE.md');
    editor.edit('rules/r.md');
    await scheduler.run(scheduler.now + 5000);
    mishaps.restore(backup);
    assert.deepEqual(machine.files(), ['.claude-sync/replica-id', 'CLAUDE.md']);
    assert.deepEqual(machine.content('CLAUDE.md'), before);
  });
});
