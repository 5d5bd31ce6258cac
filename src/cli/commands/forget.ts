import type { Command } from 'commander';
import type { SessionsForgetResult } from '../../protocol/versions.ts';
import type { CommandHost } from '../cli.ts';
import { confirm } from '../confirm.ts';
import { EXIT } from '../failure.ts';
import { bytes, count } from '../../client/figures.ts';
import { plainLine } from '../../client/plain-text.ts';

/** `forget SESSION`: the only way to delete a session everywhere. Shows what goes, and asks. */
export function addForget(program: Command, host: CommandHost): void {
  host
    .command(program, 'forget', 'delete a session everywhere, for good')
    .argument('<session>', 'session uuid or key')
    .option('--yes', 'do not ask')
    .option('--preview', 'only show what would go')
    .action(
      host.run(async (cli, session: string, options: { yes?: true; preview?: true }) => {
        const { out, world } = cli;
        const result = await cli.withHub(async (hub) => {
          const preview = await hub.request('sessions/forget', { session, preview: true });
          if (options.preview) return preview;
          if (!options.yes) {
            for (const line of describe(preview)) out.note(line);
            if (!(await confirm(world, 'Delete all of this everywhere, for good?', '--yes'))) return preview;
          }
          return hub.request('sessions/forget', { session, preview: false });
        });
        out.result(result, () => {
          if (result.forgotten) return out.line(`forgotten: session ${plainLine(result.session)}`);
          if (!options.preview) return out.line('nothing was changed');
          for (const line of describe(result)) out.line(plainLine(line));
        });
        return result.forgotten || options.preview ? EXIT.done : EXIT.failed;
      }),
    );
}

function describe(preview: SessionsForgetResult): string[] {
  return [
    `session ${preview.session}${preview.title === null ? '' : `, "${plainLine(preview.title)}"`}, ${bytes(preview.bytes)}`,
    `  on ${preview.machines.length === 0 ? 'no machine' : preview.machines.join(', ')}, and in the archive`,
    `  ${count(preview.versions, 'kept version')}, ${count(preview.historyLines, 'history line')}, ${count(preview.keys.length, 'file')}:`,
    ...preview.keys.map((key) => `    ${key}`),
  ];
}
