import type { FileSystem } from '../ports/file-system.ts';
import { OWN_FOLDER } from './archive-names.ts';
import { concat, readBytes } from './file-bytes.ts';
import type { FolderCache } from './folder-cache.ts';
import type { Staging } from './staging.ts';

const FOLDER = `archive/${OWN_FOLDER}`;
const NEWLINE = 0x0a;

/**
 * Lists of what was deleted on purpose, one line each, as plain files beside the heads: they have to outlive the database
 * (sync.md section 9). A last line without its newline was never acknowledged and does not count.
 */
export class DeliberateLists {
  readonly #fs: FileSystem;
  readonly #folders: FolderCache;
  readonly #staging: Staging;
  /** Appends run one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(fs: FileSystem, folders: FolderCache, staging: Staging) {
    this.#fs = fs;
    this.#folders = folders;
    this.#staging = staging;
  }

  async read(name: string): Promise<string[]> {
    const content = await this.#content(name);
    const whole = content.subarray(0, content.lastIndexOf(NEWLINE) + 1).toString();
    return whole.split('\n').filter((line) => line !== '');
  }

  append(name: string, line: string): Promise<void> {
    if (/[\r\n]/.test(line)) return Promise.reject(new Error(`a line for ${name} may not hold a line break`));
    const appended = this.#last.then(() => this.#append(name, line));
    // The next one does not care how this one ended; the caller gets the error.
    this.#last = appended.catch(() => undefined);
    return appended;
  }

  /** Written anew each time: the lists are short, and so a crash can never leave half a line. */
  async #append(name: string, line: string): Promise<void> {
    const lines = [...(await this.read(name)), line, ''].join('\n');
    const staged = await this.#staging.create(async (file) => {
      await file.write(Buffer.from(lines));
      await file.sync();
    });
    const path = pathOf(name);
    await this.#folders.inParentOf(path, () => this.#fs.renameOver(this.#staging.path(staged), path));
    await this.#folders.sync();
  }

  async #content(name: string): Promise<Buffer> {
    const path = pathOf(name);
    const stat = await this.#fs.lstat(path);
    if (stat === null) return Buffer.alloc(0);
    return concat(readBytes(this.#fs, path, name, 0, stat.size));
  }
}

function pathOf(name: string): string {
  if (!/^[a-z][a-z0-9-]*(\.[a-z0-9]+)?$/.test(name)) throw new Error(`${JSON.stringify(name)} is no name for a list`);
  return `${FOLDER}/${name}`;
}
