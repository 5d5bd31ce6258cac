import type { Key } from '../core/domain.ts';
import type { HeldReason } from '../protocol/status.ts';
import type { MachineLink } from './engine/machines/link.ts';
import type { Hub } from './hub.ts';

/** Most reasons that are told for a machine. */
const MOST = 5;

/** Why a key is not level on a machine, for the user. What was rejected waits for nobody any more. */
export function reasonFor(hub: Hub, link: MachineLink, key: Key): string | null {
  const reason = link.reasonOf(key);
  if (reason === null) return null;
  const asked = hub.store.approvals.list().filter((row) => row.key === key && row.machine === link.name);
  return asked.at(-1)?.status === 'rejected' ? 'you rejected it: it stays on this machine only' : reason;
}

/** What holds keys back on a machine, the most frequent reason first. */
export function heldReasons(hub: Hub, link: MachineLink): HeldReason[] {
  const counts = new Map<string, number>();
  const note = (key: Key, reason: string | null): void => {
    const told = reasonFor(hub, link, key) ?? reason ?? 'no reason known';
    counts.set(told, (counts.get(told) ?? 0) + 1);
  };
  for (const pair of link.pairsBelow('')) if (pair.state === 'held') note(pair.key, pair.reason);
  for (const [key, reason] of link.heldKeys) note(key, reason);
  const all = [...counts].map(([reason, count]) => ({ reason, count }));
  return all.sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1)).slice(0, MOST);
}
