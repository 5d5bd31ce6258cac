import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';
import { leftOpen } from './left-open.mjs';

/** A suite whose process is still there so long after its last test keeps something open. */
const END_MS = 15_000;

/**
 * Mocha's own `spec` output, and the counts with what failed as JSON in the file that CLAUDE_SYNC_TEST_COUNTS names. A file, because output can be
 * cut or imitated, and a suite that dies half-way must not look like one that passed.
 */
export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.CLAUDE_SYNC_TEST_COUNTS;
    if (!file) return;
    runner.once('end', () => {
      const { passes, failures, pending } = runner.stats;
      const said = this.failures.map((test) => `${test.fullTitle()}\n${test.err?.stack ?? test.err?.message ?? ''}`);
      writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, skipped: pending, failures: said }));
      // Waits for nothing itself. Without it such a suite is silent until it is ended for taking too long, and nobody knows why. What
      // the tests said stands: the code is theirs, whatever is asked for here.
      setTimeout(() => {
        const open = `open: ${process.getActiveResourcesInfo().join(', ')}`;
        console.log(
          `the tests are done and their process does not end:\n  ${[open, ...leftOpen(process.pid)].join('\n  ')}`,
        );
        process.exit();
      }, END_MS).unref();
    });
  }
}
