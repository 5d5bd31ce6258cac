import { z } from 'zod';
import { HubError } from '../../protocol/errors.ts';
import type { MachineTarget } from '../../protocol/probe.ts';
import { configSchema, type MachineConfig, type MachineConfigInput, type SshMachineConfig } from '../config/schema.ts';

/**
 * What somebody asked for as an entry of the configuration, checked as the configuration is.
 * @throws {HubError} `invalid-params` with what is wrong.
 */
export function entryOf(machine: string, entry: object): { written: MachineConfigInput; full: MachineConfig } {
  const parsed = configSchema.safeParse({ machines: { [machine]: entry } });
  const full = parsed.data?.machines[machine];
  if (full !== undefined) return { written: entry as MachineConfigInput, full };
  const wrong = parsed.error === undefined ? 'it makes no sense' : z.prettifyError(parsed.error);
  throw new HubError(
    'invalid-params',
    `the machine ${machine} cannot be configured like this: ${wrong.replaceAll('\n', ' ')}`,
    {
      unchanged: 'Nothing was changed.',
      next: 'See claude-sync machines add --help.',
    },
  );
}

/** As `entryOf`, for a machine over SSH. */
export function sshEntryOf(machine: string, target: MachineTarget): SshMachineConfig {
  const { full } = entryOf(machine, { transport: 'ssh', ...target });
  if (full.transport !== 'ssh') throw new Error('an SSH entry was read as another one');
  return full;
}
