import type { FileSystemErrorCode } from '../../src/hub/ports/file-system.ts';
import { FileSystemError } from '../../src/hub/ports/file-system.ts';

/** What a simulated disk can and cannot do. */
export interface VolumeOptions {
  /** Wall clock of the machine the disk is in, Unix ms. */
  readonly now: () => number;
  /** Names that differ only in case or Unicode composition are one name (macOS, Windows). */
  readonly caseInsensitive?: boolean;
  /** mtimes are kept in whole seconds (SFTP, old file systems). */
  readonly coarseTimes?: boolean;
  /** No second names for a file (exFAT, many Windows SFTP servers). */
  readonly noHardLinks?: boolean;
  /** Bytes that fit. */
  readonly capacity?: number;
}

/** One file, folder or symlink. Names point at inodes; an open handle keeps one alive without any name. */
export interface Inode {
  readonly id: number;
  readonly type: 'file' | 'folder' | 'symlink';
  mtimeMs: number;
  executable: boolean;
  links: number;
  /** Who took its last name away; '' while it has one. */
  lostBy: string;
  /** File content; only the first `size` bytes count. */
  data: Buffer;
  size: number;
  /** How many bytes survive a power loss: those up to the last sync. */
  durable: number;
  /** Wall clock of the oldest byte that is not durable; 0 when all are. */
  dirtySince: number;
  readonly children: Map<string, { readonly name: string; readonly inode: Inode }>;
  readonly target: string;
  /** Listing or entering this folder is refused. */
  sealed: boolean;
  /** Where it was last linked, for change notices. */
  parent: Inode | null;
  name: string;
}

/** A change of the disk, as a watcher on that machine would see it. */
export interface VolumeChange {
  readonly kind: 'create' | 'write' | 'remove' | 'rename' | 'truncate';
  readonly path: string;
  readonly inode: Inode;
  /** Who did it: `user` for programs of the machine, `hub` for the product. */
  readonly by: string;
}

/**
 * A disk in memory, rooted at ''. Every operation is synchronous and atomic; delays, losses and reorderings are the
 * business of whoever calls it. Paths are `/`-separated, without a leading slash. Failures throw `FileSystemError`.
 */
export class Volume {
  readonly options: VolumeOptions;
  readonly root: Inode;
  #nextInode = 2;
  #used = 0;
  #capacity: number;
  #actor = 'user';
  #listeners: ((change: VolumeChange) => void)[] = [];
  /** Says whether another program holds `path` so that it can be neither opened, renamed nor removed. */
  busy: (path: string) => boolean = () => false;

  constructor(options: VolumeOptions) {
    this.options = options;
    this.#capacity = options.capacity ?? Number.MAX_SAFE_INTEGER;
    this.root = this.#inode('folder', 1);
  }

