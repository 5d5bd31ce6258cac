import type { Command } from 'commander';
import type { CommandHost } from '../cli.ts';
import { EXIT } from '../failure.ts';
import { plainLine } from '../plain-text.ts';
import { HubError } from '../../protocol/errors.ts';
import { existsSync } from 'node:fs';

/**
 * `where`: prints where the hub lives, also while none runs (then where it will be, with `pid` and `version` null):
 * clients find the socket by this, before they start a hub.
 */
export function addWhere(program: Command, host: CommandHost): void {
  host.command(program, 'where', 'print socket, data folder, configuration, pid and version of the hub').action(
    host.run(async (cli) => {
      const { places } = cli;
      let where: { socket: string; dataDir: string; config: string | null; pid: number | null; version: string | null };
      try {
        where = await cli.withHub((hub) => hub.request('hub/where', {}));
      } catch (error) {
        if (!HubError.is(error, 'not-running')) throw error;
        const config = places.configFileNamed || existsSync(places.configFile) ? places.configFile : null;
        where = { socket: places.socket, dataDir: places.dataDir, config, pid: null, version: null };
      }
      cli.out.result(where, () => {
        cli.out.line(`socket   ${plainLine(where.socket)}`);
        cli.out.line(`data     ${plainLine(where.dataDir)}`);
        cli.out.line(`config   ${plainLine(where.config ?? 'none (embedded default)')}`);
        cli.out.line(
          where.pid === null
            ? 'hub      not running'
            : `hub      pid ${where.pid}, version ${plainLine(where.version ?? '?')}`,
        );
      });
      return EXIT.done;
    }),
  );
}
