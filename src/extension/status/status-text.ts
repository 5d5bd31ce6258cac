import type { HubState } from '../../client/hub-mirror.ts';
import { count, duration } from '../../client/figures.ts';
import { plainLine } from '../../client/plain-text.ts';
import type { StatusResult } from '../../protocol/status.ts';
import { reasonWords } from '../machines/reason-words.ts';
import { COMMANDS, VIEWS } from '../contributions.ts';
import { localTime } from '../figures.ts';

/** What the status item says, the most urgent first: each state of the hub is exactly one of these. */
export type StatusKind =
  'looking' | 'stopped' | 'trouble' | 'conflict' | 'alert' | 'offline' | 'alone' | 'syncing' | 'behind' | 'in-sync';

/** Something that can be done about a state. */
export interface StatusAction {
  /** Verb first, as on a link. */
  readonly label: string;
  readonly icon: string;
  /** Of ours, or one that VS Code makes for a view of ours. */
  readonly command: string;
}

/** How a state looks in the status bar, in one line and at length. Plain text, but for the icon in `text`. */
export interface StatusText {
  readonly kind: StatusKind;
  /** With one `$(icon)` in front. */
  readonly text: string;
  /** A line for each machine, or what is the matter and the next step. */
  readonly lines: readonly string[];
  /** The one that fits best first. */
  readonly actions: readonly StatusAction[];
}

const START = { label: 'Start the hub', icon: 'play', command: COMMANDS.startHub };
const SYNC = { label: 'Sync now', icon: 'sync', command: COMMANDS.syncNow };
const LOG = { label: 'Show the log of the hub', icon: 'output', command: COMMANDS.showLog };
const ADD = { label: 'Add a machine', icon: 'add', command: COMMANDS.addMachine };
const MACHINES = { label: 'Show the machines', icon: 'vm', command: `${VIEWS.machines}.focus` };
const CONFLICTS = { label: 'Show the conflicts', icon: 'git-merge', command: `${VIEWS.conflicts}.focus` };
const ALERTS = { label: 'Show the alerts', icon: 'warning', command: `${VIEWS.alerts}.focus` };

/**
 * Says what is known. "In sync" only when the hub verified it (promise: honest).
 * @param elsewhere where the hub is, when that is another machine.
 */
export function statusText(state: HubState, elsewhere: string | null): StatusText {
  switch (state.kind) {
    case 'connecting':
      return { kind: 'looking', text: '$(sync~spin) Claude Sync', lines: ['Looking for the hub.'], actions: [LOG] };
    case 'not-running':
      return {
        kind: 'stopped',
        text: '$(circle-slash) Claude Sync: not running',
        lines: ['The hub is not running: nothing is carried between your machines.'],
        actions: [START],
      };
    case 'trouble':
      return {
        kind: 'trouble',
        text: '$(warning) Claude Sync',
        lines: [plainLine(state.message), ...(state.next === null ? [] : [plainLine(state.next)])],
        actions: [START, LOG],
      };
    case 'running':
      return {
        ...summary(state.status),
        lines: [...(elsewhere === null ? [] : [`The hub is on ${plainLine(elsewhere)}.`]), ...linesOf(state.status)],
      };
  }
}

function summary(status: StatusResult): Omit<StatusText, 'lines'> {
  const { conflicts, alerts, approvals, inSync, machines } = status;
  const waiting = approvals?.waiting ?? 0;
  const usual = [SYNC, MACHINES, LOG];
  if (conflicts.open + waiting > 0) {
    const what = waiting === 0 ? count(conflicts.open, 'conflict') : count(conflicts.open + waiting, 'decision');
    return { kind: 'conflict', text: `$(warning) ${what}`, actions: [CONFLICTS, ...usual] };
  }
  const away = machines.filter(isAway).length;
  // Machines that are away are told as that, not as the alert that this is after a while.
  if (alerts.some(({ severity, machine }) => severity !== 'info' && !isOfMachineAway(status, machine)))
    return { kind: 'alert', text: '$(warning) Claude Sync: alert', actions: [ALERTS, ...usual] };
  if (away > 0) return { kind: 'offline', text: `$(cloud-offline) ${away} offline`, actions: [MACHINES, SYNC, LOG] };
  if (machines.length < 2) return { kind: 'alone', text: '$(add) Add a machine', actions: [ADD, ...usual] };
  if (inSync) return { kind: 'in-sync', text: '$(sync) In sync', actions: usual };
  const pending = machines.reduce((sum, machine) => sum + machine.pending, 0);
  return pending > 0
    ? { kind: 'syncing', text: `$(sync~spin) Syncing ${pending}`, actions: usual }
    : { kind: 'behind', text: '$(sync) Not in sync', actions: usual };
}

function linesOf(status: StatusResult): string[] {
  const { conflicts, approvals, machines } = status;
  const waiting = approvals?.waiting ?? 0;
  return [
    ...(conflicts.open > 0 ? [`${count(conflicts.open, 'conflict')} for you to decide`] : []),
    ...(waiting > 0 ? [`${count(waiting, 'file')} waiting for your approval`] : []),
    ...machines.map(machineLine),
    ...(machines.length < 2 ? ['There is no other machine yet to keep the same.'] : []),
  ];
}

function isAway({ status }: StatusResult['machines'][number]): boolean {
  return status === 'offline';
}

function isOfMachineAway({ machines }: StatusResult, name: string | null): boolean {
  return machines.some((machine) => machine.name === name && isAway(machine));
}

function machineLine(machine: StatusResult['machines'][number]): string {
  const { name, status, pending, lastSyncAt, latencyMs, reason } = machine;
  const facts = [
    status,
    ...(pending > 0 ? [`${pending} pending`] : []),
    ...(lastSyncAt > 0 ? [`last sync ${localTime(lastSyncAt)}`] : []),
    ...(latencyMs.p50 > 0 ? [`latency ${duration(latencyMs.p50)}`] : []),
  ];
  return plainLine(`${name}: ${facts.join(', ')}${reason === null ? '' : ` (${reasonWords(reason)})`}`);
}
