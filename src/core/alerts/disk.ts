import type { MachineName } from '../domain.ts';
import type { Finding } from './alert.ts';
import type { Space, Standing } from './facts.ts';

/** Below this share of free room it is told, */
export const LOW_SHARE = 0.1;
/** and from this one on it is over: room that goes back and forth around one limit would be told again and again. */
export const ENOUGH_SHARE = 0.12;

/** A disk that runs full: `machine` is `null` for the hub's. */
export function lowDisk(machine: MachineName | null, space: Space | null, standing: Standing): Finding[] {
  const id = machine === null ? 'disk' : `disk/${machine}`;
  const before = standing(id);
  if (space === null || space.totalBytes <= 0) return before === undefined ? [] : [before];
  const share = space.freeBytes / space.totalBytes;
  if (share >= (before === undefined ? LOW_SHARE : ENOUGH_SHARE)) return [];
  const where = machine ?? 'the hub';
  const percent = Math.floor(share * 100);
  // Not in bytes: words that are others with each look are written to that very disk each time.
  const free = percent === 0 ? 'less than 1 % is' : `only ${percent} % is`;
  return [
    {
      id,
      severity: 'warning',
      message: `${free} free on the disk of ${where}`,
      unaffected:
        machine === null
          ? 'Syncing goes on as long as there is room; nothing is lost when there is none, it only waits.'
          : `Syncing goes on; when the disk of ${machine} is full, only what goes there waits.`,
      next:
        machine === null ? 'Make room on the disk of the hub: claude-sync where names its folder.' : `Make room there.`,
      machine,
      key: null,
    },
  ];
}

/** The hub's disk refuses writes: `trouble` says why. */
export function refusingDisk(trouble: string | null): Finding[] {
  if (trouble === null) return [];
  return [
    {
      id: 'hub-disk',
      severity: 'error',
      message: `the hub's disk refuses writes: ${trouble}; syncing waits`,
      unaffected: 'Nothing is lost: the machines keep what they have, and nothing is overwritten or deleted meanwhile.',
      next: 'Make room on the disk of the hub (claude-sync where names its folder); it goes on by itself.',
      machine: null,
      key: null,
    },
  ];
}
