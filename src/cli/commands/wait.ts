import type { Command } from 'commander';
import type { WaitResult } from '../../protocol/sync.ts';
import type { CommandHost } from '../cli.ts';
import { EXIT } from '../failure.ts';
import { duration } from '../../client/figures.ts';
import { NOT_WAITED_FOR_WORDS } from '../../client/wait-words.ts';
import { showFirstSync } from '../first-sync-bars.ts';
import type { Output } from '../output.ts';
import { plainLine } from '../../client/plain-text.ts';
import { secondsAsMs } from './arguments.ts';

/** `wait`: returns when it is safe to switch machines, and names what it did not wait for. */
export function addWait(program: Command, host: CommandHost): void {
  host
    .command(program, 'wait', 'wait until every reachable machine has everything: safe to switch')
    .option('--timeout <seconds>', 'give up after this long (exit code 4)', secondsAsMs)
    .action(
      host.run(async (cli, options: { timeout?: number }) => {
        const result = await cli.withHub(async (hub) => {
          const hide = showFirstSync(hub, cli.out, cli.world);
          try {
            return await hub.request('hub/wait', { timeoutMs: options.timeout ?? null });
          } finally {
            hide();
          }
        });
        cli.out.result(result, () => printWait(cli.out, result));
        return result.settled ? EXIT.done : EXIT.timedOut;
      }),
    );
}

function printWait(out: Output, result: WaitResult): void {
  if (result.settled) {
    out.line(`${out.tint('green', 'settled')}: every reachable machine has everything (${duration(result.waitedMs)})`);
  } else {
    out.line(`${out.tint('yellow', 'not settled')} after ${duration(result.waitedMs)}`);
    for (const { machine, status, pending } of result.pending) {
      if (pending > 0) out.line(`  ${plainLine(machine)} (${status}): ${pending} pending`);
    }
  }
  for (const { machine, key } of result.orderRepairedLater) {
    out.line(`complete, its order is repaired when the session is quiet: ${plainLine(`${key} on ${machine}`)}`);
  }
  if (result.notWaitedForTotal === 0) return;
  out.line('not waited for:');
  for (const { machine, key, why, reason } of result.notWaitedFor) {
    const what = key === null ? machine : `${key} on ${machine}`;
    out.line(`  ${plainLine(what)}: ${NOT_WAITED_FOR_WORDS[why]}${reason === null ? '' : ` (${plainLine(reason)})`}`);
  }
  const more = result.notWaitedForTotal - result.notWaitedFor.length;
  if (more > 0) out.line(`  and ${more} more`);
}
