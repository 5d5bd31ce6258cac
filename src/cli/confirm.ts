import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { UsageError } from './failure.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * Asks a yes-or-no question on the terminal; only `y` and `yes` agree.
 * @throws {UsageError} when there is nobody to ask: then the answer has to be given as an option.
 */
export async function confirm(world: Surroundings, question: string, option: string): Promise<boolean> {
  if (world.stdin.isTTY !== true || world.stderr.isTTY !== true) {
    throw new UsageError(`this needs a confirmation and there is no terminal to ask on: add ${option}`);
  }
  // Ended by Ctrl-D at an earlier question: nobody answers any more.
  if (world.stdin.readableEnded) return false;
  const prompt = createInterface({ input: world.stdin, output: world.stderr });
  try {
    // Ctrl-D closes it without an answer.
    const closed = once(prompt, 'close').then(() => '');
    const answer = await Promise.race([prompt.question(`${question} [y/N] `), closed]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    prompt.close();
  }
}
