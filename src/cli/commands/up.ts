import type { Command } from 'commander';
import type { HubClient } from '../../client/connect.ts';
import { HubError } from '../../protocol/errors.ts';
import type { Cli, CommandHost } from '../cli.ts';
import { EXIT } from '../failure.ts';
import { showFirstSync } from '../first-sync-bars.ts';
import { secondsAsMs } from './arguments.ts';

/** How long a hub may take to answer after its start, in ms. */
const START_MS = 30_000;

/** `up`: starts a detached hub and returns when it answers. Does nothing when one runs already. */
export function addUp(program: Command, host: CommandHost): void {
  host
    .command(program, 'up', 'start a detached hub')
    .option('--wait <seconds>', 'then wait this long until everything is in sync', secondsAsMs)
    .action(
      host.run(async (cli, options: { wait?: number }) => {
        const running = await connectIfRunning(cli);
        const hub = running ?? (await cli.launchHub(START_MS));
        try {
          const { pid, version } = hub.hello;
          const { socket } = await hub.request('hub/where', {});
          const settled = options.wait === undefined ? null : await waitSettled(cli, hub, options.wait);
          cli.out.result(
            { pid, version, socket, alreadyRunning: running !== null, ...(settled === null ? {} : { settled }) },
            () => {
              cli.out.line(running === null ? `the hub is up (pid ${pid})` : `the hub is already running (pid ${pid})`);
              if (settled === false) cli.out.line('not everything is in sync yet: claude-sync wait');
            },
          );
          return settled === false ? EXIT.timedOut : EXIT.done;
        } finally {
          hub.close();
        }
      }),
    );
}

async function connectIfRunning(cli: Cli): Promise<HubClient | null> {
  try {
    return await cli.connect(START_MS);
  } catch (error) {
    if (HubError.is(error, 'not-running')) return null;
    throw error;
  }
}

async function waitSettled(cli: Cli, hub: HubClient, timeoutMs: number): Promise<boolean> {
  const hide = showFirstSync(hub, cli.out, cli.world);
  try {
    return (await hub.request('hub/wait', { timeoutMs })).settled;
  } finally {
    hide();
  }
}
