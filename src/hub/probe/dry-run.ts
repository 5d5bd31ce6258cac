import type { FileStat, Head, Key, MachineName, UnixMs } from '../../core/domain.ts';
import type { Rule } from '../../core/rules/classify.ts';
import { parseKey } from '../../core/keys/key.ts';
import type { DryRun } from '../../protocol/probe.ts';

/** What a dry run is told from. */
export interface DryRunInput {
  /** What lies on the new machine, as far as it is synced. */
  readonly there: ReadonlyMap<Key, Pick<FileStat, 'size' | 'mtimeMs'>>;
  /** Bytes of files there that are known to belong to no project yet: they get a key when they are read. */
  readonly unplaced: { readonly files: number; readonly bytes: number };
  readonly heads: Iterable<Head>;
  readonly rule: (key: Key) => Pick<Rule, 'allowed' | 'merge'>;
  /** Keys of equal size whose contents were compared: whether they are the same. */
  readonly compared: ReadonlyMap<Key, boolean>;
  /** The machines that are there already. */
  readonly others: readonly MachineName[];
  /** Clean-up age there, days. */
  readonly cleanUpDays: number;
  readonly now: UnixMs;
}

const DAY_MS = 86_400_000;
const EXAMPLES = 10;

/** What the first sync of a machine would do. Nothing is deleted by one: both sides are united. */
export function dryRun(input: DryRunInput): DryRun {
  const { there, heads, rule, compared, others, cleanUpDays, now } = input;
  const to = { files: 0, bytes: 0 };
  const from = { ...input.unplaced };
  const conflicts: Key[] = [];
  const onlyThere = new Set(there.keys());
  const lastActivity = new Map<Key, UnixMs>();
  let notCompared = 0;

  for (const head of heads) {
    const { allowed, merge } = rule(head.key);
    if (!allowed || head.kind !== 'file') continue;
    noteActivity(lastActivity, head.key, head.mtimeMs);
    const copy = there.get(head.key);
    if (copy === undefined) {
      to.files += 1;
      to.bytes += head.size;
      continue;
    }
    onlyThere.delete(head.key);
    const growth = copy.size - head.size;
    if (merge === 'log' || merge === 'union') {
      if (growth > 0) count(from, growth);
      else if (growth < 0) count(to, -growth);
      continue;
    }
    const isSame = growth === 0 ? (compared.get(head.key) ?? null) : false;
    if (isSame === null) notCompared += 1;
    else if (!isSame) conflicts.push(head.key);
  }
  for (const [key, { size, mtimeMs }] of there) {
    if (onlyThere.has(key)) count(from, size);
    noteActivity(lastActivity, key, mtimeMs);
  }
  const oldest = now - cleanUpDays * DAY_MS;
  return {
    toMachine: to,
    fromMachine: others.map((machine) => ({ machine, ...from })),
    conflicts: { total: conflicts.length, examples: conflicts.slice(0, EXAMPLES) },
    notCompared,
    sweptThere: [...lastActivity.values()].filter((at) => at < oldest).length,
  };
}

/** Keys whose contents have to be looked at to tell whether both sides have the same: documents of equal length. */
export function keysToCompare(
  input: Pick<DryRunInput, 'there' | 'rule'> & { readonly heads: Iterable<Head> },
): { readonly key: Key; readonly size: number; readonly hash: string }[] {
  return [...input.heads].flatMap(({ key, kind, size, hash }) => {
    const { allowed, merge } = input.rule(key);
    if (!allowed || kind !== 'file' || hash === null || merge === 'log' || merge === 'union') return [];
    return input.there.get(key)?.size === size ? [{ key, size, hash }] : [];
  });
}

function count(total: { files: number; bytes: number }, bytes: number): void {
  total.files += 1;
  total.bytes += bytes;
}

/** Only conversations are swept; their own time says when they were last used. */
function noteActivity(activity: Map<Key, UnixMs>, key: Key, at: UnixMs): void {
  if (parseKey(key).kind === 'transcript') activity.set(key, Math.max(at, activity.get(key) ?? 0));
}
