import type { Finding } from './alert.ts';
import { commandWord } from './command-word.ts';
import type { HealthFacts, RetentionFacts } from './facts.ts';

/** So many damaged files are named one by one; the rest is counted. */
export const MOST_DAMAGED = 10;

/** The limit for kept versions took some before their time, or cannot be kept. */
export function versionsLimit(last: RetentionFacts | null): Finding[] {
  if (last === null || (last.forced === 0 && !last.stillOver)) return [];
  const { forced, stillOver, bytesAfter, keepDays, maxBytes } = last;
  const told = [
    ...(forced > 0
      ? [
          `${forced} versions younger than ${keepDays} days were removed, because all of them were over versions.maxBytes (${maxBytes})`,
        ]
      : []),
    ...(stillOver
      ? [`the versions that must be kept take ${bytesAfter} bytes, more than versions.maxBytes (${maxBytes})`]
      : []),
  ];
  return [
    {
      id: 'versions-limit',
      severity: 'warning',
      message: told.join('; '),
      unaffected: 'The files themselves are untouched, and syncing goes on; what conflicts need is kept in any case.',
      next: 'Raise versions.maxBytes in the configuration, or lower versions.keepDays.',
      machine: null,
      key: null,
    },
  ];
}

/** Files of the hub that its disk damaged (docs/sync.md section 6). */
export function damaged(found: HealthFacts['damaged']): Finding[] {
  const findings = found.slice(0, MOST_DAMAGED).map(({ key, what }): Finding => ({
    id: `damaged/${key}`,
    severity: 'error',
    message: `the hub's own file of ${key} is damaged (${what}) and is not passed on; it is mended as soon as a machine that has it whole can be reached`,
    unaffected: DAMAGE_UNAFFECTED,
    next: `Check the disk of the hub. claude-sync versions ${commandWord(key)} lists what is kept of it.`,
    machine: null,
    key,
  }));
  const more = found.length - findings.length;
  if (more <= 0) return findings;
  const rest: Finding = {
    id: 'damaged-more',
    severity: 'error',
    message: `${more} more of the hub's own files are damaged and are not passed on`,
    unaffected: DAMAGE_UNAFFECTED,
    next: 'Check the disk of the hub. claude-sync doctor names all of them.',
    machine: null,
    key: null,
  };
  return [...findings, rest];
}

const DAMAGE_UNAFFECTED = 'The copies on the machines are as they were; all other files go on syncing.';

/** Files of the hub that were damaged, and are no more. */
export function mended(count: number): Finding[] {
  if (count === 0) return [];
  const files =
    count === 1
      ? "1 of the hub's own files was damaged on its disk and has"
      : `${count} of the hub's own files were damaged on its disk and have`;
  return [
    {
      id: 'mended',
      severity: 'warning',
      message: `${files} been mended`,
      unaffected: 'Nothing was lost, and nothing damaged was passed on.',
      next: 'Check the disk of the hub.',
      machine: null,
      key: null,
    },
  ];
}
