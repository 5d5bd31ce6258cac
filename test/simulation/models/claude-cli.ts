import { FileSystemError } from '../../../src/hub/ports/file-system.ts';
import type { SimulatedMachine } from '../machine.ts';
import type { Ledger } from '../oracle/ledger.ts';
import { splitLines } from '../oracle/ledger.ts';
import type { Prng } from '../prng.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Inode, Volume } from '../volume.ts';
import { isLinked, nameOf, parentPath, pathOf } from '../volume.ts';
import {
  checkpointRecord,
  compactionRecords,
  historyEntry,
  messageRecord,
  readRecord,
  relocatedRecord,
  titleRecord,
} from './records.ts';

/** How far from the end the CLI still cuts a withdrawn message out of a file, bytes. */
const WITHDRAW_REACH = 64 * 1024;

/** What a model of a program needs of its world. */
export interface ProgramContext {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly ledger: Ledger;
  readonly machine: SimulatedMachine;
}

/**
 * One running Claude Code CLI with one session open, writing as the real one was measured to: open with O_APPEND, one write
 * of whole lines, close; no lock, no sync, no rename. The gap between open and write is where races live, so it varies from
 * nothing to seconds.
 */
export class ClaudeCli {
  readonly session: string;
  project: string;
  readonly #context: ProgramContext;
  readonly #pid: number;
  #leaf: string | null = null;
  #file: string;
  #newlineFirst = false;
  /** Flushes begun or waiting, in order; until they are written, the leaf is not on disk. */
  readonly #waiting: string[][] = [];
  #running = true;
  #turns = 0;

  /** Starts a CLI in `project`. Nothing is written before the first prompt, except that the process registers itself. */
  constructor(context: ProgramContext, session: string, project: string) {
    this.#context = context;
    this.session = session;
    this.project = project;
    this.#file = `projects/${context.machine.projectFolder(project)}/${session}.jsonl`;
    this.#pid = context.machine.spawn();
    this.#register('busy');
  }

  get machine(): SimulatedMachine {
    return this.#context.machine;
  }

  get running(): boolean {
    return this.#running;
  }

  /** `--resume`: finds the session in the folder of the project or, if it is in exactly one other, there. */
  static resume(context: ProgramContext, session: string, project: string): ClaudeCli | null {
    const files = context.machine
      .files('projects')
      .filter((path) => path.split('/').length === 3 && nameOf(path) === `${session}.jsonl`);
    const own = files.find((path) => path.split('/')[1] === context.machine.projectFolder(project));
    const file = own ?? (files.length === 1 ? files[0] : undefined);
    if (file === undefined) return null;
    const cli = new ClaudeCli(context, session, project);
    cli.#file = file;
    cli.#readBack();
    return cli;
  }

