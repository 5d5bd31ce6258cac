import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { HubError } from '../../protocol/errors.ts';
import type { DryRun, MachineTarget, MachinesAddResult, ProbeReport } from '../../protocol/probe.ts';
import type { Cli, CommandHost } from '../cli.ts';
import { confirm } from '../confirm.ts';
import { parseDestination } from '../destination.ts';
import { EXIT, UsageError, type ExitCode } from '../failure.ts';
import { acceptedFingerprint, hasTerminal } from '../host-key.ts';
import { withMachineDesk, type MachineDesk } from '../machine-service.ts';
import { plainLine } from '../../client/plain-text.ts';
import { CLEAN_UP_DAYS } from '../../client/probe-words.ts';
import { printDryRun, printProbe } from '../probe-report.ts';
import { positiveNumber } from './arguments.ts';

interface AddOptions {
  readonly os?: string;
  readonly claudeDir?: string;
  readonly home?: string;
  readonly identity?: string;
  readonly knownHosts?: string;
  readonly watch?: string;
  /** commander: false with `--no-rsync`. */
  readonly rsync: boolean;
  readonly trust?: string;
  readonly local?: string;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly raiseCleanUp?: true | number;
  readonly acceptHostKey?: readonly string[];
}

/** `machines add`: looks at a machine, shows what the first sync would do, asks, and writes the configuration. */
export function addMachinesAdd(machines: Command, host: CommandHost): void {
  host
    .command(machines, 'add', 'look at a machine, show what its first sync would do, and add it')
    .argument('<name>', 'how the machine is to be called')
    .argument('[destination]', '[user@]host[:port] as for ssh; an alias of your ssh_config will do')
    .addOption(new Option('--os <os>', 'its system (default: asked)').choices(['linux', 'macos', 'windows']))
    .option('--claude-dir <dir>', "Claude Code's folder there (default: ~/.claude)")
    .option('--home <dir>', 'home folder there (default: asked)')
    .option('--identity <file>', 'private key on the hub')
    .option('--known-hosts <file>', 'file on the hub that its host key is checked against')
    .addOption(
      new Option('--watch <how>', 'how changes are noticed').choices(['auto', 'inotifywait', 'fswatch', 'poll']),
    )
    .option('--no-rsync', 'transfer everything over SFTP')
    .addOption(
      new Option('--trust <trust>', '"data": what Claude Code executes waits for your approval').choices([
        'full',
        'data',
      ]),
    )
    .option('--local <dir>', "a Claude Code folder of the hub's own computer instead of a destination")
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only look, and change nothing')
    .option(
      '--raise-clean-up [days]',
      `have Claude Code keep conversations there for this many days (${CLEAN_UP_DAYS})`,
      positiveNumber,
    )
    .option(
      '--accept-host-key <fingerprint>',
      'a host key (SHA256:...) that you have compared; may be repeated',
      (value: string, before: readonly string[] = []) => [...before, value],
    )
    .action(
      host.run(async (cli, name: string, destination: string | undefined, options: AddOptions) => {
        if ((destination === undefined) === (options.local === undefined))
          throw new UsageError('name a destination ([user@]host[:port]), or a folder with --local');
        if (options.yes === undefined && options.dryRun === undefined && !hasTerminal(cli))
          throw new UsageError(
            'this asks before it changes anything and there is no terminal to ask on: add --yes, or --dry-run to only look',
          );
        return withMachineDesk(cli, (desk) =>
          options.local === undefined
            ? addOverSsh(cli, desk, name, targetOf(cli, destination ?? '', options), options)
            : addFolder(cli, desk, name, options.local, options),
        );
      }),
    );
}

function targetOf({ world }: Cli, destination: string, options: AddOptions): MachineTarget {
  const { os, claudeDir, home, identity, knownHosts, watch, rsync, trust } = options;
  // Of the hub's computer, wherever the hub was started.
  const file = (path: string): string => (/^~(?:\/|$)/.test(path) ? path : resolve(world.cwd, path));
  return {
    ...parseDestination(destination),
    ...(identity === undefined ? {} : { identityFile: file(identity) }),
    ...(knownHosts === undefined ? {} : { knownHostsFile: file(knownHosts) }),
    ...(os === undefined ? {} : { os }),
    ...(claudeDir === undefined ? {} : { claudeDir }),
    ...(home === undefined ? {} : { home }),
    ...(watch === undefined ? {} : { watch }),
    ...(rsync ? {} : { rsync: 'never' }),
    ...(trust === undefined ? {} : { trust }),
  };
}

