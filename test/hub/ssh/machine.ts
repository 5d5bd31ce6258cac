import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom } from '../../../src/hub/ports/system.ts';
import { createRemoteCommands } from '../../../src/hub/ssh/remote-commands.ts';
import type { RemoteCommands } from '../../../src/hub/ssh/remote-commands.ts';
import { plainConnection } from '../../fixtures/ssh/plain-connection.ts';
import { Sshd } from '../../fixtures/ssh/sshd.ts';
import type { SshdOptions } from '../../fixtures/ssh/sshd.ts';

/** A machine with a home of its own, reached over a real connection. */
export class TestMachine {
  readonly folder: string;
  readonly server: Sshd;
  readonly connection: Awaited<ReturnType<typeof plainConnection>>;
  readonly commands: RemoteCommands;

  private constructor(folder: string, server: Sshd, connection: Awaited<ReturnType<typeof plainConnection>>) {
    this.folder = folder;
    this.server = server;
    this.connection = connection;
    this.commands = createRemoteCommands(connection, { clock: systemClock, random: systemRandom });
  }

  static async start(options: Partial<SshdOptions> = {}): Promise<TestMachine> {
    const folder = mkdtempSync(join(tmpdir(), 'claude-sync-ssh-'));
    const home = join(folder, 'home');
    mkdirSync(home);
    const server = await Sshd.start({ folder: join(folder, 'sshd'), home, ...options });
    return new TestMachine(folder, server, await plainConnection(server));
  }

  at(path: string): string {
    return join(this.folder, path);
  }

  async stop(): Promise<void> {
    this.connection.destroy();
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
