import type { Finding } from './alert.ts';
import type { MachineFacts, Standing } from './facts.ts';

/** A machine that has been out of reach for five minutes. One that just might be back (`degraded`) is told of only if it was before. */
export function offline({ name, status, reason, next }: MachineFacts, standing: Standing): Finding[] {
  const id = `offline/${name}`;
  const before = standing(id);
  if (status === 'degraded' && before !== undefined) return [before];
  if (status !== 'offline') return [];
  return [
    {
      id,
      severity: 'warning',
      message: `${name} has been out of reach for more than 5 minutes: ${reason ?? 'no reason is known'}`,
      unaffected: 'The other machines go on syncing; what changes meanwhile is brought to it as soon as it is back.',
      next,
      machine: name,
      key: null,
    },
  ];
}
