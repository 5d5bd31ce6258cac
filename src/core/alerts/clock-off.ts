import type { Finding } from './alert.ts';
import type { MachineFacts, Standing } from './facts.ts';

/** Clocks that differ by more than this are told of, */
export const CLOCK_OFF_MS = 60_000;
/** and below this one it is over. */
export const CLOCK_RIGHT_MS = 50_000;

/** A machine whose clock is off: which change was the last is told by times where nothing else does. */
export function clockOff({ name, clock }: MachineFacts, standing: Standing): Finding[] {
  const id = `clock/${name}`;
  const before = standing(id);
  if (clock === null) return before === undefined ? [] : [before];
  const off = Math.abs(clock.offsetMs);
  if (before === undefined ? off <= CLOCK_OFF_MS : off < CLOCK_RIGHT_MS) return [];
  return [
    {
      id,
      severity: 'warning',
      message: `the clock of ${name} is ${Math.round(off / 1_000)} s ${clock.offsetMs > 0 ? 'ahead of' : 'behind'} the hub's`,
      unaffected: 'Syncing goes on, with times converted; what Claude Code there writes as the time is off.',
      next: clock.fix,
      machine: name,
      key: null,
    },
  ];
}