  /** One prompt and its answer, in one to three flushes, now and then with a checkpoint, a title or a sub-agent. */
  turn(): void {
    if (!this.#running) return;
    const { prng } = this.#context;
    this.#register('busy');
    const prompt = `prompt ${++this.#turns} ${prng.hex(4)}`;
    if (prng.chance(0.5)) this.#writeHistory(prompt);
    const user = this.#message('user', prompt);
    const answers = Array.from({ length: prng.int(1, 3) }, () =>
      this.#message('assistant', `answer ${prng.hex(prng.int(4, 60))}`),
    );
    const state: string[] = [];
    if (this.#leaf !== null && prng.chance(0.7)) state.push(checkpointRecord(this.#leaf, prompt, this.session));
    if (prng.chance(0.2)) state.push(titleRecord(`title ${prng.hex(3)}`, this.session));
    if (prng.chance(0.4)) {
      this.#flush([user, ...answers, ...state]);
    } else {
      this.#flush([user]);
      this.#flush([...answers, ...state]);
    }
    if (prng.chance(0.15)) this.sidecar();
  }

  /** One line at this very moment, between two steps of whoever else is at the file. */
  interject(): void {
    if (this.#running && this.#waiting.length === 0)
      this.#append(this.#file, [this.#message('user', `now ${this.#context.prng.hex(4)}`)], this.#log);
  }

  /** A message and the title that it led to, in one write at this very moment. */
  retitle(): void {
    if (!this.#running || this.#waiting.length > 0) return;
    const { prng } = this.#context;
    const title = titleRecord(`title ${prng.hex(6)}`, this.session);
    this.#append(this.#file, [this.#message('user', `now ${prng.hex(4)}`), title], this.#log);
  }

  /** Cuts the last message out of the file, in place. */
  withdraw(): void {
    if (!this.#running || this.#waiting.length > 0) return;
    const { machine, ledger } = this.#context;
    const inode = machine.volume.find(machine.at(this.#file));
    if (!inode || inode.type !== 'file') return;
    const bytes = machine.volume.read(inode, 0, inode.size);
    const { whole, torn } = splitLines(bytes);
    const last = whole.findLastIndex((text) => typeof readRecord(text)?.uuid === 'string');
    if (last < 1) return;
    const start = whole.slice(0, last).reduce((sum, text) => sum + text.length + 1, 0);
    if (bytes.length - start > WITHDRAW_REACH) return;
    const rest = [...whole.slice(last + 1).map((text) => `${text}\n`), torn].join('');
    const removed = whole[last] as string;
    this.#leaf = (readRecord(removed)?.parentUuid ?? null) as string | null;
    ledger.linesRemoved(machine.name, this.#log, [removed], 'withdrawn');
    ledger.messageWithdrawn(machine.name, String(readRecord(removed)?.uuid));
    machine.volume.rewriteFrom(inode, start, Buffer.from(rest, 'latin1'));
  }

  /** `/compact`. */
  compact(): void {
    if (!this.#running) return;
    const { prng } = this.#context;
    const [boundary, summary] = [prng.uuid(), prng.uuid()];
    const lines = compactionRecords(boundary, summary, this.#leaf, this.#recordContext());
    this.#leaf = summary;
    this.#flush([...lines, checkpointRecord(summary, 'compact', this.session)]);
  }

  /** `/cd`: notes the new folder in the file, then renames file and sidecars into it. */
  changeFolder(project: string): void {
    if (!this.#running || this.#waiting.length > 0 || project === this.project) return;
    const { machine } = this.#context;
    const from = this.#file;
    if (!machine.volume.find(machine.at(from))) return;
    this.project = project;
    this.#append(from, [relocatedRecord(machine.projectPath(project), this.session)], this.#log);
    const to = `projects/${machine.projectFolder(project)}/${this.session}.jsonl`;
    if (to === from) return;
    machine.volume.makeFolders(machine.at(parentPath(to)));
    const superseded = machine.content(to);
    if (superseded !== null) {
      this.#context.ledger.linesRemoved(machine.name, this.#log, splitLines(superseded).whole, 'superseded');
      // Another copy, perhaps in another order, is under the name now.
      this.#context.ledger.copiesUnknown(this.#log);
      machine.volume.rename(machine.at(to), machine.at(`${to}.superseded-${machine.now()}`), false);
    }
    machine.volume.rename(machine.at(from), machine.at(to), false);
    const [sidecars, target] = [from.slice(0, -6), to.slice(0, -6)].map((path) => machine.at(path)) as [string, string];
    if (machine.volume.find(sidecars) && !machine.volume.find(target)) machine.volume.rename(sidecars, target, false);
    this.#file = to;
  }

  /** A sub-agent's log with its metadata, or a spilled tool result. */
  sidecar(): void {
    if (!this.#running) return;
    const { prng, machine, ledger } = this.#context;
    const folder = this.#file.slice(0, -6);
    if (prng.chance(0.4)) {
      const name = `tool-results/${prng.hex(4)}.txt`;
      const content = Buffer.from(`result ${prng.hex(20)}\n`);
      machine.write(`${folder}/${name}`, content);
      ledger.documentWritten(machine.name, `session/${this.session}/${name}`, content);
      return;
    }
    const agent = prng.hex(4);
    const name = `subagents/agent-${agent}.jsonl`;
    const meta = Buffer.from(JSON.stringify({ agentType: 'explore', id: agent }));
    machine.write(`${folder}/subagents/agent-${agent}.meta.json`, meta);
    ledger.documentWritten(machine.name, `session/${this.session}/subagents/agent-${agent}.meta.json`, meta);
    let parent: string | null = null;
    for (let i = 0, at = 0; i < prng.int(1, 3); i++, at += prng.int(0, 900)) {
      this.#context.scheduler.after(at, `${machine.name} sub-agent writes`, () => {
        if (!this.#running) return;
        const uuid = prng.uuid();
        const line = messageRecord('assistant', uuid, parent, `agent ${prng.hex(10)}`, this.#recordContext(), agent);
        parent = uuid;
        // A sub-agent's file goes along when its session moves.
        this.#append(`${this.#file.slice(0, -6)}/${name}`, [line], `session/${this.session}/${name}`);
      });
    }
  }

  /** A clean end: the registration goes away. */
  exit(): void {
    if (!this.#running) return;
    const { machine } = this.#context;
    this.#running = false;
    machine.exit(this.#pid);
    const path = machine.at(this.#registration);
    if (machine.volume.find(path)) machine.volume.unlink(path);
  }

  /** The process is killed: the registration stays, and perhaps a line that was only half written. */
  kill(): void {
    if (!this.#running) return;
    const { prng, machine, ledger } = this.#context;
    if (prng.chance(0.6) && machine.volume.find(machine.at(this.#file))) {
      const line = this.#message('assistant', `torn ${prng.hex(20)}`);
      const room = machine.volume.capacity - machine.volume.used;
      const part = line.slice(0, Math.min(Math.max(0, room), prng.int(1, line.length - 1)));
      const inode = machine.volume.find(machine.at(this.#file));
      ledger.remember(this.#log, line);
      if (inode?.type === 'file') {
        ledger.remember(this.#log, tornTail(machine.volume, inode) + part);
        machine.volume.append(inode, Buffer.from(part, 'latin1'));
      }
    }
    this.#running = false;
    machine.exit(this.#pid);
  }

  get #log(): string {
    return `session/${this.session}`;
  }

  get #registration(): string {
    return `sessions/${this.#pid}.json`;
  }

  #recordContext(): { sessionId: string; cwd: string; now: number } {
    const { machine } = this.#context;
    return { sessionId: this.session, cwd: machine.projectPath(this.project), now: machine.now() };
  }

  #message(role: 'user' | 'assistant', text: string): string {
    const uuid = this.#context.prng.uuid();
    const line = messageRecord(role, uuid, this.#leaf, text, this.#recordContext());
    this.#leaf = uuid;
    return line;
  }

  /** Reads the file as resume does: the branch of the last checkpoint whose leaf is there, else the last record. */
  #readBack(): void {
    const bytes = this.machine.content(this.#file) ?? Buffer.alloc(0);
    const { whole, torn } = splitLines(bytes);
    this.#newlineFirst = torn !== '';
    const uuids = new Set<string>();
    let checkpoint: string | null = null;
    let last: string | null = null;
    for (const text of whole) {
      const record = readRecord(text);
      if (typeof record?.uuid === 'string') uuids.add((last = record.uuid));
      if (record?.type === 'last-prompt' && typeof record.leafUuid === 'string' && uuids.has(record.leafUuid))
        checkpoint = record.leafUuid;
    }
    this.#leaf = checkpoint ?? last;
  }

  #register(status: string): void {
    const { machine } = this.#context;
    const started = machine.processes.get(this.#pid) ?? machine.now();
    const facts = {
      pid: this.#pid,
      procStart: machine.spec.os === 'linux' ? String(started) : undefined,
      sessionId: this.session,
      cwd: machine.projectPath(this.project),
      updatedAt: machine.now(),
      status,
      kind: 'interactive',
    };
    machine.write(this.#registration, Buffer.from(JSON.stringify(facts)));
  }

  /** One flush: open now, write a little later, into whatever was opened. Flushes of one process do not overlap. */
  #flush(lines: string[]): void {
    const { scheduler, prng, machine } = this.#context;
    this.#waiting.push(lines);
    if (this.#waiting.length > 1) return;
    const begin = (): void => {
      const next = this.#waiting[0];
      if (!next) return;
      const inode = this.#running ? this.#open(this.#file) : null;
      const wait = prng.chance(0.03) ? prng.int(500, 3000) : prng.chance(0.4) ? prng.int(1, 12) : 0;
      scheduler.after(wait, `${machine.name} cli writes ${next.length} lines to ${this.session.slice(0, 8)}`, () => {
        if (this.#running && inode) this.#write(inode, next, this.#log);
        else this.#displaced(next);
        this.#waiting.shift();
        begin();
      });
    };
    begin();
  }

  #append(path: string, lines: string[], log: string): void {
    const inode = this.#open(path);
    if (inode) this.#write(inode, lines, log);
    else this.#displaced(lines);
  }

  #open(path: string): Inode | null {
    const { machine } = this.#context;
    try {
      const full = machine.at(path);
      machine.volume.makeFolders(parentPath(full));
      return machine.volume.find(full) ?? machine.volume.createFile(full);
    } catch (error) {
      // A folder that cannot be entered: the CLI goes on without its transcript.
      if (FileSystemError.is(error, 'denied')) return null;
      throw error;
    }
  }

  #write(inode: Inode, lines: string[], log: string): void {
    const { machine, ledger } = this.#context;
    let lead = '';
    if (this.#newlineFirst && log === this.#log) {
      this.#newlineFirst = false;
      lead = '\n';
      const { torn } = splitLines(machine.volume.read(inode, 0, inode.size));
      if (torn !== '') ledger.remember(log, torn);
    }
    const bytes = Buffer.from(`${lead}${lines.join('\n')}\n`, 'latin1');
    const room = machine.volume.capacity - machine.volume.used;
    // On a full disk the CLI loses its line; it is nobody else's to keep.
    if (room < bytes.length) return this.#displaced(lines);
    if (!isLinked(inode) || pathOf(inode).includes('.claude-sync')) this.#displaced(lines);
    const [first = '', ...others] = lines;
    const torn = lead === '' ? tornTail(machine.volume, inode) : '';
    // Behind a torn line that appeared meanwhile the first record is spliced: what stands on disk then is one damaged line.
    if (torn !== '') this.#displaced([first]);
    machine.volume.append(inode, bytes);
    for (const text of [torn + first, ...others]) this.#wrote(inode, log, text);
  }

  #wrote(inode: Inode, log: string, text: string): void {
    const line = this.#context.ledger.lineWritten(this.machine.name, log, text);
    if (inode.links === 0 && inode.lostBy === 'user') line.excuse ??= 'written into a file that its user had removed';
  }

  /** Remembers that these records are not where their children will be. */
  #displaced(lines: readonly string[]): void {
    for (const text of lines) {
      const uuid = readRecord(text)?.uuid;
      if (typeof uuid === 'string') this.#context.ledger.displaced.add(uuid);
    }
  }

  #writeHistory(prompt: string): void {
    const { machine, scheduler, prng } = this.#context;
    const lock = machine.at('history.jsonl.lock');
    const entry = historyEntry(`${prompt} ${prng.hex(6)}`, this.#recordContext());
    const attempt = (tries: number): void => {
      if (machine.volume.find(lock) && tries < 20)
        return void scheduler.after(100, `${machine.name} waits for history`, () => attempt(tries + 1));
      if (!machine.volume.find(lock)) machine.volume.makeFolder(lock);
      const inode =
        machine.volume.find(machine.at('history.jsonl')) ?? machine.volume.createFile(machine.at('history.jsonl'));
      scheduler.after(prng.int(0, 5), `${machine.name} cli writes history`, () => {
        if (machine.volume.find(lock)) machine.volume.removeFolder(lock);
        const bytes = Buffer.from(`${entry}\n`, 'latin1');
        if (machine.volume.capacity - machine.volume.used < bytes.length) return;
        const torn = tornTail(machine.volume, inode);
        machine.volume.append(inode, bytes);
        this.#wrote(inode, 'history', torn + entry);
      });
    };
    attempt(0);
  }
}

/** What follows the last newline of a file. */
function tornTail(volume: Volume, inode: Inode): string {
  if (inode.size === 0 || inode.data[inode.size - 1] === 0x0a) return '';
  return splitLines(volume.read(inode, 0, inode.size)).torn;
}
