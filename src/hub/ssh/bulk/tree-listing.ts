import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { RelativePath } from '../../../core/domain.ts';
import { FileSystemError, type Entry } from '../../ports/file-system.ts';
import type { FolderListing } from '../../replica/scan.ts';
import { quote, UnquotableWord } from '../shell-words.ts';
import type { Attempt } from './attempt.ts';
import { FOUND_FORMAT, parseFound } from './found-records.ts';

const inflate = promisify(gunzip);

/** Longest time for one listing, and most bytes of it as they travel and as they are held. */
const WITHIN_MS = 60_000;
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_TEXT_BYTES = 512 * 1024 * 1024;
/** More folders at the top are no Claude folder. */
const MOST_FOLDERS = 500;

/** A name that is no UTF-8 cannot be asked for; it exists all the same and must not pass for absent. */
const NAMELESS = { type: 'other', size: 0, mtimeMs: 0, inode: '', executable: false } as const;

/**
 * Everything below some folders of a Linux machine, with one command: SFTP takes a request or two for each folder, which costs the hub a
 * hundred times as much. Nothing is followed, and the facts are those that SFTP tells (times in whole seconds).
 * @param root absolute folder there. @param folders names directly below it.
 * @returns what lies in each folder, those themselves included; `null` when anything at all could not be listed: then SFTP tells what.
 * @throws {FileSystemError} `disconnected`
 */
export async function listTree(
  attempt: Attempt,
  root: string,
  folders: readonly string[],
): Promise<ReadonlyMap<RelativePath, readonly Entry[]> | null> {
  if (folders.length === 0 || folders.length > MOST_FOLDERS) return null;
  try {
    const words = folders.map((folder) => quote(`./${folder}`)).join(' ');
    const list = `find ${words} -printf ${FOUND_FORMAT}`;
    // What find could not list it says on stderr and by its code, which comes last: without it the listing broke off.
    const script = `cd ${quote(root)} || exit 66; LC_ALL=C; export LC_ALL; { ${list}; printf 'end %s\\0' "$?"; } | gzip -1`;
    const result = await attempt(script, { maxBytes: MOST_BYTES, timeoutMs: WITHIN_MS });
    if (result?.code !== 0) return null;
    return parseListing(await inflate(result.stdout, { maxOutputLength: MOST_TEXT_BYTES }), folders);
  } catch (error) {
    if (error instanceof UnquotableWord) return null;
    // It was no gzip, or too much of it.
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_') === true || error instanceof RangeError) return null;
    throw error;
  }
}

/** What each folder holds, by the records of `find` (`FOUND_FORMAT`); `null` unless the last one says that all is well. */
export function parseListing(
  bytes: Buffer,
  folders: readonly string[],
): ReadonlyMap<RelativePath, readonly Entry[]> | null {
  const tree = new Map<RelativePath, Entry[]>();
  for (const { path, ...facts } of parseFound(bytes) ?? []) {
    const slash = path.lastIndexOf('/');
    // Those that were asked for are known already.
    if (slash !== -1) {
      const siblings = tree.get(path.slice(0, slash));
      if (siblings === undefined) return null;
      const name = path.slice(slash + 1);
      siblings.push(name.includes('\uFFFD') ? { name, ...NAMELESS } : { name, ...facts });
    }
    if (facts.type === 'folder') tree.set(path, []);
  }
  return folders.every((folder) => tree.has(folder)) ? tree : null;
}

/** Below a folder that is scanned by itself fewer folders are listed over SFTP, in less time than a command takes to begin. */
const WORTH_A_COMMAND = 12;

/**
 * Listings for one scan: the folder itself over SFTP, which tells what of it is wanted at all, and everything below these with one command.
 * Answers `null` for what SFTP has to list.
 * @param start folder that is scanned; '': everything.
 * @param list see `listTree`, for names directly below `start`; `null` when it did not work.
 */
export function treeLister(
  start: RelativePath,
  list: (names: readonly string[]) => Promise<ReadonlyMap<RelativePath, readonly Entry[]> | null>,
): (folders: readonly RelativePath[]) => Promise<readonly FolderListing[] | null> {
  const below = start === '' ? '' : `${start}/`;
  const nameOf = (folder: RelativePath): RelativePath => folder.slice(below.length);
  let tree: ReadonlyMap<RelativePath, readonly Entry[]> | null = null;
  let isTried = false;
  return async (folders) => {
    if (!isTried && !folders.includes(start)) {
      isTried = true;
      if (start === '' || folders.length >= WORTH_A_COMMAND) tree = await list(folders.map(nameOf));
    }
    if (tree === null) return null;
    const found = tree;
    return folders.map((folder) => found.get(nameOf(folder)) ?? new FileSystemError('missing', 'list', folder));
  };
}
