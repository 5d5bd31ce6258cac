import type { Command } from 'commander';
import type { CommandHost } from '../cli.ts';

/** `demo`: three throw-away local machines with sample data, syncing before your eyes. */
export function addDemo(program: Command, host: CommandHost): void {
  host
    .command(program, 'demo', 'watch three throw-away machines stay in sync')
    .option('--keep', 'leave the folders of the machines for a look')
    .action(
      host.run(async (cli, options: { keep?: true }) => {
        const { runDemo } = await import('../demo/demo.ts');
        return runDemo(cli, { keep: options.keep === true });
      }),
    );
}
