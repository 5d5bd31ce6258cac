import { addChanges, changesOf, eventsOf, type PullChange, type PullEventKind } from './changes.ts';
import type { PullFacts } from './pull.ts';

/** A pull request as the hub keeps it. */
export interface KnownPull {
  readonly facts: PullFacts;
  /** Since the user last looked. */
  readonly changes: readonly PullChange[];
  /** It could not be asked about in the last refresh. */
  readonly stale: boolean;
}

/** What a refresh brought. */
export interface Refreshed {
  readonly pulls: readonly PullFacts[];
  /** Repositories whose open pull requests are all among `pulls`; lower case. */
  readonly whole: ReadonlySet<string>;
  /** Something was refused, and it is not known of which repositories. */
  readonly hasGaps: boolean;
}

/** The rows after a refresh, and what to tell the user. */
export interface MergedRefresh {
  readonly rows: readonly KnownPull[];
  readonly events: readonly { readonly kind: PullEventKind; readonly pull: PullFacts }[];
}

/**
 * Joins what is known with what a refresh brought. A row goes when GitHub was asked about it and did not name it; what could not be asked
 * about stays, marked as stale.
 * @param isFirst nothing was ever known: then everything would be news, and nothing is.
 */
export function mergeRefresh(known: Iterable<KnownPull>, refreshed: Refreshed, isFirst: boolean): MergedRefresh {
  const before = new Map([...known].map((row) => [row.facts.id, row]));
  const rows: KnownPull[] = [];
  const events: { kind: PullEventKind; pull: PullFacts }[] = [];
  for (const facts of refreshed.pulls) {
    const row = before.get(facts.id);
    before.delete(facts.id);
    const changes = isFirst ? [] : changesOf(row?.facts ?? null, facts);
    for (const kind of eventsOf(changes)) events.push({ kind, pull: facts });
    rows.push({ facts, changes: addChanges(row?.changes ?? [], changes), stale: false });
  }
  for (const row of before.values()) {
    const isAnswered = refreshed.whole.has(row.facts.repository.toLowerCase());
    if (refreshed.hasGaps && !isAnswered) rows.push({ ...row, stale: true });
  }
  return { rows, events };
}
