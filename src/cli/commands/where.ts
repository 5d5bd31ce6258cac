import type { Command } from 'commander';
import { HubOutOfReach, type CommandHost } from '../cli.ts';
import { EXIT } from '../failure.ts';
import { plainLine } from '../../client/plain-text.ts';
import { HubError } from '../../protocol/errors.ts';
import { existsSync } from 'node:fs';

/**
 * `where`: prints where the hub lives, also while none runs (then where it will be, with `pid` and `version` null):
 * clients find the socket by this, before they start a hub. A hub that lives but cannot be reached is told with `reachable: false`.
 */
export function addWhere(program: Command, host: CommandHost): void {
  host.command(program, 'where', 'print socket, data folder, configuration, pid and version of the hub').action(
    host.run(async (cli) => {
      const { places } = cli;
      let where: { socket: string; dataDir: string; config: string | null; pid: number | null; version: string | null };
      let outOfReach = false;
      try {
        where = await cli.withHub((hub) => hub.request('hub/where', {}), 0);
      } catch (error) {
        const owner = error instanceof HubOutOfReach ? error.owner : null;
        if (owner === null && !HubError.is(error, 'not-running')) throw error;
        const config = places.configFileNamed || existsSync(places.configFile) ? places.configFile : null;
        where = {
          socket: places.socket,
          dataDir: places.dataDir,
          config,
          pid: owner?.file?.pid ?? null,
          version: owner?.file?.version ?? null,
        };
        outOfReach = owner !== null;
      }
      cli.out.result(outOfReach ? { ...where, reachable: false } : where, () => {
        cli.out.line(`socket   ${plainLine(where.socket)}`);
        cli.out.line(`data     ${plainLine(where.dataDir)}`);
        cli.out.line(`config   ${plainLine(where.config ?? 'none (embedded default)')}`);
        cli.out.line(
          where.pid === null && !outOfReach
            ? 'hub      not running'
            : `hub      pid ${where.pid ?? '(not known yet)'}, version ${plainLine(where.version ?? '?')}${outOfReach ? ', lives but does not answer at its socket (it is starting, or its socket was removed and is made anew)' : ''}`,
        );
      });
      return EXIT.done;
    }),
  );
}
