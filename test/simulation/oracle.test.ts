import assert from 'node:assert/strict';
import { SimulatedMachine } from './machine.ts';
import { checkpointRecord, historyEntry, messageRecord, titleRecord } from './models/records.ts';
import { checkFinalState } from './oracle/final-checks.ts';
import { Ledger, NOTICED_AFTER_MS } from './oracle/ledger.ts';
import { Reader } from './oracle/reader.ts';
import { Prng } from './prng.ts';
import { Scheduler } from './scheduler.ts';
import type { HubContents, PairView } from './simulated-hub.ts';

const SESSION = '0b0b0b0b-1111-4222-a333-444444444444';
const FORK = '0f0f0f0f-1111-5222-a333-444444444444';
const PROJECTS = ['code/app'];

/** Two machines that are level with a hub, built by hand, so that one thing at a time can be broken. */
class Scene {
  readonly scheduler = new Scheduler();
  readonly ledger = new Ledger(() => this.scheduler.now);
  readonly reader = new Reader(this.ledger, PROJECTS);
  readonly rog = this.#machine('rog', 'linux', '/home/rog');
  readonly mac = this.#machine('mac', 'macos', '/Users/tom');
  readonly heads = new Map<string, Buffer | null>();
  readonly versions: { key: string; bytes: Buffer }[] = [];
  readonly pairs = new Map<string, PairView>();
  readonly lines: string[];

  constructor() {
    for (const machine of [this.rog, this.mac]) this.reader.follow(machine);
    this.ledger.withinReach('hub');
    this.ledger.withinReach('rog');
    this.ledger.withinReach('mac');
    const context = { sessionId: SESSION, cwd: '/home/rog/code/app', now: this.scheduler.now };
    this.lines = [
      messageRecord('user', 'u1', null, 'one', context),
      messageRecord('assistant', 'u2', 'u1', 'two', context),
      checkpointRecord('u2', 'one', SESSION),
    ];
    for (const line of this.lines) this.ledger.lineWritten('rog', `session/${SESSION}`, line);
    this.transcript(this.lines);
    const document = Buffer.from('remember\n');
    this.ledger.documentWritten('rog', 'CLAUDE.md', document);
    this.rog.write('CLAUDE.md', document);
    this.byHub(this.mac, 'CLAUDE.md', document);
    this.heads.set('CLAUDE.md', document);
    for (const machine of [this.rog, this.mac]) {
      const entry = historyEntry('asked', { ...context, cwd: machine.projectPath('code/app') });
      if (machine === this.rog) this.ledger.lineWritten('rog', 'history', entry);
      machine.write('history.jsonl', Buffer.from(`${entry}\n`));
    }
  }

  /** Head and both copies of the session. */
  transcript(lines: readonly string[]): void {
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''), 'latin1');
    this.heads.set(`session/${SESSION}`, bytes);
    for (const machine of [this.rog, this.mac]) machine.write(this.path(machine), bytes);
  }

  path(machine: SimulatedMachine): string {
    return `projects/${machine.projectFolder('code/app')}/${SESSION}.jsonl`;
  }

  /** Content appears under `path` at once, by the hub's hand. */
  byHub(machine: SimulatedMachine, path: string, bytes: Buffer): void {
    machine.write('.claude-sync/tmp/1', bytes);
    machine.volume.makeFolders(machine.at(path).split('/').slice(0, -1).join('/'));
    machine.volume.as('hub', () => machine.volume.rename(machine.at('.claude-sync/tmp/1'), machine.at(path), true));
  }

  broken(): string[] {
    const contents: HubContents = {
      heads: this.heads,
      versions: this.versions,
      allBytes: [...this.heads].map(([where, bytes]) => ({ where, bytes: bytes ?? Buffer.alloc(0) })),
      pair: (machine, key) => this.pairs.get(`${machine} ${key}`) ?? null,
      keyAt: () => null,
      quarantined: new Map(),
    };
    const { ledger, rog, mac } = this;
    const found = checkFinalState({ ledger, machines: [rog, mac], projects: PROJECTS, contents });
    return [...new Set([...this.reader.violations, ...found].map(({ promise }) => promise))].sort();
  }

  #machine(name: string, os: 'linux' | 'macos', home: string): SimulatedMachine {
    return new SimulatedMachine(
      {
        name,
        os,
        home,
        kind: 'local',
        delayMs: 0,
        skewMs: 0,
        watching: 'events',
        noHardLinks: false,
        coarseTimes: false,
      },
      this.scheduler,
      new Prng(name),
      { around: () => undefined, onConnected: () => undefined },
    );
  }
}

