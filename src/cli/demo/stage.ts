import { appendFile, mkdir, mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { folderName } from '../../core/projects/folder-name.ts';
import type { ConversationLine } from './conversation.ts';

/** A throw-away machine: a home folder of its own, with a Claude folder and a project in it. */
export class DemoMachine {
  readonly name: string;
  readonly home: string;

  constructor(name: string, home: string) {
    this.name = name;
    this.home = home;
  }

  get claudeDir(): string {
    return join(this.home, '.claude');
  }

  /** The project's checkout here. */
  get project(): string {
    return join(this.home, 'code', 'rocket');
  }

  /** Where Claude Code on this machine looks for the session. */
  sessionFile(session: string): string {
    return join(this.claudeDir, 'projects', folderName(this.project), `${session}.jsonl`);
  }

  /** Appends lines as Claude Code does: one write of whole lines. */
  async append(session: string, ...lines: ConversationLine[]): Promise<void> {
    await appendFile(this.sessionFile(session), lines.map(({ text }) => `${text}\n`).join(''), { mode: 0o600 });
  }

  /** The session's file, `null` when it is not there. */
  async read(session: string): Promise<Buffer | null> {
    try {
      return await readFile(this.sessionFile(session));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  /** Removes the session's file, as Claude Code's clean-up of old sessions does. */
  async sweep(session: string): Promise<void> {
    await unlink(this.sessionFile(session));
  }
}

/** Everything of the demo on disk, in one folder of its own. */
export interface Stage {
  readonly root: string;
  readonly laptop: DemoMachine;
  readonly desktop: DemoMachine;
  readonly mac: DemoMachine;
  readonly machines: readonly DemoMachine[];
  readonly configFile: string;
  readonly dataDir: string;
  readonly socket: string;
  remove(): Promise<void>;
}

/** Builds three machines below `tmp`, with different home folders, and a hub configuration that knows them. */
export async function buildStage(tmp: string): Promise<Stage> {
  const root = await mkdtemp(join(tmp, 'claude-sync-demo-'));
  const laptop = new DemoMachine('laptop', join(root, 'laptop', 'home', 'ada'));
  const desktop = new DemoMachine('desktop', join(root, 'desktop', 'home', 'a.lovelace'));
  const mac = new DemoMachine('mac', join(root, 'mac', 'Users', 'adalovelace'));
  const machines = [laptop, desktop, mac];
  for (const machine of machines) {
    await mkdir(join(machine.claudeDir, 'projects', folderName(machine.project)), { recursive: true, mode: 0o700 });
    await mkdir(machine.project, { recursive: true });
  }
  const configFile = join(root, 'config.jsonc');
  const entries = machines.map(({ name, claudeDir, home }) => [name, { transport: 'local', claudeDir, home }]);
  await writeFile(configFile, JSON.stringify({ machines: Object.fromEntries(entries) as object }, null, 2), {
    mode: 0o600,
  });
  return {
    root,
    laptop,
    desktop,
    mac,
    machines,
    configFile,
    dataDir: join(root, 'hub'),
    socket: join(root, 'run', 'hub.sock'),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
