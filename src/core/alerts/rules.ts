import type { Finding } from './alert.ts';
import { approvals } from './approvals.ts';
import { cleanUp } from './clean-up.ts';
import { clockOff } from './clock-off.ts';
import { configuration } from './configuration.ts';
import { conflicts } from './conflicts.ts';
import { lowDisk, refusingDisk } from './disk.ts';
import { failing } from './failing.ts';
import type { HealthFacts, Standing } from './facts.ts';
import { loops } from './loops.ts';
import { offline } from './offline.ts';
import { quarantine } from './quarantine.ts';
import { damaged, mended, versionsLimit } from './upkeep.ts';
import { watcher } from './watcher.ts';

/** Everything that the user should know. `standing`: what was found before. */
export function findingsOf(facts: HealthFacts, standing: Standing): Finding[] {
  const { now } = facts;
  return [
    ...refusingDisk(facts.diskTrouble),
    ...configuration(facts.configuration),
    ...facts.machines.flatMap((machine) => [
      ...quarantine(machine),
      ...offline(machine, standing),
      ...failing(machine),
      ...lowDisk(machine.name, machine.space, standing),
      ...clockOff(machine, standing),
      ...watcher(machine, standing),
      ...cleanUp(machine, standing, { now, isOnly: facts.machines.length === 1 }),
    ]),
    ...conflicts(facts.conflicts),
    ...loops(facts.recentConflicts, facts.alternations, now),
    ...approvals(facts.approvalsWaiting),
    ...lowDisk(null, facts.hubSpace, standing),
    ...versionsLimit(facts.retention),
    ...damaged(facts.damaged),
    ...mended(facts.mended),
  ];
}
