import { Option, type Command } from 'commander';
import type { HubClient } from '../../client/connect.ts';
import type { PullsListResult } from '../../protocol/pulls.ts';
import type { Cli, CommandHost } from '../cli.ts';
import { EXIT, UsageError, type ExitCode } from '../failure.ts';
import { parsePullName, printPullDetail } from '../pull-detail.ts';
import {
  GROUPINGS,
  printPulls,
  printPullsOfSession,
  printPullsState,
  type Grouping,
  type TableContext,
} from '../pulls-table.ts';

interface ListOptions {
  readonly refresh?: true;
  readonly by?: Grouping;
  readonly session?: string;
}

/** Columns of a terminal that does not say how many it has. */
const USUAL_COLUMNS = 80;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * `prs list|show`: open pull requests; with `--json` what the hub answered, as it is. Exit codes of the list: 1 when `--refresh` did
 * not succeed (what was known is printed nevertheless), or when GitHub cannot be asked and nothing is known.
 */
export function addPrs(program: Command, host: CommandHost): void {
  const prs = host.command(program, 'prs', 'list the open pull requests, and show one of them');

  host
    .command(prs, 'list', 'list the open pull requests, the most urgent first', { isDefault: true })
    .option('--refresh', 'ask GitHub now')
    .addOption(new Option('--by <what>', 'group by this (default: attention)').choices(GROUPINGS))
    .addOption(
      new Option('--session <uuid>', 'those of this conversation').argParser(sessionUuid).conflicts(['refresh', 'by']),
    )
    .action(
      host.run((cli, options: ListOptions) =>
        options.session === undefined ? list(cli, options) : listOfSession(cli, options.session),
      ),
    );

  host
    .command(prs, 'show', 'show one with its checks, conversations, description and comments')
    .argument('<pull>', 'OWNER/NAME#NUMBER, its address, or OWNER/NAME')
    .argument('[number]', 'after OWNER/NAME')
    .action(
      host.run(async (cli, pull: string, number: string | undefined) => {
        const name = parsePullName(pull, number);
        const result = await cli.withHub((hub) => hub.request('pulls/detail', name));
        cli.out.result(result, () => printPullDetail(cli.out, name, result, cli.world.now()));
        return EXIT.done;
      }),
    );
}

function sessionUuid(text: string): string {
  if (!UUID.test(text)) throw new UsageError('--session needs the uuid of a conversation');
  return text;
}

async function list(cli: Cli, { refresh, by = 'attention' }: ListOptions): Promise<ExitCode> {
  const result = await cli.withHub((hub) => ask(cli, hub, refresh === true));
  cli.out.result(result, () => {
    const context = tableContext(cli);
    printPulls(context, result.pulls, by);
    printPullsState(context, result);
  });
  return exitCodeOf(result, refresh === true);
}

/** The rows. Only what a person gets to see counts as looked at: a script must not take the news away from its user. */
async function ask(cli: Cli, hub: HubClient, refresh: boolean): Promise<PullsListResult> {
  const params = cli.out.json ? {} : { look: true };
  if (refresh) return hub.request('pulls/refresh', params);
  const result = await hub.request('pulls/list', params);
  if (cli.out.json || result.status.state !== 'never') return result;
  cli.out.note('GitHub has not been asked yet; asking it now');
  return hub.request('pulls/refresh', params);
}

function exitCodeOf({ status: { state }, pulls }: PullsListResult, refresh: boolean): ExitCode {
  const isWell = state === 'ok' || state === 'partial';
  if (refresh) return isWell ? EXIT.done : EXIT.failed;
  return isWell || state === 'never' || pulls.length > 0 ? EXIT.done : EXIT.failed;
}

async function listOfSession(cli: Cli, session: string): Promise<ExitCode> {
  const result = await cli.withHub((hub) => hub.request('pulls/ofSession', { session }));
  cli.out.result(result, () => {
    if (result.pulls.length === 0) return cli.out.line(`no pull requests of conversation ${session} are known`);
    printPullsOfSession(tableContext(cli), result);
  });
  return EXIT.done;
}

/** A pipe gets everything: whoever searches in it must find it. */
function tableContext({ out, world }: Cli): TableContext {
  const { isTTY, columns } = world.stdout;
  return { out, now: world.now(), columns: isTTY === true ? (columns ?? USUAL_COLUMNS) : Infinity };
}
