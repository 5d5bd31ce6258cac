import { hostname } from 'node:os';
import type { Random } from './ports/clock.ts';
import type { HubIdentity } from './replica/hub-mark.ts';
import type { Store } from './store/store.ts';

const SETTING = 'hub.id';

/** Who this hub is: its data folder, its computer and its process. */
export function hubIdentity(store: Store, random: Random): HubIdentity {
  let id = store.getSetting(SETTING);
  if (id === null) {
    id = random.hex(16);
    store.setSetting(SETTING, id);
  }
  const host = hostname();
  return { id, host, pid: process.pid, isGone: (where, pid) => where === host && !exists(pid) };
}

/** EPERM: it does, and belongs to somebody else. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
