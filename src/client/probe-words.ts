import type { DryRun, ProbeReport } from '../protocol/probe.ts';
import { bytes, count } from './figures.ts';
import { plainLine } from './plain-text.ts';

/** Advised for the clean-up age of Claude Code, and used where no other number is given, days. */
export const CLEAN_UP_DAYS = 365;

const PROJECTS = 8;
/** More is told as a problem, ms. */
const CLOCK_OFF_MS = 60_000;

const STATES = {
  missing: 'not there yet',
  'not-a-folder': 'it is no folder',
  unreadable: 'it cannot be read',
} as const;

/** One thing about a machine. Harmless text. */
export interface ProbeFact {
  /** '' for more of what stands above it. */
  readonly what: string;
  readonly text: string;
  /** What would make it better; `null` for nothing. */
  readonly fix: string | null;
}

/** What a machine is and has. @param cleanUpFix what to say where its clean-up age is short. */
export function probeFacts(report: ProbeReport, cleanUpFix: string): ProbeFact[] {
  const { claudeDir, watcher, rsync, projects, synced, cleanUp, clockOffsetMs, space } = report;
  const facts: ProbeFact[] = [];
  const add = (what: string, text: string, fix: string | null = null): void => {
    facts.push({ what, text: plainLine(text), fix: fix === null ? null : plainLine(fix) });
  };
  add('system', report.architecture === null ? report.os : `${report.os}, ${report.architecture}`);
  add('home', report.home);
  add(
    'Claude folder',
    claudeDir.state === 'present' ? claudeDir.path : `${claudeDir.path} (${STATES[claudeDir.state]})`,
  );
  if (!report.hasShell) add('shell', 'none: everything goes over SFTP');
  add('noticed by', watcher.kind, watcher.fix);
  add('rsync', `there ${rsync.there ?? 'none'}, here ${rsync.here ?? 'none'}`, rsync.fix);
  if (claudeDir.state === 'present') {
    add(
      'holds',
      `${count(report.sessions, 'conversation')} in ${count(projects.total, 'project')}, ${count(synced.files, 'file')}, ${bytes(synced.bytes)}`,
    );
    for (const { path, sessions } of projects.known.slice(0, PROJECTS)) add('', `${path} (${sessions})`);
    const more = projects.total - Math.min(projects.known.length, PROJECTS);
    if (more > 0) add('', `and ${count(more, 'more project', 'more projects')}`);
  }
  for (const { path, reason } of report.unreadable) add('not carried', `${path}: ${reason}`);
  add(
    'clean-up',
    cleanUp.problem ?? `Claude Code there deletes conversations after ${cleanUp.days} days`,
    isCleanUpShort(report) ? cleanUpFix : null,
  );
  if (clockOffsetMs !== null) {
    const isOff = Math.abs(clockOffsetMs) > CLOCK_OFF_MS;
    const seconds = (clockOffsetMs / 1000).toFixed(1);
    add('clock', isOff ? `${seconds} s off` : 'right', isOff ? 'let it follow the time of the network' : null);
  }
  if (space !== null) add('disk', `${bytes(space.freeBytes)} of ${bytes(space.totalBytes)} free`);
  if (report.watchLimit !== null) add('watches', `${report.watchLimit} folders can be watched`);
  for (const { extension, means } of report.lacks) add('lacks', `${extension}: ${means}`);
  return facts;
}

/** Whether Claude Code there deletes conversations sooner than advised, and it is known how to change that. */
export function isCleanUpShort({ cleanUp }: ProbeReport): boolean {
  return cleanUp.problem === null && cleanUp.days < CLEAN_UP_DAYS;
}

/** A sentence about a first sync. Harmless text. */
export interface DryRunLine {
  readonly text: string;
  readonly isWarning: boolean;
}

/** What the first sync of a machine would do, below the words "the first sync would". */
export function dryRunLines(machine: string, dryRun: DryRun): DryRunLine[] {
  const { toMachine, fromMachine, conflicts, notCompared, sweptThere } = dryRun;
  const name = plainLine(machine);
  const amount = ({ files, bytes: size }: { files: number; bytes: number }): string =>
    `about ${count(files, 'file')}, ${bytes(size)}`;
  const line = (text: string, isWarning = false): DryRunLine => ({ text, isWarning });
  return [
    line(`bring to ${name}: ${amount(toMachine)}`),
    ...fromMachine.map((other) => line(`bring from ${name} to ${plainLine(other.machine)}: ${amount(other)}`)),
    line('delete nothing'),
    conflicts.total === 0
      ? line('meet no file that both sides have with other contents')
      : line(
          `merge or keep as versions ${count(conflicts.total, 'file')} that both sides have with other contents`,
          true,
        ),
    ...conflicts.examples.map((key) => line(`  ${plainLine(key)}`)),
    ...(notCompared > 0 ? [line(`(${count(notCompared, 'file')} of equal length not compared yet)`)] : []),
    ...(sweptThere > 0
      ? [
          line(
            `${count(sweptThere, 'conversation is', 'conversations are')} older than the clean-up there: Claude Code would delete them on ${name} again; the hub and the others keep them`,
            true,
          ),
        ]
      : []),
  ];
}
