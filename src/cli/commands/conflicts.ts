import type { Command } from 'commander';
import { Option } from 'commander';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Conflict, ConflictsShowResult } from '../../protocol/conflicts.ts';
import { decodeContent, encodeContent } from '../../protocol/content.ts';
import { CONTENT_LIMIT_BYTES, type Content, type Excerpt } from '../../protocol/shared.ts';
import type { CommandHost } from '../cli.ts';
import { EXIT, UsageError } from '../failure.ts';
import { bytes, pointInTime } from '../../client/figures.ts';
import type { Output } from '../output.ts';
import { plainLine, plainText } from '../../client/plain-text.ts';
import { table } from '../table.ts';
import { unifiedDiff } from '../unified-diff.ts';
import { positiveNumber } from './arguments.ts';

/** `conflicts list|show|resolve`. */
export function addConflicts(program: Command, host: CommandHost): void {
  const conflicts = host.command(program, 'conflicts', 'list, show and resolve conflicts');

  host
    .command(conflicts, 'list', 'list the open conflicts', { isDefault: true })
    .option('--all', 'the resolved ones too')
    .action(
      host.run(async (cli, options: { all?: true }) => {
        const result = await cli.withHub((hub) =>
          hub.request('conflicts/list', { status: options.all ? 'all' : 'open' }),
        );
        cli.out.result(result, () => printList(cli.out, result.conflicts));
        return EXIT.done;
      }),
    );

  host
    .command(conflicts, 'show', 'show how the sides of a conflict differ')
    .argument('<id>', 'number of the conflict', positiveNumber)
    .action(
      host.run(async (cli, id: number) => {
        const result = await cli.withHub((hub) => hub.request('conflicts/show', { id }));
        cli.out.result(result, () => printConflict(cli.out, result));
        return EXIT.done;
      }),
    );

  host
    .command(conflicts, 'resolve', "decide a conflict: one machine's side, or a merged file")
    .argument('<id>', 'number of the conflict', positiveNumber)
    .option('--keep <machine>', 'keep what this machine has')
    .addOption(new Option('--merged <file>', 'take the content of this file').conflicts('keep'))
    .action(
      host.run(async (cli, id: number, options: { keep?: string; merged?: string }) => {
        const { keep, merged } = options;
        if (keep === undefined && merged === undefined) throw new UsageError('give --keep MACHINE or --merged FILE');
        const params =
          keep === undefined ? { id, merged: await contentOf(resolve(cli.world.cwd, merged ?? '')) } : { id, keep };
        const result = await cli.withHub((hub) => hub.request('conflicts/resolve', params));
        cli.out.result(result, () => {
          const decision = plainLine(result.conflict.resolution ?? 'decided');
          cli.out.line(
            `conflict ${id} is resolved: ${decision}. The other sides are kept: claude-sync versions ${plainLine(result.conflict.key)}`,
          );
        });
        return EXIT.done;
      }),
    );
}

/** @throws {UsageError} when the file cannot be used. */
async function contentOf(file: string): Promise<Content> {
  try {
    const { size } = await stat(file);
    if (size > CONTENT_LIMIT_BYTES) throw new UsageError(`${file} is larger than ${bytes(CONTENT_LIMIT_BYTES)}`);
    return encodeContent(await readFile(file));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read the merged file: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function printList(out: Output, conflicts: readonly Conflict[]): void {
  if (conflicts.length === 0) return out.line('no conflicts');
  out.line(
    table(
      ['ID', 'WHEN', 'STATUS', 'KEY', 'SIDES', 'WINNER'],
      conflicts.map(({ id, at, status, key, sides, winner }) => [
        String(id),
        pointInTime(at),
        status,
        key,
        sides.map(({ machine }) => machine).join(', '),
        winner ?? 'none yet',
      ]),
      (padded, _column, row) => (row < 0 ? out.tint('bold', padded) : padded),
    ),
  );
}

function printConflict(out: Output, { conflict, base, contents }: ConflictsShowResult): void {
  out.line(
    `conflict ${conflict.id} about ${plainLine(conflict.key)}, ${conflict.status}, since ${pointInTime(conflict.at)}`,
  );
  out.line(`the hub's way: ${plainLine(conflict.strategy)}; winner: ${plainLine(conflict.winner ?? 'none yet')}`);
  for (const side of conflict.sides) {
    const what = side.sha256 === null ? 'deleted' : bytes(side.bytes);
    out.line(`  ${plainLine(side.machine)}: ${what}, changed ${pointInTime(side.mtimeMs)}`);
  }
  const [first, ...others] = contents;
  if (first === undefined) return;
  const from = base === null ? { name: first.machine, content: first.content } : { name: 'before', content: base };
  for (const side of base === null ? others : contents) {
    out.line();
    printDiff(out, from, { name: side.machine, content: side.content });
  }
}

/** Prints how two contents differ, coloured, without any control characters of theirs. */
export function printDiff(
  out: Output,
  from: { readonly name: string; readonly content: Excerpt | null },
  to: { readonly name: string; readonly content: Excerpt | null },
): void {
  const sides = [from, to].map(({ name, content }) => ({
    name: plainLine(name),
    text: content === null ? null : textOf(content),
  }));
  const [left, right] = sides;
  if (left === undefined || right === undefined) return;
  const diff = unifiedDiff(left, right);
  if (diff === '') return out.line(`${left.name} and ${right.name} have the same content`);
  for (const line of diff.split('\n')) {
    const tint = line.startsWith('@@') ? 'cyan' : line.startsWith('+') ? 'green' : line.startsWith('-') ? 'red' : null;
    out.line(tint === null ? line : out.tint(tint, line));
  }
  if (from.content?.truncated || to.content?.truncated) out.line('(cut off: the files are longer)');
}

function textOf(content: Excerpt): string {
  if (content.encoding === 'base64') return `(${bytes(decodeContent(content).length)} that are no text)\n`;
  return plainText(content.data);
}
