import type { Command } from 'commander';
import type { MachineReport, MachineStatus, StatusResult } from '../../protocol/status.ts';
import type { Cli, CommandHost } from '../cli.ts';
import { EXIT } from '../failure.ts';
import { ago, bytes, count, duration } from '../../client/figures.ts';
import { describeUnsettled } from '../../client/machine-words.ts';
import type { Output, Tint } from '../output.ts';
import { plainLine } from '../../client/plain-text.ts';
import { table } from '../table.ts';

const STATUS_TINT: Record<MachineStatus, Tint> = {
  online: 'green',
  degraded: 'yellow',
  offline: 'yellow',
  paused: 'dim',
  quarantined: 'red',
};

/** `status`: the state of everything on one screen; with `--json` the stable contract. */
export function addStatus(program: Command, host: CommandHost): void {
  host.command(program, 'status', 'show machines, pending changes, latency, conflicts and alerts').action(
    host.run(async (cli) => {
      const status = await cli.withHub((hub) => hub.request('hub/status', {}));
      cli.out.result(status, () => printStatus(cli, status));
      return EXIT.done;
    }),
  );
}

function printStatus({ out, world }: Cli, status: StatusResult): void {
  const { hub, totals } = status;
  const headline = status.inSync ? out.tint('green', 'in sync') : out.tint('yellow', 'not in sync');
  const open = status.conflicts.open > 0 ? `, ${count(status.conflicts.open, 'conflict')} open` : '';
  out.line(
    `${headline}${out.tint('yellow', open)}  hub ${plainLine(hub.version)}, pid ${hub.pid}, up ${duration(hub.uptimeMs)}`,
  );
  printMachines(out, status.machines, world.now());
  out.line(
    `${count(totals.syncs, 'sync', 'syncs')}, ${totals.failed} failed (${(totals.successRate * 100).toFixed(1)} % good), ` +
      `${bytes(totals.bytesSent)} sent, ${bytes(totals.bytesReceived)} received, ${bytes(totals.bytesPerSecond)}/s`,
  );
  if (status.conflicts.open > 0) {
    out.line(out.tint('yellow', `${count(status.conflicts.open, 'open conflict')}: claude-sync conflicts`));
  }
  const waiting = status.approvals?.waiting ?? 0;
  if (waiting > 0) out.line(out.tint('yellow', `${count(waiting, 'content')} to approve: claude-sync approve`));
  for (const alert of status.alerts) {
    const tint = alert.severity === 'error' ? 'red' : alert.severity === 'warning' ? 'yellow' : 'dim';
    const machine = alert.machine === null ? '' : `${plainLine(alert.machine)}: `;
    out.line(out.tint(tint, `${alert.severity}: ${machine}${plainLine(alert.message)}`));
    if (alert.next !== null) out.line(`  ${plainLine(alert.next)}`);
  }
}

/** The machines as a table, with the reason below those that are not well. */
export function printMachines(out: Output, machines: readonly MachineReport[], now: number): void {
  out.line(
    table(
      ['MACHINE', 'STATUS', 'PENDING', 'FILES', 'SIZE', 'LATENCY', 'LAST SYNC', 'WATCHER'],
      machines.map((machine) => [
        machine.name,
        machine.status,
        String(machine.pending),
        String(machine.files),
        bytes(machine.bytes),
        `${machine.latencyMs.p50}/${machine.latencyMs.p99} ms`,
        ago(machine.lastSyncAt, now),
        machine.watcher,
      ]),
      (padded, column, row) => {
        const machine = machines[row];
        if (machine === undefined) return out.tint('bold', padded);
        return column === 1 ? out.tint(STATUS_TINT[machine.status], padded) : padded;
      },
    ),
  );
  for (const machine of machines) {
    if (machine.reason !== null) out.line(`${plainLine(machine.name)}: ${plainLine(machine.reason)}`);
    const unsettled = describeUnsettled(machine);
    if (unsettled !== '') out.line(`${plainLine(machine.name)}: ${unsettled}`);
  }
}
