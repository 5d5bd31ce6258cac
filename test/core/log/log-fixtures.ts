import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { readFacts, type LineFact } from '../../../src/core/log/record.ts';
import { readLines, type Line, type ReadLinesOptions } from '../../../src/core/log/lines.ts';

/** A stream of `bytes`, cut into chunks of the given sizes in turn (the last one is repeated). */
export async function* inChunks(bytes: Uint8Array, sizes: readonly number[] = [65536]): AsyncGenerator<Uint8Array> {
  let turn = 0;
  for (let from = 0; from < bytes.length;) {
    const size = sizes[Math.min(turn++, sizes.length - 1)] ?? 1;
    yield bytes.subarray(from, from + size);
    from += size;
  }
}

/** Everything a stream yields. */
export async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

export async function linesOf(
  bytes: Uint8Array,
  sizes?: readonly number[],
  options?: ReadLinesOptions,
): Promise<Line[]> {
  return all(readLines(inChunks(bytes, sizes), 0, options));
}

export async function factsOf(content: string | Uint8Array): Promise<LineFact[]> {
  return all(readFacts(inChunks(Buffer.from(content))));
}

/** Whole lines as the CLI writes them. */
export function log(...records: readonly (object | string)[]): string {
  return records.map((record) => `${typeof record === 'string' ? record : JSON.stringify(record)}\n`).join('');
}

/** The bytes of `facts` cut out of the content they were read from. */
export function cut(content: string, facts: readonly LineFact[]): string {
  const bytes = Buffer.from(content);
  return facts.map((fact) => bytes.toString('utf8', fact.start, fact.end)).join('');
}

/** Bytes with many newlines in them, cut anywhere. */
export const anyBytes: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 255 }) }, { weight: 1, arbitrary: fc.constant(0x0a) }),
    {
      maxLength: 200,
    },
  )
  .map((bytes) => Uint8Array.from(bytes));

export const anyChunking: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 1, max: 40 }), {
  minLength: 1,
  maxLength: 8,
});

/**
 * Lines of two machines drawn from a small stock, so that repetitions within and between the sides are the rule:
 * records with uuid (some with two contents), state lines without, damaged lines.
 */
export const anyLines: fc.Arbitrary<string[]> = fc.array(
  fc.oneof(
    fc
      .tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.constantFrom('1', '1', '1', '2'))
      .map(([uuid, content]) => JSON.stringify({ type: 'user', uuid, content })),
    fc.constantFrom('plan', 'normal').map((mode) => JSON.stringify({ type: 'mode', mode })),
    fc.constantFrom('', '{"type":"user","uu', '\0\0\0'),
  ),
  { maxLength: 14 },
);

/** Transcripts of the sample home of `machine` by session uuid, or `null` where the samples are not at hand. */
export function sampleTranscripts(machine: 'rog' | 'mac'): Map<string, Buffer> | null {
  const projects = fileURLToPath(
    new URL(`../../../../shared/data/claude-home-sample/${machine}/.claude/projects`, import.meta.url),
  );
  if (!existsSync(projects)) return null;
  const transcripts = new Map<string, Buffer>();
  for (const folder of readdirSync(projects)) {
    for (const file of readdirSync(join(projects, folder))) {
      if (file.endsWith('.jsonl'))
        transcripts.set(file.slice(0, -'.jsonl'.length), readFileSync(join(projects, folder, file)));
    }
  }
  return transcripts;
}
