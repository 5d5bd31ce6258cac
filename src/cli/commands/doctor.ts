import { join } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../../hub/config/load.ts';
import { ConfigError } from '../../hub/config/config-error.ts';
import type { Finding } from '../../protocol/doctor.ts';
import { HubError } from '../../protocol/errors.ts';
import type { Cli, CommandHost } from '../cli.ts';
import { EXIT } from '../failure.ts';
import { plainLine } from '../../client/plain-text.ts';

/**
 * `doctor`: every checked prerequisite with its fix. Fails (1) when there is a problem. While no hub runs it says so (3) and
 * checks what can be checked without one.
 */
export function addDoctor(program: Command, host: CommandHost): void {
  host.command(program, 'doctor', 'check every prerequisite on the hub and on each machine').action(
    host.run(async (cli) => {
      try {
        const { findings } = await cli.withHub((hub) => hub.request('doctor/run', {}));
        printFindings(cli, findings);
        return findings.some(({ severity }) => severity === 'problem') ? EXIT.failed : EXIT.done;
      } catch (error) {
        if (!HubError.is(error, 'not-running')) throw error;
        const database = await checkDatabase(cli);
        const running: Finding = {
          check: 'hub-running',
          severity: 'problem',
          machine: null,
          message: error.message,
          // A start would only fail.
          fix: database === null ? 'claude-sync up' : 'See to the database first, then: claude-sync up',
        };
        printFindings(cli, [running, ...(database === null ? [] : [database]), await checkConfig(cli)]);
        return EXIT.notRunning;
      }
    }),
  );
}

/** Loads the database's library, which the other commands do without. */
async function checkDatabase({ places }: Cli): Promise<Finding | null> {
  const { databaseTrouble } = await import('../../hub/store/database-trouble.ts');
  const trouble = databaseTrouble(join(places.dataDir, 'sync.db'));
  if (trouble === null) return null;
  // Its message ends with what to do.
  return {
    check: 'database',
    severity: 'problem',
    machine: null,
    message: trouble.message,
    fix: DATABASE_FIX[trouble.name] ?? null,
  };
}

const DATABASE_FIX: Readonly<Record<string, string>> = {
  StoreFromNewerVersion: 'Install the newer version of claude-sync again.',
  StoreDamaged: 'Move the database away and start the hub: it makes a new one.',
  StoreUnopenable: 'Check the rights and the free space of its folder.',
};

async function checkConfig({ places, world }: Cli): Promise<Finding> {
  const finding = { check: 'configuration', machine: null };
  try {
    await loadConfig(places.configFile, world.home);
    return { ...finding, severity: 'ok', message: `${places.configFile} is good`, fix: null };
  } catch (error) {
    if (!ConfigError.is(error)) throw error;
    if (error.code === 'missing' && !places.configFileNamed) {
      return { ...finding, severity: 'ok', message: 'no configuration file: the embedded default is used', fix: null };
    }
    return { ...finding, severity: 'problem', message: error.message, fix: `correct ${places.configFile}` };
  }
}

function printFindings({ out }: Cli, findings: readonly Finding[]): void {
  out.result({ findings }, () => {
    for (const { severity, machine, message, fix } of findings) {
      const tint = severity === 'ok' ? 'green' : severity === 'warning' ? 'yellow' : 'red';
      out.line(
        `${out.tint(tint, severity.padEnd(7))}  ${machine === null ? '' : `${plainLine(machine)}: `}${plainLine(message)}`,
      );
      if (fix !== null) out.line(`         fix: ${plainLine(fix)}`);
    }
  });
}
