import { z } from 'zod';
import type { KnownPull } from '../../core/pulls/merge-refresh.ts';
import { PullSchema, type Pull } from '../../protocol/pulls.ts';
import { jsonOrNull } from '../json-or-null.ts';
import type { PullRow, PullTable } from '../store/store.ts';

/** What is stored of a pull request: everything of the protocol's that does not follow from the rest. */
const STORED = z.object({
  facts: PullSchema.omit({ attention: true, changes: true, stale: true, sessions: true }),
  changes: PullSchema.shape.changes,
  stale: PullSchema.shape.stale,
  isFound: z.boolean(),
});

/** The pull requests that are known; a row that cannot be read is no loss, GitHub tells it again. */
export function readRows(table: PullTable): KnownPull[] {
  return [...table.values()].flatMap(({ json }) => {
    const row = STORED.safeParse(jsonOrNull(json));
    return row.success ? [row.data] : [];
  });
}

/** Makes these the pull requests that are known. */
export function writeRows(table: PullTable, rows: readonly KnownPull[]): void {
  const ids = new Set(rows.map(({ facts }) => facts.id));
  for (const { id } of [...table.values()]) if (!ids.has(id)) table.delete(id);
  for (const row of rows) table.put(rowOf(row));
}

function rowOf({ facts, changes, stale, isFound }: KnownPull): PullRow {
  const { id, repository, number, updatedAt } = facts;
  return {
    id,
    repository,
    number,
    updatedAt,
    json: JSON.stringify({ facts, changes, stale, isFound } satisfies Stored),
  };
}

/** So that the words of `core` and those of the protocol stay the same. */
interface Stored {
  readonly facts: Readonly<Omit<Pull, 'attention' | 'changes' | 'stale' | 'sessions'>> | KnownPull['facts'];
  readonly changes: readonly Pull['changes'][number][];
  readonly stale: boolean;
  readonly isFound: boolean;
}
