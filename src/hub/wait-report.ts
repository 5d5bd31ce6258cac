import { createHash } from 'node:crypto';
import type { Key, Sha256 } from '../core/domain.ts';
import { NOT_WAITED_FOR_LIMIT, type NotWaitedFor, type WaitResult } from '../protocol/sync.ts';
import { reasonFor } from './held-reasons.ts';
import type { Hub } from './hub.ts';

/** What `wait` did not wait for, and what is still to be done, by machine. */
export function waitReport(hub: Hub): Omit<WaitResult, 'settled' | 'waitedMs'> {
  const notWaitedFor: NotWaitedFor[] = [];
  const orderRepairedLater: { machine: string; key: Key }[] = [];
  const pending: WaitResult['pending'] = [];
  for (const link of hub.engine.links.values()) {
    const { status, reason } = link.status;
    if (!link.writable) notWaitedFor.push({ machine: link.name, key: null, why: 'machine', reason });
    let behind = 0;
    for (const head of hub.store.heads.values()) {
      const rule = hub.rules.ofKey(head.key);
      if (!rule.allowed || hub.rules.excludesKey(head.key)) continue;
      const stand = link.standing(head, rule.merge === 'log');
      if (stand === 'behind') behind += 1;
      else if (stand === 'deferred-live') orderRepairedLater.push({ machine: link.name, key: head.key });
      else if (stand !== 'level')
        notWaitedFor.push({ machine: link.name, key: head.key, why: stand, reason: reasonFor(hub, link, head.key) });
    }
    for (const { key, state, reason: why } of link.stuckWithoutHead()) {
      if (state !== 'ok')
        notWaitedFor.push({ machine: link.name, key, why: state, reason: reasonFor(hub, link, key) ?? why });
    }
    for (const [path, why] of link.notices)
      notWaitedFor.push({ machine: link.name, key: path, why: 'unreadable', reason: why });
    pending.push({ machine: link.name, status, pending: link.writable ? behind : 0 });
  }
  return {
    pending,
    notWaitedFor: notWaitedFor.slice(0, NOT_WAITED_FOR_LIMIT),
    notWaitedForTotal: notWaitedFor.length,
    orderRepairedLater,
  };
}

/** Hash of a key's head; computed from the archive for logs. `null` when there is no head. */
export async function headHash(hub: Hub, key: Key): Promise<Sha256 | null> {
  const head = hub.store.heads.get(key);
  if (head?.kind !== 'file') return null;
  if (head.hash !== null) return head.hash;
  if (key === 'history') return null;
  const hash = createHash('sha256');
  for await (const chunk of hub.archive.read(key, 0, head.size)) hash.update(chunk);
  return hash.digest('hex');
}
