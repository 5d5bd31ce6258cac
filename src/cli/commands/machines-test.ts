import type { Command } from 'commander';
import type { MachinesTestResult, TestStep } from '../../protocol/probe.ts';
import type { CommandHost } from '../cli.ts';
import { EXIT } from '../failure.ts';
import { withMachineDesk, type MachineDesk } from '../machine-service.ts';
import type { Output, Tint } from '../output.ts';
import { plainLine, plainText } from '../../client/plain-text.ts';

const TINTS: Record<TestStep['outcome'], Tint> = { ok: 'green', warning: 'yellow', failed: 'red', skipped: 'dim' };

/** `machines test`: connects anew with the configured settings and tries everything that syncing needs. */
export function addMachinesTest(machines: Command, host: CommandHost): void {
  host
    .command(machines, 'test', 'connect anew and try everything that syncing needs, step by step')
    .argument('[machine]', 'default: all')
    .action(
      host.run(async (cli, machine: string | undefined) => {
        const results = await withMachineDesk(cli, async (desk) => {
          const names = machine === undefined ? await desk.machines() : [machine];
          return test(desk, names);
        });
        cli.out.result({ machines: results }, () => {
          for (const result of results) print(cli.out, result);
        });
        return results.every(({ passed }) => passed) ? EXIT.done : EXIT.failed;
      }),
    );
}

/** At the same time: one that does not answer keeps nobody waiting. */
function test(desk: MachineDesk, names: readonly string[]): Promise<MachinesTestResult[]> {
  return Promise.all(names.map((machine) => desk.request('machines/test', { machine })));
}

function print(out: Output, { machine, passed, steps }: MachinesTestResult): void {
  out.line(out.tint('bold', `${plainLine(machine)}: ${passed ? 'all that is needed works' : 'does not work'}`));
  for (const { step, outcome, ms, message, fix } of steps) {
    const time = ms === null ? '' : `${ms.toFixed(1)} ms`;
    out.line(
      `  ${out.tint(TINTS[outcome], outcome.padEnd(7))}  ${step.padEnd(14)}  ${time.padStart(10)}  ${plainLine(message)}`,
    );
    if (fix !== null) for (const line of plainText(fix).split('\n')) out.line(`           fix: ${line}`);
  }
}
