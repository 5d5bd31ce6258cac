import type { Command } from 'commander';
import type { CommandHost } from '../cli.ts';
import { EXIT } from '../failure.ts';
import { bytes } from '../../client/figures.ts';
import { plainLine } from '../../client/plain-text.ts';
import { positiveNumber } from './arguments.ts';

/** `restore KEY`: brings content back, see docs/sync.md section 9. */
export function addRestore(program: Command, host: CommandHost): void {
  host
    .command(program, 'restore', 'bring a session, a file, or an earlier version of it back')
    .argument('<key>', 'key, path below the Claude folder, or session uuid')
    .option('--version <n>', 'this kept version (of a session: as a new session)', positiveNumber)
    .option('--machine <name>', 'only on this machine (what was swept away there)')
    .action(
      host.run(async (cli, key: string, options: { version?: number; machine?: string }) => {
        const { version, machine } = options;
        const params = {
          key,
          ...(version === undefined ? {} : { version }),
          ...(machine === undefined ? {} : { machine }),
        };
        const result = await cli.withHub((hub) => hub.request('versions/restore', params));
        cli.out.result(result, () => {
          const where = result.machines.length === 0 ? 'no machine yet' : result.machines.join(', ');
          cli.out.line(`restored ${plainLine(result.key)} (${bytes(result.bytes)}) to ${plainLine(where)}`);
          if (result.restoredAs !== result.key) cli.out.line(`as ${plainLine(result.restoredAs)}`);
        });
        return EXIT.done;
      }),
    );
}
