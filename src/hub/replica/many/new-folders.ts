import type { MachineOs, RelativePath } from '../../../core/domain.ts';
import { unwritableReason } from '../../../core/keys/safe-path.ts';
import { FileSystemError } from '../../ports/file-system.ts';
import { makeRoom } from '../make-room.ts';
import { componentsOf, refusedPath } from '../safe-walk.ts';
import { privateName, type TreeContext } from '../tree-context.ts';

/** Folders of new files: each is looked at, and made, once. */
export class NewFolders {
  readonly #context: TreeContext;
  readonly #os: MachineOs;
  readonly #there = new Map<RelativePath, Promise<boolean>>();

  constructor(context: TreeContext, os: MachineOs) {
    this.#context = context;
    this.#os = os;
  }

  /** Whether `path` may be created in its folder, which exists then. What is in the way of the file itself its rename will tell. */
  async areThere(path: RelativePath): Promise<boolean> {
    if (refusedPath(path) !== null || unwritableReason(path, this.#os) !== null) return false;
    return this.#isThere(folderOf(path));
  }

  #isThere(folder: RelativePath): Promise<boolean> {
    let known = this.#there.get(folder);
    if (known === undefined) {
      known = this.#make(folder);
      this.#there.set(folder, known);
    }
    return known;
  }

  async #make(folder: RelativePath): Promise<boolean> {
    if (this.#context.foldsNames()) return this.#makeRoomIn(folder);
    try {
      const isThere = folder === '' ? await this.#isFolder('') : await this.#made(folder);
      if (isThere) this.#context.knownFolders?.note(folder);
      return isThere;
    } catch (error) {
      // It concerns the files of this folder; the ordinary way says what it is.
      if (!FileSystemError.is(error) || error.code === 'disconnected') throw error;
      return false;
    }
  }

  /** One request for a folder that is new: what was just made is no link. */
  async #made(folder: RelativePath): Promise<boolean> {
    if (!(await this.#isThere(folderOf(folder)))) return false;
    try {
      await this.#context.fs.makeFolder(folder);
      return true;
    } catch (error) {
      if (!FileSystemError.is(error, 'exists')) throw error;
      return this.#isFolder(folder);
    }
  }

  async #isFolder(path: RelativePath): Promise<boolean> {
    return (await this.#context.fs.lstat(path))?.type === 'folder';
  }

  /** Where another spelling of a name would be the same folder. */
  async #makeRoomIn(folder: RelativePath): Promise<boolean> {
    // Room for a file that is certainly not there: what is in the way of the others their renames tell.
    const name = privateName(this.#context);
    if ((await makeRoom(this.#context, this.#os, folder === '' ? name : `${folder}/${name}`)) !== null) return false;
    for (const component of componentsOf(folder)) this.#context.knownFolders?.note(component);
    return true;
  }
}

function folderOf(path: RelativePath): RelativePath {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
