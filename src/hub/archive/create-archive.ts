import type { Guards } from '../engine/guards.ts';
import type { Random } from '../ports/clock.ts';
import type { FileSystem } from '../ports/file-system.ts';
import { OWN_FOLDER } from './archive-names.ts';
import type { Spelling } from './archive-names.ts';
import type { Archive } from './archive.ts';
import { DeliberateLists } from './deliberate-lists.ts';
import { FolderCache } from './folder-cache.ts';
import { HeadFiles } from './head-files.ts';
import { Staging } from './staging.ts';
import { VersionFiles } from './version-files.ts';

export interface ArchiveOptions {
  /** Rooted at the hub's data folder. */
  readonly fs: FileSystem;
  readonly random: Random;
  readonly guards: Guards;
  /** Absolute path of the hub's data folder, when it is one of this computer. */
  readonly root?: string;
}

/**
 * The archive in the folders `archive/`, `versions/` and `staging/` below the root of `fs`. `open` has to come first.
 * Different keys may be worked on at the same time; the caller lets only one write to a key.
 */
export function createArchive({ fs, random, guards, root }: ArchiveOptions): Archive {
  const folders = new FolderCache(fs);
  const staging = new Staging(fs, random, folders);
  let spelling: Spelling = 'plain';
  const heads = new HeadFiles(fs, folders, staging, () => spelling);
  const versions = new VersionFiles(fs, folders, staging);
  const lists = new DeliberateLists(fs, folders, staging);

  return {
    async open() {
      await folders.make(`archive/${OWN_FOLDER}`);
      await staging.open();
      await versions.open();
      const [known] = await lists.read(SPELLING_LIST);
      spelling = known === 'folded' || known === 'plain' ? known : await findSpelling(fs, staging);
      if (known !== spelling) await lists.append(SPELLING_LIST, spelling);
    },
    size: (key) => heads.size(key),
    read: (key, from, to) => heads.read(key, from, to),
    append: (key, at, bytes) => heads.append(key, at, bytes),
    truncate: (key, size) => heads.truncate(key, size),
    stage: (content) => staging.stage(content),
    install: (key, staged, executable, options) => heads.install(key, staged, executable, options),
    localPath: (key) => (root === undefined ? null : `${root}/${heads.path(key)}`),
    intake: {
      place: root === undefined ? null : (name) => `${root}/${staging.path(name)}`,
      newName: () => staging.newName(),
      stage: (content) => staging.stage(content),
      discard: (staged) => staging.discard(staged.name),
    },
    discard: (staged) => staging.discard(staged.name),
    readStaged: (staged, from, to) => staging.read(staged, from, to),
    remove: (key) => heads.remove(key),
    async sync(keys) {
      if (guards.on('durable-before-destructive')) await heads.sync(keys);
    },
    keep: (content) => versions.keep(content),
    holds: (sha256) => versions.holds(sha256),
    readVersion: (sha256) => versions.read(sha256),
    drop: (sha256) => versions.drop(sha256),
    contents: () => versions.contents(),
    dropContents: () => versions.dropContents(),
    readList: (name) => lists.read(name),
    appendToList: (name, line) => lists.append(name, line),
    keys: () => heads.keys(),
    space: () => fs.space('archive'),
  };
}

/** Remembers how names are spelled, so that an archive that is moved to another disk still finds its files. */
const SPELLING_LIST = 'spelling';

/** Whether the disk takes `A` for `a`, by trying. */
async function findSpelling(fs: FileSystem, staging: Staging): Promise<Spelling> {
  const name = await staging.create(async () => undefined);
  try {
    const other = staging.path(name).replace(name, name.toUpperCase());
    return (await fs.lstat(other)) === null ? 'plain' : 'folded';
  } finally {
    await staging.discard(name);
  }
}
