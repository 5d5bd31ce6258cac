import type { Head, Pair } from '../../core/domain.ts';
import { isPrefix } from './logs/cursor.ts';

/** Where a copy stands against its head. Everything but `behind` is settled. */
export type Standing = 'level' | 'behind' | 'evicted' | 'held' | 'deferred-live' | 'manual' | 'failed';

/** Whether and why a copy needs nothing, from what is stored about it. */
export function standing(pair: Pair | undefined, head: Head | undefined, isLog: boolean): Standing {
  if (pair && pair.state !== 'ok') return pair.state;
  if (!head) return 'level';
  if (head.kind === 'tombstone') return !pair?.base || pair.base.kind === 'absent' ? 'level' : 'behind';
  if (!pair) return 'behind';
  if (pair.evictedSeq !== null && pair.base === null) return pair.evictedSeq === head.seq ? 'evicted' : 'behind';
  const { base } = pair;
  if (base?.kind !== 'file' || base.seq !== head.seq) return 'behind';
  if (!isLog) return 'level';
  return base.cursor !== null && isPrefix(base.cursor) ? 'level' : 'behind';
}
