import type { StatusResult } from '../protocol/status.ts';
import type { HubState } from './hub-link.ts';

/** How a state looks in the status bar, in one line and at length. Plain text, but for the icon in `text`. */
export interface StatusText {
  /** With one `$(icon)` in front. */
  readonly text: string;
  readonly lines: readonly string[];
}

/** Says what is known. "In sync" only when the hub verified it (promise: honest). */
export function statusText(state: HubState): StatusText {
  if (state.kind === 'connecting') return { text: '$(sync~spin) Claude Sync', lines: ['Looking for the hub'] };
  if (state.kind === 'not-running') {
    return {
      text: '$(circle-slash) Claude Sync: not running',
      lines: ['The hub is not running.', 'Start it with: claude-sync up'],
    };
  }
  if (state.kind === 'trouble') {
    return { text: '$(warning) Claude Sync', lines: [state.message, ...(state.next === null ? [] : [state.next])] };
  }
  return { text: summary(state.status), lines: state.status.machines.map(machineLine) };
}

function summary({ conflicts, alerts, inSync, machines }: StatusResult): string {
  if (conflicts.open > 0) return `$(warning) ${conflicts.open} ${conflicts.open === 1 ? 'conflict' : 'conflicts'}`;
  if (alerts.some(({ severity }) => severity !== 'info')) return '$(warning) Claude Sync: alert';
  if (inSync) return '$(sync) In sync';
  const pending = machines.reduce((sum, machine) => sum + machine.pending, 0);
  return pending > 0 ? `$(sync~spin) Syncing ${pending}` : '$(sync) Not in sync';
}

function machineLine({ name, status, pending, reason }: StatusResult['machines'][number]): string {
  const behind = pending > 0 ? `, ${pending} pending` : '';
  return `${name}: ${status}${behind}${reason === null ? '' : ` (${reason})`}`;
}