  get used(): number {
    return this.#used;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Changes how much fits; what is there stays. */
  set capacity(bytes: number) {
    this.#capacity = bytes;
  }

  onChange(listener: (change: VolumeChange) => void): void {
    this.#listeners.push(listener);
  }

  /** Runs `action` with its changes attributed to `actor`. */
  as<T>(actor: string, action: () => T): T {
    const before = this.#actor;
    this.#actor = actor;
    try {
      return action();
    } finally {
      this.#actor = before;
    }
  }

  /** The inode at `path`, symlinks not followed; `null` when there is none. */
  find(path: string): Inode | null {
    let at = this.root;
    for (const name of segments(path)) {
      if (at.type !== 'folder') return null;
      if (at.sealed) throw new FileSystemError('denied', 'lstat', path);
      const next = at.children.get(this.#fold(name));
      if (!next) return null;
      at = next.inode;
    }
    return at;
  }

  /** Names and inodes in a folder. */
  list(path: string): { readonly name: string; readonly inode: Inode }[] {
    const folder = this.#folder('list', path);
    if (folder.sealed) throw new FileSystemError('denied', 'list', path);
    return [...folder.children.values()];
  }

  makeFolder(path: string): Inode {
    if (this.find(path)) throw new FileSystemError('exists', 'mkdir', path);
    return this.#link('mkdir', path, this.#inode('folder'), 'create');
  }

  /** Creates the folder and those above it that are missing. */
  makeFolders(path: string): void {
    let at = '';
    for (const name of segments(path)) {
      at = at === '' ? name : `${at}/${name}`;
      if (!this.find(at)) this.makeFolder(at);
    }
  }

  createFile(path: string): Inode {
    if (this.find(path)) throw new FileSystemError('exists', 'create', path);
    return this.#link('create', path, this.#inode('file'), 'create');
  }

  symlink(path: string, target: string): Inode {
    return this.#link('symlink', path, this.#inode('symlink', undefined, target), 'create');
  }

  /** The regular file at `path`, for opening. */
  openFile(operation: string, path: string): Inode {
    const inode = this.find(path);
    if (!inode) throw new FileSystemError('missing', operation, path);
    if (inode.type !== 'file') throw new FileSystemError('not-a-file', operation, path);
    this.#notBusy(operation, path);
    return inode;
  }

  /** Adds `bytes` at the end of a file. When they do not all fit, those that fit are written and `no-space` is thrown. */
  append(inode: Inode, bytes: Uint8Array): void {
    const room = Math.max(0, this.#capacity - this.#used);
    const fits = Math.min(bytes.length, room);
    reserve(inode, inode.size + fits);
    inode.data.set(bytes.subarray(0, fits), inode.size);
    this.#resized(inode, inode.size + fits);
    if (fits > 0) this.#emit('write', pathOf(inode), inode);
    if (fits < bytes.length) throw new FileSystemError('no-space', 'write', pathOf(inode));
  }

  /** Writes `bytes` at `position` and cuts the file behind them, in place (what an editor or the CLI does, never the hub). */
  rewriteFrom(inode: Inode, position: number, bytes: Uint8Array): void {
    reserve(inode, position + bytes.length);
    inode.data.set(bytes, position);
    inode.durable = Math.min(inode.durable, position);
    this.#resized(inode, position + bytes.length);
    this.#emit('truncate', pathOf(inode), inode);
  }

  read(inode: Inode, position: number, length: number): Buffer {
    return Buffer.from(inode.data.subarray(Math.min(position, inode.size), Math.min(position + length, inode.size)));
  }

  /** Renames; with `over`, atomically replaces a file at `to`. */
  rename(from: string, to: string, over: boolean): void {
    const inode = this.find(from);
    if (!inode) throw new FileSystemError('missing', 'rename', from);
    this.#notBusy('rename', from);
    const there = this.find(to);
    if (there === inode && pathOf(inode) === to) return;
    if (there && there !== inode) {
      if (!over) throw new FileSystemError('exists', 'rename', to);
      if (there.type === 'folder') throw new FileSystemError('exists', 'rename', to);
      this.#notBusy('rename', to);
    }
    if (inode.type === 'folder' && `${to}/`.startsWith(`${from}/`)) throw new FileSystemError('io', 'rename', to);
    this.#parentOf('rename', to);
    if (there && there !== inode) this.#unlinkName(to);
    this.#detach(from);
    this.#emit('remove', from, inode);
    this.#attach(to, inode);
    this.#emit('rename', to, inode);
  }

  hardLink(from: string, to: string): void {
    if (this.options.noHardLinks) throw new FileSystemError('unsupported', 'link', to);
    const inode = this.find(from);
    if (!inode) throw new FileSystemError('missing', 'link', from);
    if (inode.type !== 'file') throw new FileSystemError('not-a-file', 'link', from);
    if (this.find(to)) throw new FileSystemError('exists', 'link', to);
    const [parent, name] = [inode.parent, inode.name];
    this.#parentOf('link', to);
    this.#attach(to, inode);
    inode.links++;
    this.#emit('create', to, inode);
    // Writes are reported under the name that was there first, as a watch on that folder would.
    inode.parent = parent;
    inode.name = name;
  }

  unlink(path: string): void {
    const inode = this.find(path);
    if (!inode) throw new FileSystemError('missing', 'unlink', path);
    if (inode.type === 'folder') throw new FileSystemError('not-a-file', 'unlink', path);
    this.#notBusy('unlink', path);
    this.#unlinkName(path);
    this.#emit('remove', path, inode);
  }

  removeFolder(path: string): void {
    const inode = this.#folder('rmdir', path);
    if (inode.children.size > 0) throw new FileSystemError('not-empty', 'rmdir', path);
    this.#detach(path);
    this.#emit('remove', path, inode);
  }

  /** Removes `path` and all below it, if it is there. */
  removeTree(path: string): void {
    const inode = this.find(path);
    if (!inode) return;
    if (inode.type !== 'folder') return this.unlink(path);
    for (const { name } of [...inode.children.values()]) this.removeTree(path === '' ? name : `${path}/${name}`);
    if (path !== '') this.removeFolder(path);
  }

  setTimes(inode: Inode, mtimeMs: number): void {
    inode.mtimeMs = mtimeMs;
  }

  /** mtime as this disk tells it. */
  mtimeOf(inode: Inode): number {
    return this.options.coarseTimes ? Math.floor(inode.mtimeMs / 1000) * 1000 : inode.mtimeMs;
  }

  sync(inode: Inode): void {
    inode.durable = inode.size;
    inode.dirtySince = 0;
  }

  /**
   * The machine loses power: of each file, bytes that were not synced may be gone (`keep(unsynced)` says how many of them stay).
   * What the kernel had longer than 30 s is written out by then.
   */
  losePower(keep: (unsynced: number) => number): void {
    for (const { inode } of this.walk()) {
      if (inode.type !== 'file' || inode.durable >= inode.size) continue;
      if (this.options.now() - inode.dirtySince > 30_000) this.sync(inode);
      else this.#resized(inode, inode.durable + keep(inode.size - inode.durable));
      inode.durable = inode.size;
      inode.dirtySince = 0;
    }
  }

  /** Everything below `path`, sealed folders too. */
  *walk(path = ''): Generator<{ readonly path: string; readonly inode: Inode }> {
    let at: Inode | undefined = this.root;
    for (const name of segments(path)) at = at?.children.get(this.#fold(name))?.inode;
    if (!at) return;
    const stack = [{ path, inode: at }];
    for (let entry = stack.pop(); entry; entry = stack.pop()) {
      if (entry.path !== path) yield entry;
      for (const child of entry.inode.children.values()) {
        stack.push({ path: entry.path === '' ? child.name : `${entry.path}/${child.name}`, inode: child.inode });
      }
    }
  }

  /** Content of the regular file at `path`, `null` when there is none. Ignores sealed folders. */
  contentOf(path: string): Buffer | null {
    let at: Inode | undefined = this.root;
    for (const name of segments(path)) at = at?.children.get(this.#fold(name))?.inode;
    return at?.type === 'file' ? this.read(at, 0, at.size) : null;
  }

  #inode(type: Inode['type'], id = this.#nextInode++, target = ''): Inode {
    return {
      id,
      type,
      mtimeMs: this.options.now(),
      executable: false,
      links: 1,
      lostBy: '',
      data: Buffer.alloc(0),
      size: 0,
      durable: 0,
      dirtySince: 0,
      children: new Map(),
      target,
      sealed: false,
      parent: null,
      name: '',
    };
  }

  #fold(name: string): string {
    return this.options.caseInsensitive ? name.normalize('NFC').toLowerCase() : name;
  }

  #folder(operation: string, path: string): Inode {
    const inode = this.find(path);
    if (!inode) throw new FileSystemError('missing', operation, path);
    if (inode.type !== 'folder') throw new FileSystemError('missing', operation, path);
    return inode;
  }

  #parentOf(operation: string, path: string): Inode {
    const parent = this.#folder(operation, parentPath(path));
    if (parent.sealed) throw new FileSystemError('denied', operation, path);
    return parent;
  }

  #link(operation: string, path: string, inode: Inode, kind: VolumeChange['kind']): Inode {
    if (this.find(path)) throw new FileSystemError('exists', operation, path);
    if (nameOf(path).length > 255) throw new FileSystemError('name-too-long', operation, path);
    this.#parentOf(operation, path);
    this.#attach(path, inode);
    this.#emit(kind, path, inode);
    return inode;
  }

