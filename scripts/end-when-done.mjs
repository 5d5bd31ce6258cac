import { existsSync } from 'node:fs';
import { leftOpen } from './left-open.mjs';

/** More than what the suite waits for itself, see `counting-reporter.mjs`. */
const END_MS = 45_000;
const LOOK_MS = 1_000;

/**
 * Ends a suite that has told its counts and is there long after, too stuck to say so itself, as Node can be while it ends
 * (nodejs/node#54918). Says where its threads are. What the tests said stands.
 * @param countFile where it tells its counts as the last thing it does.
 * @returns whether that was needed, as `wasNeeded`.
 */
export function endWhenDone(child, countFile, { afterMs = END_MS, say = console.log } = {}) {
  const end = { wasNeeded: false };
  let doneAt = null;
  const look = setInterval(() => {
    if (doneAt === null && existsSync(countFile)) doneAt = Date.now();
    if (doneAt === null || Date.now() - doneAt < afterMs) return;
    clearInterval(look);
    say(`the tests are done and their process neither ends nor answers:\n  ${leftOpen(child.pid).join('\n  ')}`);
    end.wasNeeded = true;
    child.kill('SIGKILL');
  }, LOOK_MS);
  child.once('exit', () => clearInterval(look));
  return end;
}
