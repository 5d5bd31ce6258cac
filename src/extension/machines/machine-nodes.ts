import { bytes, count } from '../../client/figures.ts';
import { describeUnsettled } from '../../client/machine-words.ts';
import { plainLine } from '../../client/plain-text.ts';
import type { MachineReport, MachineStatus } from '../../protocol/status.ts';
import { localTime } from '../figures.ts';
import { factNode, type TreeNode } from '../tree/tree-node.ts';
import { reasonWords } from './reason-words.ts';

const ICONS: Readonly<Record<MachineStatus, NonNullable<TreeNode['icon']>>> = {
  online: { name: 'vm-active', color: 'testing.iconPassed' },
  degraded: { name: 'warning', color: 'list.warningForeground' },
  offline: { name: 'debug-disconnect', color: 'list.warningForeground' },
  paused: { name: 'debug-pause', color: 'disabledForeground' },
  quarantined: { name: 'error', color: 'list.errorForeground' },
};

/** A row for each machine, with what is known about it below. */
export function machineNodes(machines: readonly MachineReport[]): TreeNode[] {
  return machines.map((machine) => {
    const { name, role, status } = machine;
    const label = plainLine(name);
    const words = machineWords(machine);
    return {
      id: name,
      label,
      description: words,
      icon:
        machine.firstSync !== undefined && status === 'online'
          ? { name: 'sync~spin' }
          : machine.pending > 0 && status === 'online'
            ? { name: 'sync~spin', color: 'testing.iconPassed' }
            : ICONS[status],
      tooltip: [label, words, ...facts(machine).map(([what, value]) => `${what}: ${value}`)],
      spoken: `${label}, ${role === 'hub' ? 'the machine of the hub, ' : ''}${words}`,
      flags: ['machine', status, status === 'paused' || status === 'quarantined' ? 'stopped' : 'active'],
      subject: { kind: 'machine', machine: name },
      children: facts(machine).map(([what, value]) => factNode(`${name}/${what}`, what, value)),
    };
  });
}

/** What a machine is about, in a few words. */
export function machineWords({ status, pending, firstSync, latencyMs, files, reason }: MachineReport): string {
  if (status === 'quarantined') return ['stopped', reasonWords(reason)].filter((part) => part !== '').join(': ');
  if (status === 'paused') return 'paused';
  if (status !== 'online') return status;
  if (firstSync !== undefined) {
    const { filesDone, filesTotal, phase } = firstSync;
    return filesTotal === 0 ? `first sync, ${phase}` : `first sync, ${phase} ${filesDone} of ${filesTotal}`;
  }
  if (pending > 0) return `${pending} pending`;
  const latency = latencyMs.p50 === 0 ? [] : [milliseconds(latencyMs.p50)];
  return ['online', count(files, 'file'), ...latency].join(' · ');
}

/** Everything that is known about a machine, most wanted first. */
function facts(machine: MachineReport): [what: string, value: string][] {
  const { status, lastSeenAt, lastSyncAt, files, bytes: size, latencyMs, watcher, pending, reason, traffic } = machine;
  const unsettled = describeUnsettled(machine);
  return [
    ['Status', status],
    ...(reason === null ? [] : [['Reason', reasonWords(reason)] as [string, string]]),
    ['Last sync', localTime(lastSyncAt)],
    // To the minute: what is seen every second would be drawn anew every second.
    ['Last seen', localTime(lastSeenAt, 'short')],
    ['Pending', String(pending)],
    ['Files', `${files} (${bytes(size)})`],
    [
      'Latency',
      latencyMs.p99 === 0
        ? 'not measured yet'
        : `${milliseconds(latencyMs.p50)} half of the time, ${milliseconds(latencyMs.p99)} at most but 1 %`,
    ],
    ['Noticed by', plainLine(watcher)],
    ...(traffic === undefined
      ? []
      : ([
          ['Carried', `${bytes(traffic.bytesSent)} there, ${bytes(traffic.bytesReceived)} from it`],
          ['Online', `${Math.round(traffic.onlineShare * 100)} % of the last 24 hours`],
        ] as [string, string][])),
    ...(unsettled === '' ? [] : [['Not level', unsettled] as [string, string]]),
    ['System', machine.os],
  ];
}

function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}
