import { parseFact } from '../log/record.ts';

/** Head and tail of a transcript tell its working folders: the CLI repeats its state about every 32 KiB. */
const EDGE_BYTES = 64 * 1024;

/** The byte ranges of a transcript of `size` bytes that tell its working folders. */
export function tellingRanges(size: number): readonly (readonly [from: number, to: number])[] {
  if (size <= 2 * EDGE_BYTES) return [[0, size]];
  return [
    [0, EDGE_BYTES],
    [size - EDGE_BYTES, size],
  ];
}

/** Working folders recorded in pieces of a transcript, in their order: the first one, then each in the order in which they stand last. */
export function recordedFolders(pieces: Iterable<string>): string[] {
  const folders = new Set<string>();
  let first: string | null = null;
  for (const piece of pieces) {
    for (const folder of foldersIn(piece)) {
      first ??= folder;
      folders.delete(folder);
      folders.add(folder);
    }
  }
  return first === null ? [] : [first, ...folders];
}

/**
 * Values of `cwd` and `relocatedCwd` in the records of a piece of a transcript. Nearly every record has the same one: only the first
 * line with a value is parsed, to see that it is the record's own and not something quoted in it.
 */
function* foldersIn(text: string): Generator<string> {
  const known = new Map<string, string | null>();
  for (const match of text.matchAll(/"(?:cwd|relocatedCwd)":"((?:[^"\\]|\\.)*)"/g)) {
    const raw = match[1] ?? '';
    let folder = known.get(raw);
    if (folder === undefined) {
      const start = text.lastIndexOf('\n', match.index) + 1;
      const end = text.indexOf('\n', match.index);
      const bytes = Buffer.from(text.slice(start, end < 0 ? undefined : end));
      const fact = parseFact({ start, end: start + bytes.length, terminated: end >= 0, bytes, hash: '' });
      const own = [fact.cwd, fact.relocatedCwd].filter((value) => value !== null);
      folder = own.find((value) => JSON.stringify(value) === `"${raw}"`) ?? own[0] ?? null;
      if (folder !== null) known.set(raw, folder);
    }
    if (folder !== null) yield folder;
  }
}
