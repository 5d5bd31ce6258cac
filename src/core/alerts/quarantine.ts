import type { Finding } from './alert.ts';
import type { MachineFacts } from './facts.ts';

/** A machine that a safeguard stopped (docs/sync.md section 8). */
export function quarantine({ name, status, reason, next }: MachineFacts): Finding[] {
  if (status !== 'quarantined') return [];
  return [
    {
      id: `quarantine/${name}`,
      severity: 'error',
      message: reason ?? `${name} was stopped by a safeguard`,
      unaffected: `Nothing of what made it stop reached another machine, and nothing is written to ${name}; the others go on syncing.`,
      next,
      machine: name,
      key: null,
    },
  ];
}
