import { hostname, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { HubThere } from '../../hub/join/hub-there.ts';
import type { EstablishedConnection } from '../../hub/ssh/established.ts';
import type { SshSettings, SshTarget } from '../../hub/ssh/settings.ts';
import { HubError } from '../../protocol/errors.ts';
import type { Cli, CommandHost } from '../cli.ts';
import { confirm } from '../confirm.ts';
import { parseDestination } from '../destination.ts';
import { EXIT, UsageError, type ExitCode } from '../failure.ts';
import { acceptedFingerprint, hasTerminal } from '../host-key.ts';
import { plainLine } from '../../client/plain-text.ts';
import { positiveNumber } from './arguments.ts';

const SSHD_PORT = 22;
const ALIVE_MS = 60_000;

interface JoinOptions {
  readonly name?: string;
  readonly port?: number;
  readonly sshdPort: number;
  readonly identity?: string;
  readonly knownHosts?: string;
  readonly claudeDir?: string;
  readonly authorizedKeys?: string;
  readonly hubCommand: string;
  readonly acceptHostKey?: readonly string[];
  readonly yes?: true;
  readonly once?: true;
}

/** `join`: opens a way from the hub to this computer, over a connection that this computer makes, and keeps it open. */
export function addJoin(program: Command, host: CommandHost): void {
  host
    .command(program, 'join', 'let a hub reach this computer that cannot reach it by itself; stays in the foreground')
    .argument('<hub>', '[user@]host[:port] of the machine that the hub runs on, as for ssh')
    .option('--name <name>', 'how this machine is called there (default: its host name)')
    .option(
      '--port <port>',
      "port of the hub's loopback that leads here (default: one that goes with the name)",
      positiveNumber,
    )
    .option('--sshd-port <port>', "port of this computer's own SSH server", positiveNumber, SSHD_PORT)
    .option('--identity <file>', 'private key to sign in to the hub with')
    .option('--known-hosts <file>', "file that the hub's host key is checked against")
    .option('--claude-dir <dir>', "Claude Code's folder here (default: ~/.claude)")
    .option('--authorized-keys <file>', 'where keys are let in here (default: ~/.ssh/authorized_keys)')
    .option('--hub-command <command>', 'how claude-sync is called there', 'claude-sync')
    .option(
      '--accept-host-key <fingerprint>',
      'a host key (SHA256:...) of the hub that you have compared; may be repeated',
      (value: string, before: readonly string[] = []) => [...before, value],
    )
    .option('--yes', 'do not ask')
    .option('--once', 'open the way, try it, and take it back')
    .action(host.run((cli, hub: string, options: JoinOptions) => joinHub(cli, hub, options)));
}

async function joinHub(cli: Cli, hub: string, options: JoinOptions): Promise<ExitCode> {
  if (options.yes === undefined && !hasTerminal(cli))
    throw new UsageError('this asks before it lets the hub in and there is no terminal to ask on: add --yes');
  // What only this command needs.
  const [
    { connectSsh },
    { resolveSshSettings },
    { keepReverseForward },
    own,
    { machineNameFrom },
    ports,
    { asHubError },
  ] = await Promise.all([
    import('../../hub/ssh/connect.ts'),
    import('../../hub/ssh/settings.ts'),
    import('../../hub/join/reverse-forward.ts'),
    import('../../hub/join/own-machine.ts'),
    import('../../hub/config/default-config.ts'),
    import('../../hub/ports/system.ts'),
    import('../../hub/probe/open-for-user.ts'),
  ]);
  const { world } = cli;
  const machine = options.name ?? machineNameFrom(hostname());
  const port = options.port ?? own.usualPort(machine);
  const ended = new AbortController();
  const onSignal = (): void => ended.abort();
  for (const signal of SIGNALS) process.on(signal, onSignal);
  // Between two tries nothing else keeps the process alive.
  const alive = setInterval(() => undefined, ALIVE_MS);
  try {
    const keys = await own.ownHostKeys(options.sshdPort);
    const settings = await resolveSshSettings(targetOf(cli, hub, options), { home: world.home });
    const clock = ports.systemClock;
    const connectOnce = (): Promise<EstablishedConnection> => connectSsh(settings, { clock, signal: ended.signal });
    await settleHostKeys(cli, connectOnce, options);
    let passed = true;
    let isIntroduced = false;
    await keepReverseForward({
      open: connectOnce,
      port,
      sshdPort: options.sshdPort,
      clock,
      signal: ended.signal,
      onOpen: async (connection) => {
        if (!isIntroduced) {
          const there = await hubThere(connection, settings, options);
          const trouble = await introduce(cli, there, { machine, port, keys, hub }, options);
          isIntroduced = true;
          passed = trouble.length === 0;
          tell(cli, { event: 'joined', machine, port, trouble }, [
            `${machine}: the hub on ${settings.hostname} reaches this computer at 127.0.0.1:${port}`,
            ...trouble.flatMap(({ message, fix }) => [`but: ${message}`, ...(fix === null ? [] : [`  fix: ${fix}`])]),
            ...(options.once ? [] : ['it does as long as this runs; Ctrl-C takes the way back']),
          ]);
          if (options.once) ended.abort();
        } else tell(cli, { event: 'reopened', machine, port }, ['the way is open again']);
      },
      onClosed: (reason, retryMs) =>
        tell(cli, { event: 'closed', machine, reason: reason.message, retryMs }, [
          `the way is closed: ${reason.message.split('\n')[0] ?? ''}; tried again in ${retryMs / 1000} s`,
        ]),
    });
    tell(cli, { event: 'left', machine }, ['the way to this computer is taken back; what was synced stays']);
    return passed ? EXIT.done : EXIT.failed;
  } catch (error) {
    throw asHubError(error);
  } finally {
    clearInterval(alive);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function targetOf({ world }: Cli, hub: string, { identity, knownHosts }: JoinOptions): SshTarget {
  const file = (path: string): string => (/^~(?:\/|$)/.test(path) ? path : resolve(world.cwd, path));
  return {
    ...parseDestination(hub),
    identityFile: identity === undefined ? undefined : file(identity),
    knownHostsFile: knownHosts === undefined ? undefined : file(knownHosts),
  };
}

/** Connects for a moment, and asks about host keys that are not known: one for each server on the way. */
async function settleHostKeys(
  cli: Cli,
  open: () => Promise<EstablishedConnection>,
  options: JoinOptions,
): Promise<void> {
  const { HostKeyFailure, showFingerprint } = await import('../../hub/ssh/failures.ts');
  const { acceptHostKey } = await import('../../hub/ssh/accept-host-key.ts');
  const written = new Set<string>();
  for (;;) {
    try {
      return (await open()).close();
    } catch (error) {
      if (!(error instanceof HostKeyFailure) || error.code !== 'host-key-unknown') throw error;
      const { server, type, fingerprint, files } = error.offered;
      const [file] = files;
      if (file === undefined || written.has(fingerprint)) throw error;
      await acceptedFingerprint(
        cli,
        { server, type, fingerprint, file, compareWith: showFingerprint(type) },
        options.acceptHostKey ?? [],
      );
      written.add(fingerprint);
      await acceptHostKey(error);
    }
  }
}

async function hubThere(
  connection: EstablishedConnection,
  settings: SshSettings,
  options: JoinOptions,
): Promise<HubThere> {
  const [{ HubThere: There }, { createRemoteCommands }, { systemClock, systemRandom }] = await Promise.all([
    import('../../hub/join/hub-there.ts'),
    import('../../hub/ssh/remote-commands.ts'),
    import('../../hub/ports/system.ts'),
  ]);
  const commands = createRemoteCommands(connection, { clock: systemClock, random: systemRandom });
  return new There(commands, options.hubCommand, settings.host);
}

/** Lets the hub in here, and tells it of this machine. @returns what does not work yet. */
async function introduce(
  cli: Cli,
  there: HubThere,
  way: { readonly machine: string; readonly port: number; readonly keys: readonly string[]; readonly hub: string },
  options: JoinOptions,
): Promise<readonly { readonly message: string; readonly fix: string | null }[]> {
  const { authorize, authorizedLine, isAuthorized } = await import('../../hub/join/own-machine.ts');
  const { machine, port, keys, hub } = way;
  const dataDir = await there.dataDir();
  const { publicKey, identityFile } = await there.ownKey(dataDir);
  const file = options.authorizedKeys ?? join(cli.world.home, '.ssh', 'authorized_keys');
  if (!(await isAuthorized(file, publicKey))) {
    const question = `Let the hub on ${plainLine(hub)} read and write here as ${userInfo().username}, through this way only (${plainLine(file)})?`;
    if (options.yes === undefined && !(await confirm(cli.world, question, '--yes')))
      throw new HubError('refused', 'the hub was not let in', { unchanged: 'Nothing was changed here.', next: null });
    await authorize(file, authorizedLine(publicKey, hub));
  }
  const knownHosts = await there.writeHostKeys(dataDir, machine, port, keys);
  const added = await there.addMachine(machine, `${userInfo().username}@127.0.0.1:${port}`, [
    ...['--identity', identityFile, '--known-hosts', knownHosts],
    ...(options.claudeDir === undefined ? [] : ['--claude-dir', resolve(cli.world.cwd, options.claudeDir)]),
  ]);
  const trouble = await there.troubleWith(machine);
  if (added || trouble.length === 0) return trouble;
  return trouble.map(({ message, fix }) => ({
    message,
    fix: `${fix ?? ''} The hub had a machine "${machine}" already: if that is another one, join with --name; if its port is another one, join with --port.`.trim(),
  }));
}

function tell(cli: Cli, event: object, lines: readonly string[]): void {
  if (cli.out.json) cli.out.event(event);
  else for (const line of lines) cli.out.line(plainLine(line));
}
