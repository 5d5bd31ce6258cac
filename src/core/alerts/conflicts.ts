import type { Finding } from './alert.ts';
import type { ConflictFacts } from './facts.ts';

/** So many conflicts are named one by one; the rest is counted. */
export const MOST_CONFLICTS = 10;

/** Conflicts that need a decision. The oldest are named: they stay named when others come. */
export function conflicts(open: readonly ConflictFacts[]): Finding[] {
  const findings = open.slice(0, MOST_CONFLICTS).map(conflict);
  const more = open.length - findings.length;
  if (more <= 0) return findings;
  const rest: Finding = {
    id: 'conflicts/more',
    severity: 'warning',
    message: more === 1 ? '1 more conflict needs a decision' : `${more} more conflicts need a decision`,
    unaffected: UNAFFECTED,
    next: 'claude-sync conflicts list',
    machine: null,
    key: null,
  };
  return [...findings, rest];
}

const UNAFFECTED = 'Every side is kept; all other files go on syncing.';

function conflict({ id, key, machines, winner }: ConflictFacts): Finding {
  const state =
    winner === null
      ? 'none of them is passed on until you decide'
      : `that of ${winner} is in force, and the other is kept`;
  const [first = '', ...others] = machines;
  return {
    id: `conflict/${id}`,
    severity: 'warning',
    message: `${key} was changed on ${machines.join(' and ')} at the same time; ${state}`,
    unaffected: UNAFFECTED,
    next: `claude-sync conflicts show ${id} shows them; claude-sync conflicts resolve ${id} --keep ${first} keeps that of ${first} (else name ${others.join(' or ')}).`,
    machine: null,
    key,
  };
}
