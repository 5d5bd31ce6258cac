import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ConflictSide } from '../../protocol/conflicts.ts';

/** Enough of a content hash to tell contents apart. */
const HASH_LETTERS = 12;

/** A merge that is under way. */
export interface MergeFile {
  readonly path: string;
  /** Of the conflict. */
  readonly id: number;
  /** What the two sides were when it began. */
  readonly marks: readonly string[];
}

/**
 * The files that conflicts are merged in by hand, below a folder of the extension: `ID-HASH-HASH/NAME`. The hashes are those of the two sides, so
 * that a merge goes on where it was left, and begins anew when a side has changed. Content of the user: folders 0700, files 0600.
 */
export class MergeFiles {
  readonly #folder: string;

  /** @param folder absolute; made when it is needed. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The file of a merge, made with `text` where none is under way. @param key of the conflict; its last part names the file. */
  async open(merge: {
    readonly id: number;
    readonly key: string;
    readonly sides: readonly [ConflictSide, ConflictSide];
    readonly text: string;
  }): Promise<MergeFile> {
    const { id, key, sides, text } = merge;
    const marks = sides.map(markOf);
    const folder = join(this.#folder, [id, ...marks].join('-'));
    const path = join(folder, basename(key));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    try {
      await writeFile(path, text, { mode: 0o600, flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    return { path, id, marks };
  }

  /** Which merge a file belongs to; `null` where it is none. */
  of(path: string): MergeFile | null {
    const folder = dirname(path);
    const [, id, ...marks] = /^(\d+)-(\w+)-(\w+)$/.exec(basename(folder)) ?? [];
    return dirname(folder) === this.#folder && id !== undefined ? { path, id: Number(id), marks } : null;
  }

  /** What was made of it, byte by byte as it was saved. */
  read({ path }: MergeFile): Promise<Buffer> {
    return readFile(path);
  }

  async remove({ path }: MergeFile): Promise<void> {
    await rm(dirname(path), { recursive: true, force: true });
  }

  /** Removes what belongs to conflicts that are decided. @param open ids of those that are not. */
  async tidy(open: ReadonlySet<number>): Promise<void> {
    for (const name of await namesIn(this.#folder)) {
      const id = Number(/^(\d+)-/.exec(name)?.[1] ?? NaN);
      if (!open.has(id)) await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }
}

/** Tells the contents of a side apart. */
export function markOf({ sha256 }: ConflictSide): string {
  return (sha256 ?? 'deleted').slice(0, HASH_LETTERS);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