describe('the oracle of the simulation', () => {
  it('has nothing to say about machines that are level', () => {
    assert.deepEqual(new Scene().broken(), []);
  });

  it('misses a line that is nowhere, and is content when a version has it', () => {
    const scene = new Scene();
    scene.transcript(scene.lines.slice(0, 1));
    assert.deepEqual(scene.broken(), ['line-lost']);
    scene.versions.push({ key: `session/${SESSION}`, bytes: Buffer.from(`${scene.lines.join('\n')}\n`) });
    assert.deepEqual(scene.broken(), []);
  });

  it('accepts a line in a fork, where its sessionId is another', () => {
    const scene = new Scene();
    scene.transcript(scene.lines.slice(0, 1));
    const fork = Buffer.from(`${scene.lines.map((line) => line.replace(SESSION, FORK)).join('\n')}\n`);
    scene.heads.set(`session/${FORK}`, fork);
    for (const machine of [scene.rog, scene.mac])
      scene.byHub(machine, scene.path(machine).replace(SESSION, FORK), fork);
    assert.deepEqual(scene.broken(), []);
  });

  it('sees a doubled record, but allows a checkpoint to be repeated', () => {
    const scene = new Scene();
    scene.transcript([...scene.lines, scene.lines[2] as string]);
    assert.deepEqual(scene.broken(), []);
    scene.transcript([...scene.lines, scene.lines[1] as string]);
    assert.deepEqual(scene.broken(), ['line-doubled']);
  });

  it('allows a state line to be doubled only where the hub could not know, and a record never', async () => {
    const scene = new Scene();
    const title = titleRecord('a title', SESSION);
    scene.ledger.lineWritten('rog', `session/${SESSION}`, title);
    scene.transcript([...scene.lines, title, title]);
    assert.deepEqual(scene.broken(), ['line-doubled']);
    scene.ledger.copiesUnknown(`session/${SESSION}`);
    assert.deepEqual(scene.broken(), []);
    scene.transcript([...scene.lines, title, scene.lines[1] as string]);
    assert.deepEqual(scene.broken(), ['line-doubled']);
    scene.transcript([...scene.lines, title]);
    await scene.scheduler.run(scene.scheduler.now + 1);
    const later = titleRecord('a later title', SESSION);
    scene.ledger.lineWritten('rog', `session/${SESSION}`, later);
    scene.transcript([...scene.lines, title, later, later]);
    assert.deepEqual(scene.broken(), ['line-doubled']);
  });

  it('takes neither failures nor sessions that were open once as an excuse at the end', () => {
    const scene = new Scene();
    scene.mac.write('CLAUDE.md', Buffer.from('other\n'));
    for (const state of ['failed', 'deferred-live', 'held']) {
      scene.pairs.set('mac CLAUDE.md', { state, evicted: false, reason: 'because' });
      assert.ok(scene.broken().includes('not-level'), state);
    }
    scene.pairs.set('mac CLAUDE.md', { state: 'manual', evicted: false, reason: 'a conflict for the user' });
    assert.ok(!scene.broken().includes('not-level'));
  });

  it('sees a document deleted that no user removed, and clean-up that was taken for a delete', () => {
    const scene = new Scene();
    scene.heads.set('agents/a.md', null);
    assert.deepEqual(scene.broken(), ['deleted']);
    scene.ledger.documentRemoved('rog', 'agents/a.md');
    assert.deepEqual(scene.broken(), []);
    scene.heads.set('plans/p.md', null);
    scene.ledger.documentRemoved('rog', 'plans/p.md');
    assert.deepEqual(scene.broken(), ['deleted']);
  });

  it('sees invented lines, also those that were there for a moment only', () => {
    const scene = new Scene();
    scene.byHub(scene.mac, scene.path(scene.mac), Buffer.from(`${scene.lines[0]}{"spliced":1}\n`));
    scene.transcript(scene.lines);
    assert.deepEqual(scene.broken(), ['invented']);
  });

  it('sees a hole: a record delivered without its parent', async () => {
    const scene = new Scene();
    await scene.scheduler.run(scene.scheduler.now + NOTICED_AFTER_MS + 1);
    scene.byHub(scene.mac, scene.path(scene.mac), Buffer.from(`${scene.lines[1]}\n`));
    scene.transcript(scene.lines);
    assert.deepEqual(scene.broken(), ['hole']);
  });

  it('sees copies that differ, are missing or are there twice', () => {
    const scene = new Scene();
    scene.mac.write(scene.path(scene.mac), Buffer.from(`${scene.lines[0]}\n`));
    assert.deepEqual(scene.broken(), ['not-level']);
    scene.mac.volume.unlink(scene.mac.at(scene.path(scene.mac)));
    assert.deepEqual(scene.broken(), ['missing']);
    scene.transcript(scene.lines);
    scene.rog.write(`projects/-elsewhere/${SESSION}.jsonl`, scene.heads.get(`session/${SESSION}`) as Buffer);
    assert.deepEqual(scene.broken(), ['two-copies']);
  });

  it('believes in an eviction only where somebody removed the file', () => {
    const scene = new Scene();
    scene.mac.volume.unlink(scene.mac.at(scene.path(scene.mac)));
    scene.pairs.set(`mac session/${SESSION}`, { state: 'ok', evicted: true, reason: null });
    assert.deepEqual(scene.broken(), ['missing']);
    scene.ledger.removals.add(`mac session/${SESSION}`);
    assert.deepEqual(scene.broken(), []);
  });

  it('wants every content that was in reach long enough, and none that was not', async () => {
    const scene = new Scene();
    scene.ledger.documentWritten('rog', 'CLAUDE.md', Buffer.from('remember\n'));
    scene.ledger.documentRemoved('rog', 'CLAUDE.md');
    assert.deepEqual(scene.broken(), []);
    scene.ledger.documentWritten('rog', 'CLAUDE.md', Buffer.from('lost\n'));
    await scene.scheduler.run(scene.scheduler.now + NOTICED_AFTER_MS + 1);
    scene.ledger.documentRemoved('rog', 'CLAUDE.md');
    assert.deepEqual(scene.broken(), ['content-lost']);
  });

  it('wants every content that the hub replaced, however young', () => {
    const scene = new Scene();
    scene.ledger.documentWritten('mac', 'CLAUDE.md', Buffer.from('mine\n'));
    scene.byHub(scene.mac, 'CLAUDE.md', Buffer.from('remember\n'));
    assert.deepEqual(scene.broken(), ['content-lost']);
  });

  it('excuses a withdrawn line that nobody had time to notice, and no other', async () => {
    const scene = new Scene();
    const log = `session/${SESSION}`;
    const young = scene.ledger.lineWritten('rog', log, '{"uuid":"young"}');
    scene.ledger.linesRemoved('rog', log, [young.text], 'withdrawn');
    assert.deepEqual(scene.broken(), []);
    const old = scene.ledger.lineWritten('rog', log, '{"uuid":"old"}');
    await scene.scheduler.run(scene.scheduler.now + NOTICED_AFTER_MS + 1);
    scene.ledger.linesRemoved('rog', log, [old.text], 'withdrawn');
    assert.deepEqual(scene.broken(), ['line-lost']);
  });

  it('finds a secret on another machine or in the archive, not at home', () => {
    const scene = new Scene();
    const secret = Buffer.from('token=SECRET-0123456789ab\n');
    scene.ledger.secrets.set('SECRET-0123456789ab', 'rog');
    scene.rog.write('skills/x/.env', secret);
    assert.deepEqual(scene.broken(), []);
    scene.mac.write('.claude-sync/undo/1', secret);
    assert.deepEqual(scene.broken(), ['denied-moved']);
    scene.mac.volume.unlink(scene.mac.at('.claude-sync/undo/1'));
    scene.heads.set('skills/x/.env', secret);
    assert.ok(scene.broken().includes('denied-moved'));
  });

  it('sees lost and doubled history, and entries with the path of their machine as the same', () => {
    const scene = new Scene();
    const entry = scene.mac.content('history.jsonl') as Buffer;
    scene.mac.write('history.jsonl', Buffer.concat([entry, entry]));
    assert.deepEqual(scene.broken(), ['history-doubled']);
    scene.mac.write('history.jsonl', Buffer.alloc(0));
    assert.deepEqual(scene.broken(), ['history-lost']);
  });

  it('sees conflict copies and documents written in place', () => {
    const scene = new Scene();
    scene.byHub(scene.mac, 'agents/a.conflict.md', Buffer.from('x\n'));
    assert.deepEqual(scene.broken(), ['stray-file']);
    const other = new Scene();
    const inode = other.mac.volume.find(other.mac.at('CLAUDE.md'));
    assert.ok(inode);
    other.mac.volume.as('hub', () => other.mac.volume.append(inode, Buffer.from('more\n')));
    assert.ok(other.broken().includes('half-written'));
  });

  it('sees what was forgotten and came back', () => {
    const scene = new Scene();
    scene.ledger.forgottenSessions.add(SESSION);
    assert.deepEqual(scene.broken(), ['forgotten-back']);
  });
});
