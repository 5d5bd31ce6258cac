import type { DryRun, ProbeReport } from '../protocol/probe.ts';
import { bytes, count } from '../client/figures.ts';
import type { Output } from './output.ts';
import { plainLine } from '../client/plain-text.ts';

const PROJECTS = 8;
/** More is told as a problem, ms. */
const CLOCK_OFF_MS = 60_000;
const CLEAN_UP_SHORT_DAYS = 365;

/** What a machine is and has. */
export function printProbe(out: Output, machine: string, report: ProbeReport): void {
  const line = (what: string, text: string, fix: string | null = null): void => {
    out.line(`${what.padEnd(14)}${plainLine(text)}`);
    if (fix !== null) out.line(out.tint('yellow', `${' '.repeat(14)}better: ${plainLine(fix)}`));
  };
  const { claudeDir, watcher, rsync, projects, synced, cleanUp, clockOffsetMs, space } = report;
  out.line(out.tint('bold', `${plainLine(machine)}: ${plainLine(report.server)}`));
  line('system', report.architecture === null ? report.os : `${report.os}, ${report.architecture}`);
  line('home', report.home);
  line(
    'Claude folder',
    claudeDir.state === 'present' ? claudeDir.path : `${claudeDir.path} (${STATES[claudeDir.state]})`,
  );
  if (!report.hasShell) line('shell', 'none: everything goes over SFTP');
  line('noticed by', watcher.kind, watcher.fix);
  line('rsync', `there ${rsync.there ?? 'none'}, here ${rsync.here ?? 'none'}`, rsync.fix);
  if (claudeDir.state === 'present') {
    line(
      'holds',
      `${count(report.sessions, 'conversation')} in ${count(projects.total, 'project')}, ${count(synced.files, 'file')}, ${bytes(synced.bytes)}`,
    );
    for (const { path, sessions } of projects.known.slice(0, PROJECTS)) line('', `${path} (${sessions})`);
    const more = projects.total - Math.min(projects.known.length, PROJECTS);
    if (more > 0) line('', `and ${count(more, 'more project', 'more projects')}`);
  }
  for (const { path, reason } of report.unreadable) line('not carried', `${path}: ${reason}`);
  line(
    'clean-up',
    cleanUp.problem ?? `Claude Code there deletes conversations after ${cleanUp.days} days`,
    cleanUp.problem === null && cleanUp.days < CLEAN_UP_SHORT_DAYS ? '--raise-clean-up' : null,
  );
  if (clockOffsetMs !== null) {
    const isOff = Math.abs(clockOffsetMs) > CLOCK_OFF_MS;
    const seconds = (clockOffsetMs / 1000).toFixed(1);
    line('clock', isOff ? `${seconds} s off` : 'right', isOff ? 'let it follow the time of the network' : null);
  }
  if (space !== null) line('disk', `${bytes(space.freeBytes)} of ${bytes(space.totalBytes)} free`);
  if (report.watchLimit !== null) line('watches', `${report.watchLimit} folders can be watched`);
  for (const { extension, means } of report.lacks) line('lacks', `${extension}: ${means}`);
}

const STATES = {
  missing: 'not there yet',
  'not-a-folder': 'it is no folder',
  unreadable: 'it cannot be read',
} as const;

/** What its first sync would do. */
export function printDryRun(out: Output, machine: string, dryRun: DryRun | null): void {
  if (dryRun === null) {
    out.line('no hub runs, so what the first sync would do is not known: claude-sync up, and try again');
    return;
  }
  const { toMachine, fromMachine, conflicts, notCompared, sweptThere } = dryRun;
  const name = plainLine(machine);
  const amount = ({ files, bytes: size }: { files: number; bytes: number }): string =>
    `about ${count(files, 'file')}, ${bytes(size)}`;
  out.line('the first sync would');
  out.line(`  bring to ${name}: ${amount(toMachine)}`);
  for (const other of fromMachine) out.line(`  bring from ${name} to ${plainLine(other.machine)}: ${amount(other)}`);
  out.line('  delete nothing');
  out.line(
    conflicts.total === 0
      ? '  meet no file that both sides have with other contents'
      : out.tint(
          'yellow',
          `  merge or keep as versions ${count(conflicts.total, 'file')} that both sides have with other contents`,
        ),
  );
  for (const key of conflicts.examples) out.line(`    ${plainLine(key)}`);
  if (notCompared > 0) out.line(`  (${count(notCompared, 'file')} of equal length not compared yet)`);
  if (sweptThere > 0)
    out.line(
      out.tint(
        'yellow',
        `  ${count(sweptThere, 'conversation is', 'conversations are')} older than the clean-up there: Claude Code would delete them on ${name} again; the hub and the others keep them`,
      ),
    );
}
