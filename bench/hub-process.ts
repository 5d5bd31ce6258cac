import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { StatusResult } from '../src/protocol/status.ts';
import { connectToHub, type HubClient } from '../src/client/connect.ts';
import { readHubFile } from '../src/hub/rpc/hub-file.ts';

/** Longest time that anything may take before the measurement is given up, ms. */
const HOPELESS_MS = 600_000;
const CLOCK_TICKS = 100;

/** What a hub has other than local machines with the usual settings. */
export interface HubDifferences {
  /** Entries of machines that are not local, or not as usual. */
  readonly entries?: Readonly<Record<string, object>>;
}

/** A real hub in a process of its own, with machines `a`, `b`, ... whose homes lie below `folder`; local ones, if nothing else is said. */
export class HubProcess {
  readonly folder: string;
  readonly machines: readonly string[];
  readonly #program: readonly string[];
  #child: ChildProcess | null = null;
  #client: HubClient | null = null;
  /** When the process was started, by `performance.now()`. */
  startedAt = 0;

  constructor(
    folder: string,
    machines: readonly string[],
    program: readonly string[],
    differences: HubDifferences = {},
  ) {
    this.folder = folder;
    this.machines = machines;
    this.#program = program;
    const configured: Record<string, object> = {};
    for (const name of machines) {
      mkdirSync(this.claudeDir(name), { recursive: true, mode: 0o700 });
      const local = { transport: 'local', claudeDir: this.claudeDir(name), home: this.home(name) };
      configured[name] = differences.entries?.[name] ?? local;
    }
    writeFileSync(join(folder, 'config.jsonc'), JSON.stringify({ machines: configured }));
  }

  home(machine: string): string {
    return join(this.folder, machine);
  }

  claudeDir(machine: string): string {
    return join(this.home(machine), '.claude');
  }

  async start(): Promise<void> {
    const [command, ...first] = this.#program;
    if (command === undefined) throw new Error('no program');
    const dataDir = join(this.folder, 'data');
    const rest = ['--config', join(this.folder, 'config.jsonc'), '--data-dir', dataDir, 'hub'];
    this.startedAt = performance.now();
    const child = spawn(command, [...first, ...rest], { stdio: ['ignore', 'ignore', 'inherit'] });
    this.#child = child;
    const deadline = performance.now() + HOPELESS_MS;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`the hub ended with code ${child.exitCode}`);
      if (performance.now() > deadline) throw new Error('the hub does not answer');
      const file = await readHubFile(dataDir);
      if (file !== null && file.pid === child.pid) {
        this.#client = await connectToHub(file.socket, { timeoutMs: HOPELESS_MS });
        return;
      }
      await pause(10);
    }
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    }
    this.#client?.close();
    this.#client = null;
  }

  status(): Promise<StatusResult> {
    return this.#hub.request('hub/status', {});
  }

  /** A whole scan of a machine, with what follows from it: `claude-sync sync MACHINE`. @returns ms. */
  async scan(machine: string): Promise<number> {
    const began = performance.now();
    const { machines } = await this.#hub.request('sync/now', { machine });
    const ms = performance.now() - began;
    const problem = machines.find((scanned) => scanned.problem !== null)?.problem;
    if (problem !== undefined) throw new Error(`${machine} was not scanned: ${problem}`);
    return ms;
  }

  /** Until every machine holds `files` files and nothing is pending. @returns ms since the process was started. */
  async inSync(files: number, everyMs: number, onProgress: (text: string) => void = () => {}): Promise<number> {
    const deadline = performance.now() + HOPELESS_MS;
    for (;;) {
      const status = await this.status();
      const level = status.machines.every((machine) => machine.files >= files && machine.pending === 0);
      if (status.inSync && level) return performance.now() - this.startedAt;
      onProgress(status.machines.map((machine) => `${machine.name} ${machine.files}`).join(', '));
      if (performance.now() > deadline) throw new Error(`not in sync: ${JSON.stringify(status.machines)}`);
      await pause(everyMs);
    }
  }

  /** Resident memory now and at its highest, MB (10^6 bytes). */
  memory(): { rss: number; peak: number } {
    const text = readFileSync(`/proc/${this.#pid()}/status`, 'utf8');
    const of = (name: string): number =>
      (Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)?.[1] ?? 0) * 1024) / 1e6;
    return { rss: of('VmRSS'), peak: of('VmHWM') };
  }

  /** CPU time used so far, ms. */
  cpuMs(): number {
    const fields = readFileSync(`/proc/${this.#pid()}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / CLOCK_TICKS;
  }

  /** Bytes passed to write calls so far, by thread: the database has one of its own, so that it can be told apart. */
  bytesWritten(): { main: number; all: number } {
    const pid = this.#pid();
    let all = 0;
    let main = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const written = Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${pid}/task/${thread}/io`, 'utf8'))?.[1] ?? 0);
      all += written;
      if (Number(thread) === pid) main = written;
    }
    return { main, all };
  }

  get #hub(): HubClient {
    if (this.#client === null) throw new Error('the hub is not running');
    return this.#client;
  }

  #pid(): number {
    if (this.#child?.pid === undefined) throw new Error('the hub is not running');
    return this.#child.pid;
  }
}
