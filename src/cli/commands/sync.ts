import type { Command } from 'commander';
import type { CommandHost } from '../cli.ts';
import { EXIT } from '../failure.ts';
import { duration } from '../../client/figures.ts';
import { showFirstSync } from '../first-sync-bars.ts';
import { plainLine } from '../../client/plain-text.ts';
import { table } from '../table.ts';

/** `sync`: scan and reconcile now; fails (1) when a machine could not be scanned. */
export function addSync(program: Command, host: CommandHost): void {
  host
    .command(program, 'sync', 'scan and reconcile now')
    .argument('[machine]', 'only this machine')
    .action(
      host.run(async (cli, machine: string | undefined) => {
        const result = await cli.withHub(async (hub) => {
          const hide = showFirstSync(hub, cli.out, cli.world);
          try {
            return await hub.request('sync/now', machine === undefined ? {} : { machine });
          } finally {
            hide();
          }
        });
        cli.out.result(result, () => {
          const rows = result.machines.map(({ name, status, files, changes, durationMs }) => [
            name,
            status,
            String(files),
            String(changes),
            duration(durationMs),
          ]);
          cli.out.line(table(['MACHINE', 'STATUS', 'FILES', 'CHANGES', 'TOOK'], rows));
          for (const { name, problem } of result.machines) {
            if (problem !== null) cli.out.line(cli.out.tint('red', `${plainLine(name)}: ${plainLine(problem)}`));
          }
        });
        return result.machines.some(({ problem }) => problem !== null) ? EXIT.failed : EXIT.done;
      }),
    );
}
