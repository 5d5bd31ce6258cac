import type { Command } from 'commander';
import type { CommandHost } from '../cli.ts';
import { EXIT } from '../failure.ts';
import { bytes, pointInTime } from '../../client/figures.ts';
import { plainLine } from '../../client/plain-text.ts';
import { table } from '../table.ts';
import { positiveNumber } from './arguments.ts';
import { printDiff } from './conflicts.ts';

/** `approve list|show|accept|reject`: executable content from machines with trust `data` (docs/sync.md section 10). */
export function addApprove(program: Command, host: CommandHost): void {
  const approve = host.command(program, 'approve', 'decide about executable content from machines with trust "data"');

  host.command(approve, 'list', 'list what waits', { isDefault: true }).action(
    host.run(async (cli) => {
      const result = await cli.withHub((hub) => hub.request('approve/list', {}));
      cli.out.result(result, () => {
        if (result.approvals.length === 0) return cli.out.line('nothing waits for approval');
        const rows = result.approvals.map(({ id, at, machine, key, sha256, bytes: size }) => [
          String(id),
          pointInTime(at),
          machine,
          sha256 === null ? 'delete' : bytes(size),
          key,
        ]);
        cli.out.line(
          table(['ID', 'WHEN', 'FROM', 'SIZE', 'KEY'], rows, (padded, _column, row) =>
            row < 0 ? cli.out.tint('bold', padded) : padded,
          ),
        );
      });
      return EXIT.done;
    }),
  );

  host
    .command(approve, 'show', 'show what would change')
    .argument('<id>', 'number of the approval', positiveNumber)
    .action(
      host.run(async (cli, id: number) => {
        const result = await cli.withHub((hub) => hub.request('approve/show', { id }));
        cli.out.result(result, () => {
          const { approval, current, proposed } = result;
          cli.out.line(
            `${plainLine(approval.key)} from ${plainLine(approval.machine)}, ${approval.status}, since ${pointInTime(approval.at)}`,
          );
          if (approval.executable) cli.out.line(cli.out.tint('yellow', 'the file is marked as executable'));
          printDiff(cli.out, { name: 'now', content: current }, { name: approval.machine, content: proposed });
        });
        return EXIT.done;
      }),
    );

  for (const decision of ['accept', 'reject'] as const) {
    host
      .command(approve, decision, decision === 'accept' ? 'put it into force everywhere' : 'keep it as a version only')
      .argument('<id>', 'number of the approval', positiveNumber)
      .action(
        host.run(async (cli, id: number) => {
          const result = await cli.withHub((hub) => hub.request(`approve/${decision}`, { id }));
          cli.out.result(result, () => cli.out.line(`${decision}ed: ${plainLine(result.approval.key)}`));
          return EXIT.done;
        }),
      );
  }
}
