import type { HeldReason, MachineReport } from '../protocol/status.ts';
import { plainLine } from './plain-text.ts';

function heldBecause(reasons: readonly HeldReason[]): string {
  if (reasons.length === 0) return '';
  return ` (${reasons.map(({ reason, count: keys }) => (reasons.length === 1 ? plainLine(reason) : `${keys}: ${plainLine(reason)}`)).join('; ')})`;
}

/** The keys of a machine that are not level although nothing is pending there, by cause; '' when there are none. */
export function describeUnsettled({ unsettled }: MachineReport): string {
  if (unsettled === undefined) return '';
  const parts: [number, string][] = [
    [unsettled.held, `held back${heldBecause(unsettled.heldBecause ?? [])}`],
    [unsettled.evicted, 'swept away there (claude-sync restore brings them back)'],
    [unsettled.deferredLive, 'waiting for a live session'],
    [unsettled.manual, 'waiting for you'],
    [unsettled.failed, 'failed'],
    [unsettled.unreadable, 'unreadable'],
  ];
  return parts.flatMap(([number, what]) => (number > 0 ? [`${number} ${what}`] : [])).join(', ');
}
