import type { Finding } from './alert.ts';
import type { HealthFacts } from './facts.ts';

/** A configuration file with mistakes. */
export function configuration(found: HealthFacts['configuration']): Finding[] {
  if (found === null) return [];
  return [
    {
      id: 'configuration',
      severity: 'error',
      message: `the configuration cannot be used: ${found.problem.replaceAll('\n', '; ')}`,
      unaffected: 'The last good one stays in force, and syncing goes on with it.',
      next: `Correct ${found.file ?? 'the configuration file'}; it is read again by itself.`,
      machine: null,
      key: null,
    },
  ];
}
