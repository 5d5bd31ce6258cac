import { setImmediate } from 'node:timers/promises';
import { isSessionUuid } from '../../core/keys/key.ts';
import type { MachineName, UnixMs } from '../../core/domain.ts';
import type { Store } from '../store/store.ts';

const SESSION = 'session/';
/** After so many heads others get their turn: a line that arrives does not wait for this. */
const HEADS_AT_ONCE = 500;

/** Last activity of the sessions that only one machine has, by machine. */
export async function loneSessions(
  store: Pick<Store, 'heads' | 'pairs'>,
): Promise<ReadonlyMap<MachineName, readonly UnixMs[]>> {
  const found = new Map<MachineName, UnixMs[]>();
  let looked = 0;
  for (const head of store.heads.values()) {
    looked += 1;
    if (looked % HEADS_AT_ONCE === 0) await setImmediate();
    if (head.kind !== 'file' || !head.key.startsWith(SESSION)) continue;
    if (!isSessionUuid(head.key.slice(SESSION.length))) continue;
    const holders = store.pairs.ofKey(head.key).filter(({ base }) => base?.kind === 'file');
    const [only] = holders;
    if (only === undefined || holders.length > 1) continue;
    const times = found.get(only.machine) ?? [];
    times.push(head.mtimeMs);
    found.set(only.machine, times);
  }
  return found;
}
