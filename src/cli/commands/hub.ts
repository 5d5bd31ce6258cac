import type { Command } from 'commander';
import { loadConfig } from '../../hub/config/load.ts';
import type { Config } from '../../hub/config/schema.ts';
import { connectToHub } from '../../client/connect.ts';
import { HubError } from '../../protocol/errors.ts';
import { PRODUCT_VERSION } from '../../protocol/product-version.ts';
import type { Cli, CommandHost } from '../cli.ts';
import type { ExitCode } from '../failure.ts';
import { showFirstSync } from '../first-sync-bars.ts';

const POLL_MS = 100;

/** `hub`: the daemon itself, in the foreground, until it is told to stop. */
export function addHub(program: Command, host: CommandHost): void {
  host.command(program, 'hub', 'run the hub in the foreground').action(
    host.run(async (cli) => {
      const { configFile, configFileNamed, dataDir, socket, logFile } = cli.places;
      // A file that was named has to be there and good; without a name the embedded default may stand in.
      if (configFileNamed) await loadConfig(configFile, cli.world.home);
      // Loaded here only: it brings the database along, which no other command needs.
      const { runHub } = await import('../../hub/main.ts');
      const { openLog } = await import('../../hub/log/open-log.ts');
      const log = openLog({ file: logFile, onTrouble: (reason) => cli.out.note(reason) });
      const ended = new AbortController();
      const watching = watchFirstSync(cli, ended.signal);
      try {
        const options = {
          configPath: configFile,
          dataDir,
          socketPath: socket,
          foreground: true as const,
          log: log.logger,
          setUpLog: (settings: Config['logs']) => log.setUp(settings),
        };
        return (await runHub(options)) as ExitCode;
      } finally {
        ended.abort();
        await watching;
        log.close();
      }
    }),
  );
}

/** Shows the first sync of a hub that runs in this process, as soon as it answers. Only on a terminal. */
async function watchFirstSync(cli: Cli, ended: AbortSignal): Promise<void> {
  if (!cli.out.interactive) return;
  while (!ended.aborted) {
    try {
      const hub = await connectToHub(cli.places.socket, { client: 'cli', version: PRODUCT_VERSION });
      const hide = showFirstSync(hub, cli.out, cli.world);
      await new Promise<void>((resolve) => {
        hub.onClose(resolve);
        if (ended.aborted) resolve();
        ended.addEventListener('abort', () => resolve(), { once: true });
      });
      hide();
      hub.close();
      return;
    } catch (error) {
      if (!HubError.is(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
