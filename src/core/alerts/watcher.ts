import type { Finding } from './alert.ts';
import type { MachineFacts, Standing } from './facts.ts';

/** A machine whose changes are seen later than they could be. */
export function watcher({ name, watcher: found }: MachineFacts, standing: Standing): Finding[] {
  const id = `watcher/${name}`;
  if (found === null) {
    const before = standing(id);
    return before === undefined ? [] : [before];
  }
  if (found.state === 'well') return [];
  const told = found.reason === null ? '' : `: ${found.reason}`;
  const message = {
    missing: `nothing on ${name} can watch folders, so they are looked at again and again${told}`,
    limit: `the watcher on ${name} is at its limit${told}`,
    trouble: `the watcher on ${name} is in trouble${told}`,
  }[found.state];
  return [
    {
      id,
      // It is started again by itself, and mostly for good.
      severity: found.state === 'trouble' ? 'info' : 'warning',
      message,
      unaffected:
        'Nothing is missed: folders are looked at as well, and a change is seen within 10 s instead of at once.',
      next: found.fix,
      machine: name,
      key: null,
    },
  ];
}
