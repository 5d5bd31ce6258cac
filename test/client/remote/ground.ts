import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectToRemoteHub } from '../../../src/client/remote/connect-remote-hub.ts';
import * as room from '../../../src/client/remote/index.ts';
import type { HubClient } from '../../../src/client/connect.ts';
import { waitForExit } from '../../../src/client/processes.ts';
import { writeHubFile } from '../../../src/hub/rpc/hub-file.ts';
import type { HostKeyQuestion } from '../../../src/protocol/probe.ts';
import type { HubService } from '../../../src/protocol/service.ts';
import { signal, type Sshd, type SshdOptions } from '../../fixtures/ssh/sshd.ts';
import { startFakeHub, until } from '../../hub/rpc/fake-hub.ts';
import { SshGround, hostBlock } from '../../hub/ssh/ground.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const EXIT_MS = 30_000;

/** A computer, and one machine that it reaches as `there`. */
export class RemoteGround {
  readonly ssh: SshGround;
  readonly server: Sshd;
  readonly sshConfigFile: string;
  /** Home folder of the machine. */
  readonly home: string;
  readonly asked: HostKeyQuestion[] = [];
  readonly #ends: (() => Promise<unknown> | void)[] = [];

  private constructor(ssh: SshGround, server: Sshd, sshConfigFile: string) {
    this.ssh = ssh;
    this.server = server;
    this.sshConfigFile = sshConfigFile;
    this.home = join(ssh.root, 'm', 'home');
  }

  static async make(options: Partial<SshdOptions> = {}): Promise<RemoteGround> {
    const ssh = await SshGround.make();
    const server = await ssh.serve('m', options);
    return new RemoteGround(ssh, server, await ssh.file('ssh_config', ...hostBlock('there', server)));
  }

  /** The folder that a hub there has when nobody says anything. */
  get usualDataDir(): string {
    return join(this.home, '.local', 'state', 'claude-sync');
  }

  /** @param answer to questions about host keys. */
  options(more: Partial<room.RemoteHubOptions> = {}, answer = false): room.RemoteHubOptions {
    return {
      host: 'there',
      home: this.ssh.root,
      env: process.env,
      sshConfigFile: this.sshConfigFile,
      dataDir: null,
      acceptHostKey: async (question) => {
        this.asked.push(question);
        return answer;
      },
      ...more,
    };
  }

  /** Ends with the test. */
  async connect(more: Partial<room.RemoteHubOptions> = {}, answer = false): Promise<HubClient> {
    const client = await connectToRemoteHub(room, { ...this.options(more, answer), client: 'test', version: '1' });
    this.#ends.push(() => client.close());
    return client;
  }

  /** A real RPC server of this process, which the machine's hub.json names. */
  async hub(dataDir = this.usualDataDir, answers: Partial<HubService> = {}) {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const hub = await startFakeHub(dataDir, answers);
    this.#ends.push(() => hub.server.close());
    const { socketPath: socket } = hub;
    await writeHubFile({ pid: process.pid, socket, version: '0.1.0', startedAt: 1, dataDir, config: null });
    return hub;
  }

  /** A hub that was killed, and left its hub.json and its socket. */
  async killedHub(dataDir = this.usualDataDir): Promise<void> {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const words = ['test/cli/hub-process.ts', 'hub', '--data-dir', dataDir, '--socket', join(dataDir, 'h.sock')];
    const child: ChildProcess = spawn(process.execPath, words, { cwd: REPOSITORY, stdio: 'ignore' });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    this.#ends.push(() => void child.kill('SIGKILL'));
    await until('it published hub.json', () =>
      readFile(join(dataDir, 'hub.json')).then(
        () => true,
        () => false,
      ),
    );
    child.kill('SIGKILL');
    await exited;
  }

  /** Puts a `claude-sync` into the PATH of login shells there. @param script of /bin/sh. */
  async install(script: string): Promise<void> {
    const folder = join(this.home, 'own bin');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'claude-sync'), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, 'claude-sync'), 0o755);
    // Start files print, and leave variables of the tests behind.
    await this.profile('echo "welcome to this machine"', `PATH="${folder}:$PATH"; export PATH`);
  }

  /** The real program; its socket is in the folder of the test. */
  program(): Promise<void> {
    return this.install(
      `TMPDIR='${this.ssh.root}' exec '${process.execPath}' '${join(REPOSITORY, 'src/cli/main.ts')}' "$@"`,
    );
  }

  async profile(...lines: readonly string[]): Promise<void> {
    await writeFile(join(this.home, '.profile'), lines.map((line) => `${line}\n`).join(''));
  }

  /** Stops a hub that the test started there, at the latest with the test. */
  async willEnd(pid: number): Promise<void> {
    this.#ends.push(async () => {
      if (await waitForExit(pid, EXIT_MS)) return;
      signal(pid, 'SIGKILL');
      throw new Error(`the hub ${pid} did not end`);
    });
  }

  async end(): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
    await this.ssh.end();
  }
}
