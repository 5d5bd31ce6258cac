import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { runCli } from '../../src/cli/program.ts';
import type { Surroundings, TextSink } from '../../src/cli/surroundings.ts';
import type { HubService } from '../../src/protocol/service.ts';
import { privateFolder, startFakeHub } from '../hub/rpc/fake-hub.ts';

/** What one command did. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly tty?: boolean;
  readonly env?: Record<string, string>;
  /** Typed at the terminal. */
  readonly input?: string;
}

class Screen extends PassThrough {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 100;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
    this.on('data', (data: Buffer) => (this.text += data.toString()));
  }
}

/** A private folder in which commands run, with or without a hub. */
export class Bench {
  readonly folder: string;
  readonly #remove: () => Promise<void>;
  #hub: Awaited<ReturnType<typeof startFakeHub>> | null = null;

  private constructor(folder: string, remove: () => Promise<void>) {
    this.folder = folder;
    this.#remove = remove;
  }

  static async open(): Promise<Bench> {
    const { path, remove } = await privateFolder();
    return new Bench(path, remove);
  }

  /** Starts a hub that answers this, at the socket that commands of this bench use. */
  async hub(answers: Partial<HubService>): Promise<void> {
    await this.#hub?.server.close();
    this.#hub = await startFakeHub(this.folder, answers);
  }

  async close(): Promise<void> {
    await this.#hub?.server.close();
    await this.#remove();
  }

  surroundings(options: RunOptions = {}): Surroundings & { stdout: Screen; stderr: Screen } {
    const stdin = Object.assign(new PassThrough(), { isTTY: options.tty === true });
    stdin.end(options.input ?? '');
    return {
      env: { CLAUDE_SYNC_SOCKET: join(this.folder, 'hub.sock'), ...options.env },
      stdout: new Screen(options.tty === true) satisfies TextSink,
      stderr: new Screen(options.tty === true) satisfies TextSink,
      stdin,
      cwd: this.folder,
      home: join(this.folder, 'home'),
      tmp: this.folder,
      platform: process.platform,
      uid: String(process.getuid?.() ?? ''),
      now: () => 1_700_000_005_000,
      self: { command: process.execPath, args: [join(import.meta.dirname, '../../src/cli/main.ts')] },
    };
  }

  /** Runs one command line in this process. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Run> {
    const world = this.surroundings(options);
    const code = await runCli(args, world);
    await new Promise((resolve) => setImmediate(resolve));
    return { code, stdout: world.stdout.text, stderr: world.stderr.text };
  }
}
