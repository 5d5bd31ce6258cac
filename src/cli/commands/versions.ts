import type { Command } from 'commander';
import type { CommandHost } from '../cli.ts';
import { EXIT } from '../failure.ts';
import { bytes, pointInTime } from '../../client/figures.ts';
import { plainLine } from '../../client/plain-text.ts';
import { table } from '../table.ts';

/** `versions KEY`: every kept content of a key, newest first; `--json` prints the bare array (stable contract). */
export function addVersions(program: Command, host: CommandHost): void {
  host
    .command(program, 'versions', 'list the kept versions of a file or session')
    .argument('<key>', 'key, path below the Claude folder, or session uuid')
    .action(
      host.run(async (cli, key: string) => {
        const result = await cli.withHub((hub) => hub.request('versions/list', { key }));
        cli.out.result(result.versions, () => {
          if (result.versions.length === 0) return cli.out.line(`no versions of ${plainLine(result.key)} are kept`);
          cli.out.line(
            table(
              ['VERSION', 'WHEN', 'MACHINE', 'SIZE', 'WHY KEPT', 'SHA-256'],
              result.versions.map(({ version, at, machine, bytes: size, reason, sha256, isHead }) => [
                `${version}${isHead ? ' (now)' : ''}`,
                pointInTime(at),
                machine,
                bytes(size),
                reason,
                sha256.slice(0, 12),
              ]),
              (padded, _column, row) => (row < 0 ? cli.out.tint('bold', padded) : padded),
            ),
          );
          cli.out.line(`bring one back: claude-sync restore ${plainLine(result.key)} --version N`);
        });
        return EXIT.done;
      }),
    );
}
