import { createHash } from 'node:crypto';
import type { Random } from '../ports/clock.ts';
import type { FileSystem, OpenFile } from '../ports/file-system.ts';
import type { Staged } from './archive.ts';
import { readBytes, unlinkIfThere } from './file-bytes.ts';
import type { FolderCache } from './folder-cache.ts';

const FOLDER = 'staging';

/**
 * `staging/`: content on its way to becoming a head or a version, on the same volume, so that a rename completes it. Nothing in it
 * outlives the process that put it there.
 */
export class Staging {
  readonly #fs: FileSystem;
  readonly #random: Random;
  readonly #folders: FolderCache;

  constructor(fs: FileSystem, random: Random, folders: FolderCache) {
    this.#fs = fs;
    this.#random = random;
    this.#folders = folders;
  }

  /** Makes the folder and removes what an earlier process left. */
  async open(): Promise<void> {
    await this.#folders.make(FOLDER);
    await this.#clear(FOLDER);
  }

  /** Files, and folders in which files of a transfer arrived or were named. */
  async #clear(folder: string): Promise<void> {
    for (const { name, type } of await this.#fs.list(folder)) {
      const path = `${folder}/${name}`;
      if (type !== 'folder') await unlinkIfThere(this.#fs, path);
      else {
        await this.#clear(path);
        await this.#fs.removeFolder(path);
      }
    }
  }

  path(name: string): string {
    return `${FOLDER}/${name}`;
  }

  /** A name for new content. Begins with a letter that is no digit, so that it has two spellings (see `findSpelling`). */
  newName(): string {
    return `s${this.#random.hex(16)}`;
  }

  /** Writes a new file through `write`; it is removed again when that fails. @returns its name. */
  async create(write: (file: OpenFile) => Promise<void>): Promise<string> {
    const name = this.newName();
    const path = this.path(name);
    const file = await this.#folders.inParentOf(path, () => this.#fs.open(path, 'create'));
    try {
      await write(file);
      await file.close();
    } catch (error) {
      // A file that is closed already answers with an error of its own, which says nothing new.
      await file.close().catch(() => undefined);
      await unlinkIfThere(this.#fs, path);
      throw error;
    }
    return name;
  }

  /** See `Archive.stage`. */
  async stage(content: AsyncIterable<Uint8Array>): Promise<Staged> {
    const hash = createHash('sha256');
    let bytes = 0;
    const name = await this.create(async (file) => {
      for await (const chunk of content) {
        hash.update(chunk);
        bytes += chunk.byteLength;
        await file.write(chunk);
      }
    });
    return { name, sha256: hash.digest('hex'), bytes };
  }

  read(staged: Staged, from: number, to: number): AsyncGenerator<Buffer> {
    return readBytes(this.#fs, this.path(staged.name), `staged ${staged.sha256}`, from, to);
  }

  async discard(name: string): Promise<void> {
    await unlinkIfThere(this.#fs, this.path(name));
  }
}