  #attach(path: string, inode: Inode): void {
    const parent = this.#parentOf('link', path);
    const name = nameOf(path);
    parent.children.set(this.#fold(name), { name, inode });
    inode.parent = parent;
    inode.name = name;
    parent.mtimeMs = this.options.now();
  }

  #detach(path: string): void {
    const parent = this.#parentOf('unlink', path);
    parent.children.delete(this.#fold(nameOf(path)));
    parent.mtimeMs = this.options.now();
  }

  #unlinkName(path: string): void {
    const inode = this.find(path);
    this.#detach(path);
    if (!inode || --inode.links > 0) return;
    inode.lostBy = this.#actor;
    this.#used -= inode.size;
  }

  #resized(inode: Inode, size: number): void {
    if (inode.links > 0) this.#used += size - inode.size;
    inode.size = size;
    inode.mtimeMs = this.options.now();
    if (inode.durable > size) inode.durable = size;
    if (inode.dirtySince === 0) inode.dirtySince = this.options.now();
  }

  #notBusy(operation: string, path: string): void {
    if (this.busy(path)) throw new FileSystemError('busy' satisfies FileSystemErrorCode, operation, path);
  }

  #emit(kind: VolumeChange['kind'], path: string, inode: Inode): void {
    for (const listener of this.#listeners) listener({ kind, path, inode, by: this.#actor });
  }
}

/** Path under which an inode was last linked. */
export function pathOf(inode: Inode): string {
  const names: string[] = [];
  for (let at: Inode | null = inode; at?.parent; at = at.parent) names.unshift(at.name);
  return names.join('/');
}

/** Whether an inode is still what lies under its name. */
export function isLinked(inode: Inode): boolean {
  if (inode.links === 0) return false;
  for (const entry of inode.parent?.children.values() ?? []) if (entry.inode === inode) return true;
  return false;
}

/** Everything before the last `/`, '' at the top. */
export function parentPath(path: string): string {
  const at = path.lastIndexOf('/');
  return at < 0 ? '' : path.slice(0, at);
}

/** Last component of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function segments(path: string): string[] {
  const names = path.split('/');
  return names.includes('') || names.includes('.') ? names.filter((name) => name !== '' && name !== '.') : names;
}

function reserve(inode: Inode, size: number): void {
  if (inode.data.length >= size) return;
  const data = Buffer.alloc(Math.max(size, inode.data.length * 2, 256));
  inode.data.copy(data, 0, 0, inode.size);
  inode.data = data;
}
