import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { MachineReport, StatusResult } from '../../src/protocol/status.ts';
import type { WaitResult } from '../../src/protocol/sync.ts';
import { Home } from './home.ts';
import { program } from './program.ts';

/** What one command of the real program did. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A machine that is not simply a folder of the ground. */
export interface Place {
  readonly home: Home;
  /** Its whole entry in the configuration. */
  readonly entry: object;
}

/** How a ground is laid out. */
export interface GroundOptions {
  /** Names of the machines that are folders of the ground; default `rog`, `mac` and `xps`. */
  readonly machines?: readonly string[];
  /** Machines besides, which somebody else makes and removes. */
  readonly places?: ReadonlyMap<string, Place>;
  /** Added to the entry of a machine in the configuration. */
  readonly entries?: Readonly<Record<string, object>>;
  /** Other sections of the configuration. */
  readonly config?: object;
  /** Added to the environment of the hub and the commands. */
  readonly env?: NodeJS.ProcessEnv;
  /** The program itself, `claude-sync.js`. Default: the one that is built from the sources. */
  readonly program?: string;
  /** The hub and the commands run as this user; everything belongs to it. Needs root. */
  readonly uid?: number;
}

/** What a row of `versions --json` holds (stable contract). */
export interface KeptVersion {
  readonly version: number;
  readonly machine: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly reason: string;
  readonly isHead: boolean;
}

const START_MS = 30_000;

/**
 * A folder of its own (0700) with machines, a configuration and a hub's data; the hub is a real process of its own. Nothing outside
 * is touched, and `close` leaves nothing behind.
 */
export class Ground {
  readonly root: string;
  readonly homes: ReadonlyMap<string, Home>;
  readonly configFile: string;
  dataDir: string;
  readonly #main: string;
  #socket: string;
  readonly #beside: Ground[] = [];
  readonly #options: GroundOptions;
  #hub: ChildProcess | null = null;
  /** What the hub said last, on both of its outputs. */
  said = '';
  /** How a hub ended that nobody had ended; no test expects it. */
  #died: string | null = null;

  private constructor(root: string, main: string, options: GroundOptions) {
    this.root = root;
    this.#main = main;
    this.#options = options;
    const names = options.machines ?? ['rog', 'mac', 'xps'];
    // Homes differ in depth and user, as on real machines: no path means the same on two of them.
    const own = names.map(
      (name, index) => [name, new Home(join(root, name, index % 2 ? 'Users' : 'home', `user-${name}`))] as const,
    );
    this.homes = new Map([...own, ...[...(options.places ?? [])].map(([name, { home }]) => [name, home] as const)]);
    this.configFile = join(root, 'config.jsonc');
    this.dataDir = join(root, 'data');
    this.#socket = join(root, 'hub.sock');
  }

  static async open(options: GroundOptions = {}): Promise<Ground> {
    const root = await mkdtemp(join(tmpdir(), 'claude-sync-black-box-'));
    await chmod(root, 0o700);
    const ground = new Ground(root, options.program ?? (await program()), options);
    for (const home of ground.homes.values()) await home.make();
    await ground.configure(options.config);
    if (options.uid !== undefined) await ground.giveAway(root);
    return ground;
  }

