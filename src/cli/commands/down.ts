import type { Command } from 'commander';
import type { CommandHost } from '../cli.ts';
import { HubError } from '../../protocol/errors.ts';
import { EXIT } from '../failure.ts';
import { waitForExit } from '../processes.ts';

/** How long a hub may take to put everything in order and end, in ms. */
const STOP_MS = 30_000;

/** `down`: asks the hub to stop and waits until its process has ended. */
export function addDown(program: Command, host: CommandHost): void {
  host.command(program, 'down', 'stop the hub').action(
    host.run(async (cli) => {
      const pid = await cli.withHub(async (hub) => {
        try {
          await hub.request('hub/shutdown', {});
        } catch (error) {
          // A hub that is quick to stop may be gone before its answer is; whether its process ends is looked at below.
          if (!HubError.is(error, 'disconnected', 'shutting-down')) throw error;
        }
        return hub.hello.pid;
      });
      if (!(await waitForExit(pid, STOP_MS))) {
        throw new HubError('timed-out', `the hub (pid ${pid}) is still stopping after ${STOP_MS / 1000} s`, {
          unchanged: 'It was asked to stop, and will end when it is done.',
          next: 'Its log says what it is doing.',
        });
      }
      cli.out.result({ stopped: true, pid }, () => cli.out.line(`the hub (pid ${pid}) has stopped`));
      return EXIT.done;
    }),
  );
}
