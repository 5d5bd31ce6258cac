import { damageOf, type Damage } from '../../../core/log/fragment.ts';
import { readLines } from '../../../core/log/lines.ts';
import type { LineFact } from '../../../core/log/record.ts';
import type { ByteRange, Key, MachineName } from '../../../core/domain.ts';
import type { EngineContext } from '../context.ts';
import { collect, once, type Excerpt } from '../excerpt.ts';
import { PIECE_BYTES } from './heads.ts';
import { keepVersion } from '../keep-version.ts';

/** A copy of a log, some of whose lines are looked at. */
interface Copy {
  readonly machine: MachineName;
  readonly key: Key;
  readonly excerpt: Excerpt;
}

interface Suspect {
  readonly start: number;
  readonly bytes: Buffer;
  damage: Damage | null;
}

/**
 * Leaves out the lines of a copy that are what an append of the hub became when something went wrong in the middle of it: a piece of a
 * head line that was ended by somebody else's newline, or a head line behind a torn tail. They are not news and must not become lines of
 * their own on every machine. What is in front of a spliced line is nowhere else, so the whole is kept as a version.
 *
 * @param onTheWay the part of the head that may have been on its way to the copy, from the start of a line on
 */
export async function withoutBrokenLines(
  ctx: EngineContext,
  copy: Copy,
  lines: readonly LineFact[],
  onTheWay: ByteRange,
): Promise<readonly LineFact[]> {
  if (!ctx.guards.on('own-pieces')) return lines;
  const suspects = new Map<number, Suspect>();
  for (const line of lines) {
    const length = line.end - 1 - line.start;
    if (length === 0 || length > PIECE_BYTES || isRecord(line)) continue;
    suspects.set(line.start, {
      start: line.start,
      bytes: await collect(copy.excerpt.read(line.start, line.end - 1)),
      damage: null,
    });
  }
  if (suspects.size === 0) return lines;
  for await (const line of readLines(ctx.archive.read(copy.key, ...onTheWay))) {
    if (line.bytes === null) continue;
    for (const suspect of suspects.values()) suspect.damage ??= damageOf(suspect.bytes, line.bytes);
  }
  for (const { bytes, damage } of suspects.values()) if (damage === 'spliced') await keepTorn(ctx, copy, bytes);
  return lines.filter((line) => (suspects.get(line.start)?.damage ?? null) === null);
}

/** A line that could be read as one: no append that went wrong leaves such a line behind. */
function isRecord(fact: LineFact): boolean {
  return fact.type !== null || fact.uuid !== null;
}

/** Keeps a damaged line that is nowhere else as a version of its key. */
export async function keepTorn(
  ctx: EngineContext,
  { machine, key }: Pick<Copy, 'machine' | 'key'>,
  line: Buffer,
): Promise<void> {
  await keepVersion(ctx, once(line), { key, machine, reason: 'torn', mtimeMs: ctx.clock.now() });
}