async function addOverSsh(
  cli: Cli,
  desk: MachineDesk,
  machine: string,
  target: MachineTarget,
  options: AddOptions,
): Promise<ExitCode> {
  const { report, dryRun } = await look(cli, desk, machine, target, options);
  if (!cli.out.json) {
    printProbe(cli.out, machine, report);
    printDryRun(cli.out, machine, dryRun);
  }
  const told = { machine, report, dryRun };
  const { path, state } = report.claudeDir;
  if (options.dryRun) {
    cli.out.result({ ...told, added: null }, () => cli.out.line('nothing was changed (--dry-run)'));
    return EXIT.done;
  }
  if (state === 'not-a-folder' || state === 'unreadable')
    throw new HubError(
      'refused',
      `${path} on ${machine} ${state === 'unreadable' ? 'cannot be read' : 'is no folder'}`,
      {
        unchanged: 'Nothing was changed.',
        next:
          state === 'unreadable'
            ? 'Give this user the right to read it there: chmod u+rwx.'
            : 'Name another one with --claude-dir.',
      },
    );
  const ask = async (question: string): Promise<boolean> =>
    options.yes === true || (await confirm(cli.world, question, '--yes'));
  const createClaudeDir =
    state === 'missing' && (await ask(`There is no ${plainLine(path)} on ${plainLine(machine)}. Make it?`));
  const isThere = state === 'present' || createClaudeDir;
  const cleanUpDays = isThere ? await cleanUpDaysFor(cli, machine, report, options) : null;
  if (!(await ask(`Add ${plainLine(machine)}?`))) {
    cli.out.result({ ...told, added: null }, () => cli.out.line('nothing was changed'));
    return EXIT.failed;
  }
  const entry = { transport: 'ssh' as const, ...target };
  const added = await desk.request('machines/add', { machine, entry, createClaudeDir, cleanUpDays });
  cli.out.result({ ...told, added }, () => printAdded(cli, added, isThere ? cleanUpDays : null, isThere));
  return EXIT.done;
}

async function addFolder(
  cli: Cli,
  desk: MachineDesk,
  machine: string,
  folder: string,
  options: AddOptions,
): Promise<ExitCode> {
  const { os, home, watch, trust, raiseCleanUp } = options;
  const claudeDir = /^~(?:\/|$)/.test(folder) ? folder : resolve(cli.world.cwd, folder);
  if (options.dryRun) throw new UsageError('--dry-run looks at machines over SSH only');
  if (!options.yes && !(await confirm(cli.world, `Add ${plainLine(claudeDir)} as ${plainLine(machine)}?`, '--yes'))) {
    cli.out.result({ machine, added: null }, () => cli.out.line('nothing was changed'));
    return EXIT.failed;
  }
  const entry = {
    transport: 'local' as const,
    claudeDir,
    ...(home === undefined ? {} : { home }),
    ...(os === undefined ? {} : { os }),
    ...(watch === undefined ? {} : { watch }),
    ...(trust === undefined ? {} : { trust }),
  };
  const cleanUpDays = raiseCleanUp === undefined ? null : raiseCleanUp === true ? CLEAN_UP_DAYS : raiseCleanUp;
  const added = await desk.request('machines/add', { machine, entry, createClaudeDir: true, cleanUpDays });
  cli.out.result({ machine, added }, () => printAdded(cli, added, cleanUpDays, true));
  return EXIT.done;
}

/** Looks at the machine; asks about host keys on the way, one for each server there. */
async function look(
  cli: Cli,
  desk: MachineDesk,
  machine: string,
  target: MachineTarget,
  options: AddOptions,
): Promise<{ report: ProbeReport; dryRun: DryRun | null }> {
  const acceptHostKeys = [...(options.acceptHostKey ?? [])];
  for (;;) {
    const result = await desk.request('machines/probe', { machine, target, acceptHostKeys });
    if (result.kind === 'probed') return result;
    const { question } = result;
    const isRefused = acceptHostKeys.includes(question.fingerprint);
    // Accepted and still unknown: it was written to no avail.
    acceptHostKeys.push(await acceptedFingerprint(cli, question, isRefused ? [] : (options.acceptHostKey ?? [])));
  }
}

/** `null`: settings.json there stays as it is. */
async function cleanUpDaysFor(
  cli: Cli,
  machine: string,
  { cleanUp }: ProbeReport,
  options: AddOptions,
): Promise<number | null> {
  const { raiseCleanUp } = options;
  const wanted = raiseCleanUp === undefined || raiseCleanUp === true ? CLEAN_UP_DAYS : raiseCleanUp;
  if (cleanUp.problem === null && cleanUp.days >= wanted) return null;
  // Also where it will be refused: what was asked for is not left out without a word.
  if (raiseCleanUp !== undefined) return wanted;
  if (cleanUp.problem !== null) return null;
  // Not by a general yes: it is a file of theirs, and the hub keeps everything all the same.
  if (options.yes === true) return null;
  const question = `Claude Code on ${plainLine(machine)} deletes conversations after ${cleanUp.days} days. Make that ${wanted} (settings.json there)?`;
  return (await confirm(cli.world, question, '--raise-clean-up')) ? wanted : null;
}

function printAdded({ out }: Cli, added: MachinesAddResult, cleanUpDays: number | null, isThere: boolean): void {
  const name = plainLine(added.machine);
  if (added.createdClaudeDir) out.line('its Claude folder was made');
  if (cleanUpDays !== null) {
    const kept = added.settingsKept === null ? '' : ` (settings.json as it was: ${plainLine(added.settingsKept)})`;
    out.line(`Claude Code there keeps conversations for ${cleanUpDays} days now${kept}`);
  }
  out.line(out.tint('green', `${name} is added to ${plainLine(added.config)}`));
  if (!isThere) out.line('it begins to sync when its Claude folder is there');
  out.line(
    added.inForce
      ? 'the hub connects to it now and unites both sides; nothing is deleted. claude-sync wait returns when that is done'
      : 'no hub runs: claude-sync up starts one, and it begins to sync',
  );
}
