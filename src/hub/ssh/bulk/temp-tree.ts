import type { RelativePath } from '../../../core/domain.ts';
import type { Attempt } from './attempt.ts';
import { quote } from '../shell-words.ts';
import { FOUND_FORMAT, parseFound, type Found } from './found-records.ts';

const WITHIN_MS = 60_000;
/** A lot is some thousand files, and a record seldom more than 200 bytes. */
const MOST_BYTES = 64 * 1024 * 1024;
const NO_FOLDER = 66;
const OTHER_CP = 67;
const NOT_AS_TOLD = 68;

/** A folder of temps on a Linux machine in which each file lies at the path that it is to have in claudeDir. */
export interface TempTree {
  readonly attempt: Attempt;
  /** Absolute claudeDir there. */
  readonly root: string;
  /** The folder of temps, below claudeDir. */
  readonly temps: RelativePath;
}

/**
 * The files that lie in a tree of temps.
 * @returns `null` when they could not be listed.
 * @throws {FileSystemError} `disconnected`.
 */
export async function filesOf(tree: TempTree): Promise<readonly Found[] | null> {
  const stdout = await run(tree, `find . -type f -printf ${FOUND_FORMAT}; printf 'end %s\\0' "$?"`);
  return stdout === null ? null : parseFound(stdout);
}

/**
 * Gives the files of a tree of temps their names in claudeDir and removes the tree, with one command: over SFTP it is one request for each
 * file, and one for each folder. A name that there is already stays what it is, and so does everything below a folder that is none (GNU `cp`
 * makes each second name with one `link`, follows no symlink on its way, and makes the folders that are missing).
 * @param wanted how many files are to have their names. With any other number in the tree nothing is named: the list of the unwanted broke
 *   off, or something came after it was made.
 * @param unwanted files of the tree that are to have no name; they are removed.
 * @returns the paths that are the names of temps now; empty where it cannot be done.
 * @throws {FileSystemError} `disconnected`; any of them may have its name then.
 */
export async function giveNames(
  tree: TempTree,
  wanted: number,
  unwanted: readonly RelativePath[],
): Promise<ReadonlySet<RelativePath>> {
  const script = [
    // What others do with these options nobody has tried.
    `case "$(cp --version 2>/dev/null)" in *'GNU coreutils'*) ;; *) exit ${OTHER_CP} ;; esac`,
    `xargs -0r rm -f -- || exit ${NOT_AS_TOLD}`,
    // What rsync keeps of files that broke off, and folders of files that did not come, are no folders of the user's.
    `find . -type d -name .rsync-partial -prune -exec rm -rf -- {} + || exit ${NOT_AS_TOLD}`,
    `find . -mindepth 1 -type d -empty -delete || exit ${NOT_AS_TOLD}`,
    `[ "$(find . -type f -printf x | wc -c)" -eq ${wanted} ] || exit ${NOT_AS_TOLD}`,
    `umask 077`,
    `cp -rlnT . ${quote(tree.root)}`,
    `find . -type f -links +1 -printf ${FOUND_FORMAT}; printf 'end %s\\0' "$?"`,
    // Thousands of requests over SFTP. What is left when this breaks off, the next connection removes.
    `cd / && rm -rf -- ${quote(`${tree.root}/${tree.temps}`)}`,
  ].join('; ');
  const stdin = Buffer.from(unwanted.map((path) => `./${path}\0`).join(''));
  const stdout = await run(tree, script, stdin);
  const named = stdout === null ? null : parseFound(stdout);
  return new Set(named?.map(({ path }) => path));
}

async function run(
  { attempt, root, temps }: TempTree,
  script: string,
  stdin: Buffer | string = '',
): Promise<Buffer | null> {
  const begin = `cd ${quote(`${root}/${temps}`)} || exit ${NO_FOLDER}; LC_ALL=C; export LC_ALL; `;
  const result = await attempt(begin + script, { stdin, maxBytes: MOST_BYTES, timeoutMs: WITHIN_MS });
  return result?.code === 0 ? result.stdout : null;
}
