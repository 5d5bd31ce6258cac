import { Command, CommanderError } from 'commander';
import { PRODUCT_VERSION } from '../protocol/product-version.ts';
import { Cli, globalOptions, withGlobalOptions, type Action, type CommandHost } from './cli.ts';
import { addAlerts } from './commands/alerts.ts';
import { addApprove } from './commands/approve.ts';
import { addConflicts } from './commands/conflicts.ts';
import { addDemo } from './commands/demo.ts';
import { addDoctor } from './commands/doctor.ts';
import { addDown } from './commands/down.ts';
import { addForget } from './commands/forget.ts';
import { addHistory } from './commands/history.ts';
import { addHub } from './commands/hub.ts';
import { addJoin } from './commands/join.ts';
import { addLogs } from './commands/logs.ts';
import { addMachines } from './commands/machines.ts';
import { addMetrics } from './commands/metrics.ts';
import { addPrs } from './commands/prs.ts';
import { addRestore } from './commands/restore.ts';
import { addStatus } from './commands/status.ts';
import { addSync } from './commands/sync.ts';
import { addUp } from './commands/up.ts';
import { addVersions } from './commands/versions.ts';
import { addWait } from './commands/wait.ts';
import { addWhere } from './commands/where.ts';
import { EXIT, failureOf, UsageError, type ExitCode } from './failure.ts';
import { Output } from './output.ts';
import type { Surroundings } from './surroundings.ts';

/** The commands, in the order of the help text. */
const COMMANDS = [
  addHub,
  addUp,
  addDown,
  addWhere,
  addStatus,
  addWait,
  addSync,
  addMachines,
  addJoin,
  addDoctor,
  addConflicts,
  addVersions,
  addRestore,
  addForget,
  addHistory,
  addApprove,
  addPrs,
  addAlerts,
  addMetrics,
  addLogs,
  addDemo,
];

/**
 * Runs one command line.
 * @param argv arguments after the program's name.
 * @returns the exit code (`EXIT`); every error has been printed by then.
 */
export async function runCli(argv: readonly string[], world: Surroundings): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done;
  // Wrong usage is found before the options are known, so this one is looked for by hand.
  const rest = argv.indexOf('--');
  const json = (rest < 0 ? argv : argv.slice(0, rest)).includes('--json');
  const report = (error: unknown): ExitCode => {
    const failure = failureOf(error);
    new Output(world, json).fail(failure);
    return failure.exitCode;
  };

  const program = new Command('claude-sync')
    .description('Keeps your Claude Code conversations the same on all of your machines, and loses nothing.')
    .version(PRODUCT_VERSION)
    // `--version` belongs to the program only in front of a command: `restore --version N` has its own.
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void world.stderr.write(text),
      // Reported below, once, in the form that was asked for.
      outputError: () => undefined,
    });
  withGlobalOptions(program);
  const host: CommandHost = {
    command: (parent, usage, description, options) =>
      withGlobalOptions(parent.command(usage, options).description(description)),
    run:
      <A extends unknown[]>(action: Action<A>) =>
      async (...args: unknown[]) => {
        const command = args.pop() as Command;
        // Commander has checked the rest against the command's declaration, which the action's types repeat.
        exitCode = await action(new Cli(world, globalOptions(command)), ...(args as A));
      },
  };
  for (const add of COMMANDS) add(program, host);

  try {
    if (argv.length === 0) {
      program.outputHelp({ error: true });
      return EXIT.usage;
    }
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return report(error);
    if (error.exitCode === 0) return EXIT.done;
    // A group without its command prints its help, which says what is missing.
    if (error.code === 'commander.help') return EXIT.usage;
    return report(new UsageError(error.message.replace(/^error: /, '')));
  }
}
