import { describeViolation } from './oracle/violation.ts';
import type { SeedResult } from './world.ts';

/** Whether nothing was wrong. */
export function passed(result: SeedResult): boolean {
  return result.violations.length === 0 && result.crash === null;
}

/** A failing seed as a person needs it: how to run it again, what broke, and the last events before the end. */
export function describeFailure(result: SeedResult, traceLines = 40): string {
  const broken = result.violations.slice(0, 12).map((violation) => `  ${describeViolation(violation)}`);
  const more = result.violations.length > 12 ? [`  and ${result.violations.length - 12} more`] : [];
  return [
    `seed ${result.seed} (${result.flavour}) fails after ${result.events} events; run it again with`,
    `  node test/simulation/run.ts --seed ${result.seed} --verbose`,
    ...broken,
    ...more,
    ...(result.crash ? [`  unexpected: ${result.crash.stack ?? result.crash.message}`] : []),
    ...(traceLines > 0
      ? ['last events (virtual ms since the start):', ...result.trace.slice(-traceLines).map((line) => `  ${line}`)]
      : []),
  ].join('\n');
}
