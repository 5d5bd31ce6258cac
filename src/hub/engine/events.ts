import type { Key, MachineName, RelativePath } from '../../core/domain.ts';
import type { ConflictRow, SyncLogRow } from '../store/store.ts';

/**
 * What the engine tells of its work as it happens, for those who count, log and notify. Keys, sizes and reasons: never content.
 *
 * - `heard`: a machine's watcher told of a path. `received`: bytes of content were read there, whether or not they were news.
 * - `taken`: a change of a machine is the head now.
 * - `delivered`: bytes of a head were brought to a machine and verified. `isWhole`: its copy is level with that; without it a piece of a long
 *   one arrived. `latencyMs`: since the change was seen, `null` when that is not known or it was a first sync.
 * - `retry`: a file could not be brought level and is tried again; `failed`: it is given up on for now.
 * - `conflict`: two machines had changed the same file; it may be decided already.
 * - `connection`: a machine's status, or the reason for it, is another one.
 * - `logged`: a line of the sync log was written.
 */
export type SyncEvent =
  | { readonly kind: 'heard'; readonly machine: MachineName; readonly path: RelativePath }
  | { readonly kind: 'received'; readonly machine: MachineName; readonly bytes: number }
  | { readonly kind: 'taken'; readonly machine: MachineName; readonly key: Key }
  | {
      readonly kind: 'delivered';
      readonly machine: MachineName;
      readonly key: Key;
      readonly bytes: number;
      readonly latencyMs: number | null;
      readonly isWhole: boolean;
    }
  | {
      readonly kind: 'retry' | 'failed';
      readonly machine: MachineName;
      readonly key: Key;
      readonly reason: string;
    }
  | { readonly kind: 'conflict'; readonly machine: MachineName; readonly conflict: ConflictRow }
  | {
      readonly kind: 'connection';
      readonly machine: MachineName;
      readonly status: 'online' | 'degraded' | 'offline' | 'paused' | 'quarantined';
      readonly reason: string | null;
    }
  | { readonly kind: 'logged'; readonly row: SyncLogRow };
