import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Finding } from '../../src/core/alerts/alert.ts';
import { findingsOf } from '../../src/core/alerts/rules.ts';
import { HubFacts } from '../../src/hub/alerts/facts.ts';
import { parseConfig } from '../../src/hub/config/parse.ts';
import { Hub } from '../../src/hub/hub.ts';
import { JumpClock } from './jump-clock.ts';

/** The real hub in this process: real folders, real database, a clock that a test can put forward. */
export class HubGround {
  readonly root: string;
  readonly clock = new JumpClock();
  readonly troubles: Error[] = [];
  hub!: Hub;
  #config: object;
  #entries: Readonly<Record<string, object>> = {};
  #names: readonly string[];
  /** Folders of machines that are not called like their folder. */
  readonly folders = new Map<string, string>();

  private constructor(root: string, names: readonly string[], config: object) {
    this.root = root;
    this.#names = names;
    this.#config = config;
  }

  static async open(
    options: {
      readonly machines?: readonly string[];
      readonly config?: object;
      readonly entries?: Readonly<Record<string, object>>;
      readonly prepare?: (ground: HubGround) => Promise<void>;
    } = {},
  ): Promise<HubGround> {
    const names = options.machines ?? ['rog', 'mac'];
    const ground = new HubGround(
      await realpath(await mkdtemp(join(tmpdir(), 'claude-sync-hub-'))),
      names,
      options.config ?? {},
    );
    ground.#entries = options.entries ?? {};
    for (const name of names) await mkdir(ground.claudeDir(name), { recursive: true, mode: 0o700 });
    await mkdir(ground.dataDir, { mode: 0o700 });
    await options.prepare?.(ground);
    await ground.boot();
    return ground;
  }

  get dataDir(): string {
    return join(this.root, 'data');
  }

  claudeDir(name: string): string {
    return join(this.root, this.folders.get(name) ?? name, '.claude');
  }

  /** Opens and starts the hub on what is there. */
  async boot(config: object = this.#config, names: readonly string[] = this.#names): Promise<void> {
    this.#config = config;
    this.#names = names;
    this.hub = await Hub.open({
      dataDir: this.dataDir,
      loaded: { config: parseConfig(this.#text(), 'test', this.root), file: null },
      home: this.root,
      platform: process.platform,
      clock: this.clock,
      random: { hex: (bytes) => randomBytes(bytes).toString('hex') },
      onChange: () => undefined,
      onTrouble: (error) => void this.troubles.push(error),
    });
    await this.hub.start();
  }

  async write(machine: string, path: string, content: string | Buffer): Promise<void> {
    const file = join(this.claudeDir(machine), path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode: 0o600 });
  }

  text(machine: string, path: string): Promise<string> {
    return readFile(join(this.claudeDir(machine), path), 'utf8');
  }

  /** What the user is to be told of now. */
  findings(): Finding[] {
    const facts = new HubFacts({
      hub: () => this.hub,
      clock: this.clock,
      onTrouble: (error) => this.troubles.push(error),
    });
    return findingsOf(facts.collect(), () => undefined);
  }

  /** Everything is the same everywhere. */
  async settle(): Promise<void> {
    assert.ok(await this.hub.engine.wait(30_000), 'it came to rest');
  }

  async close(): Promise<void> {
    await this.hub.close();
    await rm(this.root, { recursive: true, force: true });
  }

  #text(): string {
    const machines = Object.fromEntries(
      this.#names.map((name) => [
        name,
        { transport: 'local', claudeDir: this.claudeDir(name), home: join(this.root, name), ...this.#entries[name] },
      ]),
    );
    return JSON.stringify({ machines, ...this.#config });
  }
}

/** Waits for a condition. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = 45_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) assert.fail(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
