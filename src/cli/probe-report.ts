import { plainLine } from '../client/plain-text.ts';
import { dryRunLines, probeFacts } from '../client/probe-words.ts';
import type { DryRun, ProbeReport } from '../protocol/probe.ts';
import type { Output } from './output.ts';

/** Prints what a machine is and has. */
export function printProbe(out: Output, machine: string, report: ProbeReport): void {
  out.line(out.tint('bold', `${plainLine(machine)}: ${plainLine(report.server)}`));
  for (const { what, text, fix } of probeFacts(report, '--raise-clean-up')) {
    out.line(`${what.padEnd(14)}${text}`);
    if (fix !== null) out.line(out.tint('yellow', `${' '.repeat(14)}better: ${fix}`));
  }
}

/** Prints what its first sync would do. */
export function printDryRun(out: Output, machine: string, dryRun: DryRun | null): void {
  if (dryRun === null) {
    out.line('no hub runs, so what the first sync would do is not known: claude-sync up, and try again');
    return;
  }
  out.line('the first sync would');
  for (const { text, isWarning } of dryRunLines(machine, dryRun))
    out.line(isWarning ? out.tint('yellow', `  ${text}`) : `  ${text}`);
}
