import type { Command } from 'commander';
import type { CommandHost } from '../cli.ts';
import { confirm } from '../confirm.ts';
import { EXIT } from '../failure.ts';
import { withMachineDesk } from '../machine-service.ts';
import { plainLine } from '../../client/plain-text.ts';

/** `machines remove`: takes a machine out of the configuration; its files, and the hub's, stay. */
export function addMachinesRemove(machines: Command, host: CommandHost): void {
  host
    .command(machines, 'remove', 'take a machine out; nothing is deleted, there or anywhere')
    .argument('<machine>')
    .option('--yes', 'do not ask')
    .action(
      host.run(async (cli, machine: string, options: { yes?: true }) => {
        const name = plainLine(machine);
        const question = `Take ${name} out of the configuration? Nothing is deleted: its files stay there, and what the hub has of it stays at the hub.`;
        if (!options.yes && !(await confirm(cli.world, question, '--yes'))) {
          cli.out.result({ machine, removed: false }, () => cli.out.line('nothing was changed'));
          return EXIT.failed;
        }
        const result = await withMachineDesk(cli, (desk) => desk.request('machines/remove', { machine }));
        cli.out.result({ ...result, removed: true }, () => {
          cli.out.line(out(name, result.config));
          cli.out.line('nothing was deleted: its files stay there, and what the hub has of it stays at the hub');
        });
        return EXIT.done;
      }),
    );
}

function out(name: string, config: string): string {
  return `${name} is out of ${plainLine(config)} and no longer synced`;
}
