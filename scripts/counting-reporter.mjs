import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

/**
 * Mocha's own `spec` output, and the counts as JSON in the file that CLAUDE_SYNC_TEST_COUNTS names. A file, because output can be
 * cut or imitated, and a suite that dies half-way must not look like one that passed.
 */
export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.CLAUDE_SYNC_TEST_COUNTS;
    if (!file) return;
    runner.once('end', () => {
      const { passes, failures, pending } = runner.stats;
      writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, skipped: pending }));
    });
  }
}
