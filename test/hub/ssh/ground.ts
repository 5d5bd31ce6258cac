import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { appendFile, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { EstablishedConnection } from '../../../src/hub/ssh/established.ts';
import { SshFailure } from '../../../src/hub/ssh/failures.ts';
import type { SshFailureCode } from '../../../src/hub/ssh/failures.ts';
import { Sshd, makeKey } from '../../fixtures/ssh/sshd.ts';
import type { SshdOptions } from '../../fixtures/ssh/sshd.ts';
import { until } from '../hub-ground.ts';

export const run = promisify(execFile);

/** A folder for one test, with servers, agents and connections that end with it. */
export class SshGround {
  readonly root: string;
  readonly #servers: Sshd[] = [];
  readonly #agents: ChildProcess[] = [];
  readonly #connections: EstablishedConnection[] = [];

  private constructor(root: string) {
    this.root = root;
  }

  static async make(): Promise<SshGround> {
    return new SshGround(await mkdtemp(join(tmpdir(), 'ssh-')));
  }

  /** A server called `name`, whose log tells what was asked of it. */
  async serve(name: string, more: Partial<SshdOptions> = {}): Promise<Sshd> {
    const home = join(this.root, name, 'home');
    await mkdir(home, { recursive: true });
    const folder = join(this.root, name, 'sshd');
    const server = await Sshd.start({
      folder,
      home,
      ...more,
      config: ['LogLevel DEBUG1', ...(more.config ?? [])],
    });
    this.#servers.push(server);
    return server;
  }

  /** Ends with the test. */
  keep(connection: EstablishedConnection): EstablishedConnection {
    this.#connections.push(connection);
    return connection;
  }

  /** An ssh-agent that holds keys; all of them have the passphrase `secret` or none. */
  async agent(...keys: readonly string[]): Promise<string> {
    const socket = join(this.root, `agent-${this.#agents.length}`);
    const askpass = join(this.root, 'askpass');
    await writeFile(askpass, '#!/bin/sh\necho secret\n');
    await chmod(askpass, 0o700);
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    this.#agents.push(agent);
    const env = { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' };
    await until('the agent answers', () =>
      run('ssh-add', ['-l'], { env }).then(
        () => true,
        (error: { code: number }) => error.code === 1,
      ),
    );
    for (const key of keys) await run('ssh-add', ['-q', key], { env });
    return socket;
  }

  /** A new ed25519 key. */
  async key(name: string, passphrase = ''): Promise<string> {
    const file = join(this.root, name);
    await makeKey(file, passphrase);
    return file;
  }

  /** A file with these lines. */
  async file(name: string, ...lines: readonly string[]): Promise<string> {
    const file = join(this.root, name);
    await writeFile(file, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
    return file;
  }

  async end(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    for (const server of this.#servers) await server.stop();
    for (const agent of this.#agents) agent.kill();
    await rm(this.root, { recursive: true, force: true });
  }
}

/** Lets a key in. */
export async function letIn(server: Sshd, key: string): Promise<void> {
  await appendFile(join(server.folder, 'authorized_keys'), await readFile(`${key}.pub`));
}

/** The lines of ssh_config with which `ssh alias` reaches a server. */
export function hostBlock(alias: string, server: Sshd, ...more: readonly string[]): string[] {
  return [
    `Host ${alias}`,
    `  HostName ${server.address}`,
    `  Port ${server.port}`,
    '  User root',
    `  IdentityFile ${server.identityFile}`,
    `  UserKnownHostsFile ${server.knownHostsFile}`,
    '  GlobalKnownHostsFile none',
    ...more.map((line) => `  ${line}`),
  ];
}

/** The failure that `attempt` ends with, which must be of one of these kinds. */
export async function failureOf(attempt: Promise<unknown>, ...codes: SshFailureCode[]): Promise<SshFailure> {
  const error = await attempt.then(
    () => assert.fail(`should have failed: ${codes.join()}`),
    (reason: unknown) => reason,
  );
  assert.ok(SshFailure.is(error, ...codes), `${String(error)} is none of ${codes.join()}`);
  return error;
}

/** How often somebody began to sign in at a server. */
export function signInsAt(server: Sshd): number {
  return server.log.split('userauth-request for user').length - 1;
}
