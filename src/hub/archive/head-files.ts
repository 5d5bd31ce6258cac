import type { Key } from '../../core/domain.ts';
import { FileSystemError } from '../ports/file-system.ts';
import type { FileSystem, OpenFile } from '../ports/file-system.ts';
import { AppendHandles } from './append-handles.ts';
import type { AppendHandle } from './append-handles.ts';
import { keyOfPath, OWN_FOLDER, pathOfHead } from './archive-names.ts';
import type { Spelling } from './archive-names.ts';
import { ArchiveDamaged } from './archive.ts';
import type { InstallOptions, Staged } from './archive.ts';
import { openExisting, readBytes, unlinkIfThere } from './file-bytes.ts';
import type { FolderCache } from './folder-cache.ts';
import type { Staging } from './staging.ts';
import { Unsynced } from './unsynced.ts';

const FOLDER = 'archive';

/** Files that are synced at the same time. */
const SYNCS_AT_ONCE = 8;

/** `archive/`: the head of every key as a plain file. One caller per key at a time writes; anybody may read meanwhile. */
export class HeadFiles {
  readonly #fs: FileSystem;
  readonly #folders: FolderCache;
  readonly #staging: Staging;
  readonly #spelling: () => Spelling;
  readonly #handles = new AppendHandles();
  readonly #unsynced = new Unsynced();
  /** Files whose last append failed half-way, with their size before it: what lies behind that is no part of the head. */
  readonly #overhang = new Map<string, number>();

  constructor(fs: FileSystem, folders: FolderCache, staging: Staging, spelling: () => Spelling) {
    this.#fs = fs;
    this.#folders = folders;
    this.#staging = staging;
    this.#spelling = spelling;
  }

  async size(key: Key): Promise<number | null> {
    const path = this.path(key);
    const known = this.#overhang.get(path) ?? this.#handles.size(path);
    if (known !== undefined) return known === 0 && this.#overhang.has(path) ? null : known;
    const stat = await this.#fs.lstat(path);
    if (stat !== null && stat.type !== 'file') throw new ArchiveDamaged(key, `a ${stat.type}`, 'a file');
    return stat === null ? null : stat.size;
  }

  read(key: Key, from: number, to: number): AsyncGenerator<Buffer> {
    return readBytes(this.#fs, this.path(key), key, from, to);
  }

  async append(key: Key, at: number, bytes: Uint8Array): Promise<void> {
    const path = this.path(key);
    const overhang = this.#overhang.get(path);
    if (overhang !== undefined) await this.truncate(key, overhang);
    const open = (): Promise<AppendHandle> => this.#openForAppend(key, path, at);
    await this.#handles.use(path, open, async (handle) => {
      // Asked of the disk each time: behind a file that somebody cut or wrote to, an append would make a hole or a mixture.
      const { size } = await handle.file.stat();
      if (handle.size !== at || size !== at) {
        await this.#handles.close(path);
        throw new ArchiveDamaged(key, `${size} bytes`, `${at} bytes`);
      }
      this.#unsynced.add(path);
      try {
        await handle.file.write(bytes);
        handle.size += bytes.byteLength;
      } catch (error) {
        // Some of the bytes may be there. A full disk may refuse to cut them off too, so that waits for the next append.
        this.#overhang.set(path, at);
        await this.#handles.close(path);
        throw error;
      }
    });
  }

  async truncate(key: Key, size: number): Promise<void> {
    const path = this.path(key);
    await this.#handles.close(path);
    if (size === 0) return this.remove(key);
    const stat = await this.#fs.lstat(path);
    if (stat === null || stat.size < size)
      throw new ArchiveDamaged(key, `${stat?.size ?? 0} bytes`, `at least ${size} bytes`);
    // By copy and rename: a crash leaves the file as it was or as it shall be.
    if (stat.size > size) await this.install(key, await this.#staging.stage(this.read(key, 0, size)), stat.executable);
    this.#overhang.delete(path);
  }

  async install(key: Key, staged: Staged, executable: boolean, options: InstallOptions = {}): Promise<void> {
    const { durable = true, hasFolder = false } = options;
    const path = this.path(key);
    const from = this.#staging.path(staged.name);
    if (executable || durable) {
      const file = await openExisting(this.#fs, from, 'append', `staged ${staged.sha256}`);
      try {
        if (executable) await file.setExecutable(true);
        if (durable) await file.sync();
      } finally {
        await file.close();
      }
    }
    await this.#handles.close(path);
    if (hasFolder) this.#folders.know(path);
    await this.#folders.inParentOf(path, () => this.#fs.renameOver(from, path));
    this.#overhang.delete(path);
    if (durable) {
      this.#unsynced.forget(path);
      await this.#folders.sync();
    } else this.#unsynced.add(path);
  }

  async remove(key: Key): Promise<void> {
    const path = this.path(key);
    await this.#handles.close(path);
    await unlinkIfThere(this.#fs, path);
    this.#overhang.delete(path);
    this.#unsynced.forget(path);
  }

  async sync(keys: readonly Key[]): Promise<void> {
    const left = keys[Symbol.iterator]();
    const lane = async (): Promise<void> => {
      for (const key of left) await this.#unsynced.sync(this.path(key), () => this.#syncFile(key));
    };
    // A first pairing syncs thousands of files: never with all of them open at once.
    await Promise.all(Array.from({ length: SYNCS_AT_ONCE }, lane));
    await this.#folders.sync();
  }

  async *keys(): AsyncGenerator<Key> {
    yield* this.#keysBelow('');
  }

  async #syncFile(key: Key): Promise<void> {
    const path = this.path(key);
    const syncing = this.#handles.useOpen(path, ({ file }) => file.sync());
    if (syncing !== null) return syncing;
    const file = await openExisting(this.#fs, path, 'append', key);
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async #openForAppend(key: Key, path: string, at: number): Promise<AppendHandle> {
    let file: OpenFile;
    try {
      file = await this.#fs.open(path, 'append');
    } catch (error) {
      if (!FileSystemError.is(error, 'missing')) throw error;
      if (at !== 0) throw new ArchiveDamaged(key, 'no file', `${at} bytes`);
      file = await this.#folders.inParentOf(path, () => this.#fs.open(path, 'create'));
    }
    try {
      return { file, size: (await file.stat()).size };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async *#keysBelow(folder: string): AsyncGenerator<Key> {
    const entries = await this.#fs.list(`${FOLDER}${folder}`);
    for (const { name, type } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = `${folder}/${name}`;
      if (type === 'folder' && path !== `/${OWN_FOLDER}`) yield* this.#keysBelow(path);
      const key = type === 'file' ? keyOfPath(path.slice(1)) : null;
      if (key !== null) yield key;
    }
  }

  /** Path of the head file below the data folder. */
  path(key: Key): string {
    return `${FOLDER}/${pathOfHead(key, this.#spelling())}`;
  }
}
