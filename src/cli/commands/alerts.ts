import type { Command } from 'commander';
import type { AlertRecord } from '../../protocol/alerts.ts';
import type { Cli, CommandHost } from '../cli.ts';
import { EXIT } from '../failure.ts';
import { ago } from '../../client/figures.ts';
import type { Tint } from '../output.ts';
import { plainLine } from '../../client/plain-text.ts';

const TINT: Readonly<Record<AlertRecord['severity'], Tint>> = { error: 'red', warning: 'yellow', info: 'cyan' };

/** `alerts list|dismiss`: what the user should know; with `--json` what the hub answered, as it is. */
export function addAlerts(program: Command, host: CommandHost): void {
  const alerts = host.command(program, 'alerts', 'list what you should know, and dismiss what you do');

  host
    .command(alerts, 'list', 'list the alerts, the worst first', { isDefault: true })
    .option('--all', 'also those that were dismissed, and those whose cause is gone')
    .action(
      host.run(async (cli, { all }: { readonly all?: true }) => {
        const result = await cli.withHub((hub) => hub.request('alerts/list', all === true ? { all } : {}));
        cli.out.result(result, () => printAlerts(cli, result.alerts));
        return EXIT.done;
      }),
    );

  host
    .command(alerts, 'dismiss', 'show one no more while its cause lasts')
    .argument('<id>', 'as the list names it, for example offline/rog')
    .action(
      host.run(async (cli, id: string) => {
        const result = await cli.withHub((hub) => hub.request('alerts/dismiss', { id }));
        cli.out.result(result, () => cli.out.line(`dismissed: ${plainLine(result.alert.id)}`));
        return EXIT.done;
      }),
    );
}

/** What lasts comes first. */
function printAlerts(cli: Cli, alerts: readonly AlertRecord[]): void {
  if (alerts.length === 0) return cli.out.line('no alerts');
  const isOver = ({ clearedAt, dismissedAt }: AlertRecord): number =>
    clearedAt !== null ? 2 : dismissedAt !== null ? 1 : 0;
  const sorted = alerts.toSorted((a, b) => isOver(a) - isOver(b));
  for (const alert of sorted) printAlert(cli, alert);
}

function printAlert({ out, world }: Cli, alert: AlertRecord): void {
  const now = world.now();
  const { clearedAt, dismissedAt } = alert;
  const state = [
    `raised ${ago(alert.at, now)}`,
    ...(dismissedAt === null ? [] : [`dismissed ${ago(dismissedAt, now)}`]),
    ...(clearedAt === null ? [] : [`over ${ago(clearedAt, now)}`]),
  ];
  const tint = clearedAt !== null || dismissedAt !== null ? 'dim' : TINT[alert.severity];
  out.line(`${out.tint(tint, `${alert.severity}: ${plainLine(alert.id)}`)}  ${state.join(', ')}`);
  out.line(`  ${plainLine(alert.message)}`);
  if (alert.unaffected !== '') out.line(out.tint('dim', `  ${plainLine(alert.unaffected)}`));
  if (alert.next !== null && clearedAt === null) out.line(`  Next: ${plainLine(alert.next)}`);
}
