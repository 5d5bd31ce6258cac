import type { LogPlace } from './log-indexer.ts';
import type { KnownLog } from './index-tables.ts';
import type { Key } from '../../core/domain.ts';
import type { BranchTip, Page, PageRequest } from './transcript-pages.ts';
import type { SessionWithSecrets } from './secret-radar.ts';
import type { SearchPage, SearchRequest } from './search.ts';
import type { IndexedAgent, IndexedProject, IndexedSession, SessionsRequest } from './session-list.ts';

/** `write`: the one worker that fills the index. `read`: answers questions meanwhile. */
export type IndexRole = 'write' | 'read';

/** A file with a title beside a transcript; `path` is `null` when there is none any more. */
export interface TitleFile {
  readonly session: string;
  readonly path: string | null;
}

/** What the writing worker does, and what it answers. */
export interface WriteTasks {
  known: { readonly takes: null; readonly gives: readonly KnownLog[] };
  /** Gives the keys of the logs of which anything changed, and those that could not be read, with the reason. */
  index: {
    readonly takes: {
      readonly logs: readonly LogPlace[];
      readonly gone: readonly Key[];
      readonly titles: readonly TitleFile[];
    };
    readonly gives: {
      readonly changed: readonly Key[];
      readonly failed: readonly { readonly key: Key; readonly reason: string }[];
    };
  };
  /** Looks for secrets in a few more pieces. Gives the sessions they were of; none when everything has been looked through. */
  look: { readonly takes: null; readonly gives: readonly string[] };
  /** After something was taken out that must not be readable any more. */
  purge: { readonly takes: null; readonly gives: null };
}

/** What the reading worker answers. `null` where there is no such session, or no index yet. */
export interface ReadTasks {
  projects: { readonly takes: null; readonly gives: readonly IndexedProject[] };
  sessions: {
    readonly takes: SessionsRequest;
    readonly gives: { readonly sessions: readonly IndexedSession[]; readonly total: number };
  };
  /** Uuids that begin like this, two at most. */
  named: { readonly takes: string; readonly gives: readonly string[] };
  session: {
    readonly takes: string;
    readonly gives: {
      readonly session: IndexedSession;
      readonly agents: readonly IndexedAgent[];
      readonly branches: readonly BranchTip[];
    } | null;
  };
  /** All sessions with secrets, or one. */
  secrets: {
    readonly takes: string | null;
    readonly gives: { readonly sessions: readonly SessionWithSecrets[]; readonly isComplete: boolean };
  };
  page: { readonly takes: PageRequest; readonly gives: Page | null };
  search: { readonly takes: SearchRequest; readonly gives: SearchPage };
}

/** To the worker. */
export interface ToWorker {
  readonly id: number;
  readonly task: string;
  readonly takes: unknown;
}

/** From the worker; `anew`: why an index was thrown away. */
export type FromWorker =
  | { readonly kind: 'done'; readonly id: number; readonly gives: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | { readonly kind: 'anew'; readonly reason: string };