  /** The same machines and configuration, for a second hub with data of its own. Closed with this ground. */
  beside(name: string): Ground {
    const other = new Ground(this.root, this.#main, this.#options);
    other.dataDir = join(this.root, name);
    other.#socket = join(this.root, `${name}.sock`);
    this.#beside.push(other);
    return other;
  }

  home(name: string): Home {
    const home = this.homes.get(name);
    if (!home) throw new Error(`no machine ${name}`);
    return home;
  }

  /** Writes the configuration; a running hub follows it. */
  async configure(sections: object = {}): Promise<void> {
    const machines = Object.fromEntries(
      [...this.homes].map(([name, { path, claudeDir }]) => [
        name,
        {
          ...(this.#options.places?.get(name)?.entry ?? { transport: 'local', claudeDir, home: path }),
          ...this.#options.entries?.[name],
        },
      ]),
    );
    await writeFile(this.configFile, JSON.stringify({ machines, ...sections }, null, 2), { mode: 0o600 });
  }

  /** Makes a folder and all in it belong to the user that the hub runs as. */
  async giveAway(folder: string): Promise<void> {
    const { uid } = this.#options;
    if (uid === undefined) return;
    await chown(folder, uid, uid);
    await new Promise<void>((resolve, reject) =>
      execFile('chown', ['-R', `${uid}:${uid}`, folder], (error) =>
        error === null ? resolve() : reject(new Error('chown failed', { cause: error })),
      ),
    );
  }

  // --- the hub ---------------------------------------------------------------------------------------------------------

  get hubPid(): number {
    const pid = this.#hub?.pid;
    if (pid === undefined) throw new Error('the hub does not run');
    return pid;
  }

  /** Starts the hub and waits until it answers. */
  async startHub(): Promise<void> {
    this.said = '';
    const hub = spawn(process.execPath, [this.#main, 'hub', ...this.#where()], {
      ...this.#as(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#hub = hub;
    for (const stream of [hub.stdout, hub.stderr]) stream?.on('data', (text: Buffer) => (this.said += text.toString()));
    await until(
      'the hub says that it runs',
      () => {
        if (hub.exitCode !== null) throw new Error(`the hub ended with code ${hub.exitCode}: ${this.said}`);
        return this.said.includes(' runs (pid ');
      },
      START_MS,
    );
    hub.once('exit', (code, signal) => {
      // 0: a command had it stop.
      if (this.#hub !== hub || code === 0) return;
      this.#died = `the hub ended by itself (${code ?? signal}): ${this.said.slice(-4_000)}`;
      // At once: what is waited for will not come.
      console.log(this.#died);
    });
  }

  /** Ends the hub with a signal; resolves when its process is gone. @returns its exit code, `null` after SIGKILL. */
  async endHub(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const hub = this.#hub;
    if (hub === null) return null;
    this.#hub = null;
    if (hub.exitCode !== null || hub.signalCode !== null) return hub.exitCode;
    const gone = new Promise<number | null>((resolve) => hub.once('exit', (code) => resolve(code)));
    hub.kill(signal);
    return gone;
  }

  async restartHub(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.endHub(signal);
    await this.startHub();
  }

  // --- the commands ----------------------------------------------------------------------------------------------------

  /** Runs one real command. */
  async run(...args: string[]): Promise<Ran> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [this.#main, ...args, ...this.#where()],
        { ...this.#as(), maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : null, stdout, stderr }),
      );
    });
  }

  /** Runs a command that has to succeed, with `--json`. */
  async json<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.run(...args, '--json');
    assert.equal(code, 0, `claude-sync ${args.join(' ')}: ${stderr}${stdout}`);
    return JSON.parse(stdout) as T;
  }

  status(): Promise<StatusResult> {
    return this.json<StatusResult>('status');
  }

  async report(machine: string): Promise<MachineReport> {
    const found = (await this.status()).machines.find(({ name }) => name === machine);
    assert.ok(found, `status does not name ${machine}`);
    return found;
  }

  /** `claude-sync wait`, which has to succeed. */
  async settle(seconds = 60): Promise<WaitResult> {
    const { code, stdout, stderr } = await this.run('wait', '--timeout', String(seconds), '--json');
    if (code !== 0) {
      const status = (await this.run('status', '--json')).stdout;
      assert.fail(`wait ended with ${code}\n${stdout}${stderr}\nstatus: ${status}\nhub: ${this.said}`);
    }
    return JSON.parse(stdout) as WaitResult;
  }

  versions(key: string): Promise<KeptVersion[]> {
    return this.json<KeptVersion[]>('versions', key);
  }

  /** The head of a key as it lies in the hub's archive, `null` when there is none. */
  async archived(key: string): Promise<Buffer | null> {
    const path = /^session\/[^/]+$/.test(key) ? `${key}.jsonl` : key;
    return readOrNull(join(this.dataDir, 'archive', path));
  }

  async close(): Promise<void> {
    for (const hub of [this, ...this.#beside]) await hub.endHub('SIGKILL');
    await rm(this.root, { recursive: true, force: true });
    assert.equal(this.#died, null);
  }

  #where(): string[] {
    return ['--config', this.configFile, '--data-dir', this.dataDir, '--socket', this.#socket];
  }

  #as(): { cwd: string; env: NodeJS.ProcessEnv; uid?: number; gid?: number } {
    const env = { PATH: process.env['PATH'], HOME: this.root, TMPDIR: this.root, ...this.#options.env };
    const { uid } = this.#options;
    return { cwd: this.root, env, ...(uid === undefined ? {} : { uid, gid: uid }) };
  }
}

/** Waits for a condition; what it throws last, or what was waited for, is the failure. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 45_000,
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    if (await condition()) return;
    if (Date.now() > deadline) assert.fail(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export async function readOrNull(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

/** Makes the folder of a file. */
export async function makeFolderOf(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
}

/** A new session's uuid. */
export function newSession(): string {
  return randomUUID();
}
