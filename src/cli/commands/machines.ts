import type { Command } from 'commander';
import type { MachinesResumeResult, ResumeMode, ResumePlan } from '../../protocol/machines.ts';
import type { CommandHost } from '../cli.ts';
import { EXIT, UsageError } from '../failure.ts';
import { bytes, count } from '../../client/figures.ts';
import type { Output } from '../output.ts';
import { plainLine } from '../../client/plain-text.ts';
import { addMachinesAdd } from './machines-add.ts';
import { addMachinesRemove } from './machines-remove.ts';
import { addMachinesTest } from './machines-test.ts';
import { printMachines } from './status.ts';

/** `machines list|add|remove|test|pause|resume`. */
export function addMachines(program: Command, host: CommandHost): void {
  const machines = host.command(program, 'machines', 'list, add, remove, test, pause and resume machines');

  host.command(machines, 'list', 'list the machines', { isDefault: true }).action(
    host.run(async (cli) => {
      const result = await cli.withHub((hub) => hub.request('machines/list', {}));
      cli.out.result(result, () => printMachines(cli.out, result.machines, cli.world.now()));
      return EXIT.done;
    }),
  );

  addMachinesAdd(machines, host);
  addMachinesRemove(machines, host);
  addMachinesTest(machines, host);

  host
    .command(machines, 'pause', 'neither read nor write a machine until it is resumed')
    .argument('<machine>')
    .action(
      host.run(async (cli, machine: string) => {
        const result = await cli.withHub((hub) => hub.request('machines/pause', { machine }));
        cli.out.result(result, () => cli.out.line(`${plainLine(machine)} is paused`));
        return EXIT.done;
      }),
    );

  host
    .command(machines, 'resume', 'go on with a machine that was paused or quarantined')
    .argument('<machine>')
    .option('--refill', 'forget what was verified there and unite: nothing is deleted')
    .option('--accept-deletes', 'what is gone there was meant to go, everywhere')
    .option(
      '--new-id',
      "its folder is a copy of another machine's: give it a mark of its own and unite: nothing is deleted",
    )
    .option('--preview', 'only show what would happen')
    .action(
      host.run(async (cli, machine: string, options: ModeOptions & { preview?: true }) => {
        const mode = chosenMode(options);
        const result = await cli.withHub(async (hub) => {
          if (mode !== null || options.preview) {
            return hub.request('machines/resume', { machine, mode, preview: options.preview === true });
          }
          // A quarantine is never lifted without a mode; a mere pause needs none.
          const seen = await hub.request('machines/resume', { machine, mode: null, preview: true });
          if (seen.quarantine !== null) return seen;
          return hub.request('machines/resume', { machine, mode: null, preview: false });
        });
        cli.out.result(result, () => printResume(cli.out, machine, result));
        if (result.resumed || options.preview) return EXIT.done;
        throw new UsageError(
          (result.sharedWith ?? []).length > 0
            ? `${plainLine(machine)} is quarantined: its folder is a copy of that of ${plainLine(result.sharedWith?.join(', ') ?? '')}; add --new-id to give it a mark of its own (unites, deletes nothing)`
            : `${plainLine(machine)} is quarantined: add --refill (unites, deletes nothing) or --accept-deletes to resume it`,
        );
      }),
    );
}

interface ModeOptions {
  readonly refill?: true;
  readonly acceptDeletes?: true;
  readonly newId?: true;
}

function chosenMode({ refill, acceptDeletes, newId }: ModeOptions): ResumeMode | null {
  const chosen: ResumeMode[] = [
    ...(refill ? (['refill'] as const) : []),
    ...(acceptDeletes ? (['accept-deletes'] as const) : []),
    ...(newId ? (['new-id'] as const) : []),
  ];
  if (chosen.length > 1) throw new UsageError(`--${chosen.join(' and --')} exclude each other`);
  return chosen[0] ?? null;
}

function printResume(out: Output, machine: string, result: MachinesResumeResult): void {
  if (result.quarantine !== null) out.line(`${plainLine(machine)} was stopped: ${plainLine(result.quarantine)}`);
  else if (!result.resumed) out.line(`${plainLine(machine)} is ${result.machine.status}: no safeguard stopped it`);
  for (const plan of result.plans) printPlan(out, plan, result.resumed);
  if (result.resumed) out.line(out.tint('green', `${plainLine(machine)} is resumed`));
}

function printPlan(out: Output, plan: ResumePlan, resumed: boolean): void {
  out.line(`--${plan.mode} ${resumed ? 'does' : 'would do'} this:`);
  out.line(`  write there    ${count(plan.written.files, 'file')}, ${bytes(plan.written.bytes)}`);
  out.line(`  read from it   ${count(plan.read.files, 'file')}, ${bytes(plan.read.bytes)}`);
  out.line(`  delete on all  ${out.tint(plan.deleted > 0 ? 'red' : 'dim', count(plan.deleted, 'file'))}`);
  out.line(`  conflicts      ${plan.conflicts}`);
  for (const key of plan.examples) out.line(`    ${plainLine(key)}`);
}
