import type { Command } from 'commander';
import { stopHub } from '../../client/stop-hub.ts';
import type { CommandHost } from '../cli.ts';
import { EXIT } from '../failure.ts';

/** `down`: asks the hub to stop and waits until its process has ended. */
export function addDown(program: Command, host: CommandHost): void {
  host.command(program, 'down', 'stop the hub').action(
    host.run(async (cli) => {
      const pid = await cli.withHub((hub) => stopHub(hub));
      cli.out.result({ stopped: true, pid }, () => cli.out.line(`the hub (pid ${pid}) has stopped`));
      return EXIT.done;
    }),
  );
}
