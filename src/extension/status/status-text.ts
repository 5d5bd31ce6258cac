import type { HubState } from '../../client/hub-mirror.ts';
import type { StatusResult } from '../../protocol/status.ts';

/** What the status item says, the most urgent first: each state of the hub is exactly one of these. */
export type StatusKind =
  'looking' | 'stopped' | 'trouble' | 'conflict' | 'alert' | 'offline' | 'syncing' | 'behind' | 'in-sync';

/** How a state looks in the status bar, in one line and at length. Plain text, but for the icon in `text`. */
export interface StatusText {
  readonly kind: StatusKind;
  /** With one `$(icon)` in front. */
  readonly text: string;
  /** A line for each machine, or what is the matter and the next step. */
  readonly lines: readonly string[];
}

/** Says what is known. "In sync" only when the hub verified it (promise: honest). */
export function statusText(state: HubState): StatusText {
  switch (state.kind) {
    case 'connecting':
      return { kind: 'looking', text: '$(sync~spin) Claude Sync', lines: ['Looking for the hub'] };
    case 'not-running':
      return {
        kind: 'stopped',
        text: '$(circle-slash) Claude Sync: not running',
        lines: ['The hub is not running.', 'Start it with: claude-sync up'],
      };
    case 'trouble':
      return {
        kind: 'trouble',
        text: '$(warning) Claude Sync',
        lines: [state.message, ...(state.next === null ? [] : [state.next])],
      };
    case 'running':
      return { ...summary(state.status), lines: state.status.machines.map(machineLine) };
  }
}

function summary(status: StatusResult): Pick<StatusText, 'kind' | 'text'> {
  const { conflicts, alerts, inSync, machines } = status;
  if (conflicts.open > 0) {
    const text = `$(warning) ${conflicts.open} ${conflicts.open === 1 ? 'conflict' : 'conflicts'}`;
    return { kind: 'conflict', text };
  }
  const away = machines.filter(isAway).length;
  // Machines that are away are told as that, not as the alert that this is after a while.
  if (alerts.some(({ severity, machine }) => severity !== 'info' && !isOfMachineAway(status, machine)))
    return { kind: 'alert', text: '$(warning) Claude Sync: alert' };
  if (away > 0) return { kind: 'offline', text: `$(cloud-offline) ${away} offline` };
  if (inSync) return { kind: 'in-sync', text: '$(sync) In sync' };
  const pending = machines.reduce((sum, machine) => sum + machine.pending, 0);
  return pending > 0
    ? { kind: 'syncing', text: `$(sync~spin) Syncing ${pending}` }
    : { kind: 'behind', text: '$(sync) Not in sync' };
}

function isAway({ status }: StatusResult['machines'][number]): boolean {
  return status === 'offline';
}

function isOfMachineAway({ machines }: StatusResult, name: string | null): boolean {
  return machines.some((machine) => machine.name === name && isAway(machine));
}

function machineLine({ name, status, pending, reason }: StatusResult['machines'][number]): string {
  const behind = pending > 0 ? `, ${pending} pending` : '';
  return `${name}: ${status}${behind}${reason === null ? '' : ` (${reason})`}`;
}
