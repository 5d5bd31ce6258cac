import type { Key, UnixMs } from '../domain.ts';
import { CONFLICT_LOOP_COUNT, CONFLICT_LOOP_MS } from '../safeguards/loop.ts';
import type { Finding } from './alert.ts';
import { ALTERNATION_COUNT } from './alternation.ts';
import { commandWord } from './command-word.ts';
import type { AlternationFacts, RecentConflict } from './facts.ts';

/** Files that two programs on two machines keep rewriting, with conflicts or without. */
export function loops(
  recent: readonly RecentConflict[],
  alternations: readonly AlternationFacts[],
  now: UnixMs,
): Finding[] {
  const byKey = new Map<Key, RecentConflict[]>();
  for (const conflict of recent) {
    if (conflict.at <= now - CONFLICT_LOOP_MS) continue;
    byKey.set(conflict.key, [...(byKey.get(conflict.key) ?? []), conflict]);
  }
  const findings: Finding[] = [];
  for (const [key, ofKey] of byKey) {
    if (ofKey.length < CONFLICT_LOOP_COUNT) continue;
    const last = ofKey.reduce((newest, one) => (one.id > newest.id ? one : newest));
    findings.push(
      loop(
        key,
        `${key} had ${ofKey.length} conflicts within ten minutes: two machines keep changing it`,
        `claude-sync conflicts show ${last.id} shows both sides.`,
      ),
    );
  }
  for (const { key, machines } of alternations) {
    if (findings.some((finding) => finding.key === key)) continue;
    const message = `${key} was changed ${ALTERNATION_COUNT} times within ten minutes, now on one machine, now on another (${machines.join(', ')}): each seems to undo what the other wrote`;
    findings.push(loop(key, message, `claude-sync versions ${commandWord(key)} lists what was written.`));
  }
  return findings;
}

function loop(key: Key, message: string, look: string): Finding {
  return {
    id: `loop/${key}`,
    severity: 'error',
    message,
    unaffected: 'Nothing is lost: what was overwritten is kept as a version. All other files go on syncing.',
    next: `${look} Stop one of the two programs, or take the file out with sync.exclude in the configuration.`,
    machine: null,
    key,
  };
}
