import type { UnixMs } from '../domain.ts';
import { addChanges, changesOf, eventsOf, type PullChange, type PullEventKind } from './changes.ts';
import type { PullFacts } from './pull.ts';

/** A pull request as the hub keeps it. */
export interface KnownPull {
  readonly facts: PullFacts;
  /** Since the user last looked. */
  readonly changes: readonly PullChange[];
  /** It could not be asked about in the last refresh. */
  readonly stale: boolean;
  /** Only a search found it: its repository is not among those that are listed. */
  readonly isFound: boolean;
}

/** What a refresh brought. */
export interface Refreshed {
  readonly pulls: readonly PullFacts[];
  /** Repositories whose open pull requests are all among `pulls`; lower case. */
  readonly whole: ReadonlySet<string>;
  /** Repositories that GitHub lists as the user's own or a project's; lower case. */
  readonly listed: ReadonlySet<string>;
  /** Something was refused, and it is not known of which repositories. */
  readonly hasGaps: boolean;
  /** Whether the search for what the user is asked to review was answered, and whether all searches were. */
  readonly searched: { readonly asked: boolean; readonly all: boolean };
  /** Since when all that happens is news; `null`: everything would be news, and nothing is. */
  readonly newsSince: UnixMs | null;
}

/** The rows after a refresh, and what to tell the user. */
export interface MergedRefresh {
  readonly rows: readonly KnownPull[];
  readonly events: readonly { readonly kind: PullEventKind; readonly pull: PullFacts }[];
}

/**
 * Joins what is known with what a refresh brought. A row goes when GitHub was asked about it and did not name it; what could not be asked
 * about stays, marked as stale.
 */
export function mergeRefresh(known: Iterable<KnownPull>, refreshed: Refreshed): MergedRefresh {
  const { whole, listed, searched, newsSince } = refreshed;
  const before = new Map([...known].map((row) => [row.facts.id, row]));
  const rows: KnownPull[] = [];
  const events: { kind: PullEventKind; pull: PullFacts }[] = [];
  for (const told of refreshed.pulls) {
    const row = before.get(told.id);
    before.delete(told.id);
    const facts = withSearches(told, row?.facts, searched);
    // What turns up because more can be seen now is not new for that.
    const isNews = newsSince !== null && (row !== undefined || facts.updatedAt >= newsSince);
    const changes = isNews ? changesOf(row?.facts ?? null, facts) : [];
    for (const kind of eventsOf(changes)) events.push({ kind, pull: facts });
    const isFound = !listed.has(facts.repository.toLowerCase());
    rows.push({ facts, changes: addChanges(row?.changes ?? [], changes), stale: false, isFound });
  }
  for (const row of before.values()) {
    const isAnswered = whole.has(row.facts.repository.toLowerCase()) || (row.isFound && searched.all);
    if (refreshed.hasGaps && !isAnswered) rows.push({ ...row, stale: true });
  }
  return { rows, events };
}

/** Without the searches their answers are as they were. */
function withSearches(told: PullFacts, before: PullFacts | undefined, searched: Refreshed['searched']): PullFacts {
  if (before === undefined || searched.all) return told;
  return {
    ...told,
    isMyTurn: told.isMyTurn || (!searched.asked && before.isMyTurn),
    queries: [...new Set([...told.queries, ...before.queries])],
  };
}
