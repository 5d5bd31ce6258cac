import type { Look, RelativePath } from '../../../core/domain.ts';
import { componentsOf, fileStat, refusedPath } from '../../replica/safe-walk.ts';
import type { Attempt } from './attempt.ts';
import { quote } from '../shell-words.ts';
import { FOUND_FORMAT, parseFound, type Found } from './found-records.ts';

const WITHIN_MS = 60_000;
/** A record is a path and a few words. */
const BYTES_PER_PATH = 80;
/** Codes of xargs: all done, or something was not there. */
const FINE = [0, 123];

/**
 * Looks at many files of a Linux machine with one command, each with its whole way: SFTP takes a request for each file and each folder.
 * @param root absolute claudeDir there.
 * @returns the files that are there, behind real folders. About all others it says nothing: they may be absent, refused, or out of sight.
 * @throws {FileSystemError} `disconnected`
 */
export async function remoteLooks(
  attempt: Attempt,
  root: string,
  paths: readonly RelativePath[],
): Promise<ReadonlyMap<RelativePath, Look & { readonly kind: 'file' }>> {
  const ways = new Map(
    paths.flatMap((path) =>
      path === '' || path.includes('\0') || refusedPath(path) !== null ? [] : [[path, componentsOf(path)] as const],
    ),
  );
  const looks = new Map<RelativePath, Look & { readonly kind: 'file' }>();
  if (ways.size === 0) return looks;
  const found = await find(attempt, root, new Set([...ways.values()].flat()));
  for (const [path, way] of ways) {
    const isBehindFolders = way.slice(0, -1).every((folder) => found.get(folder)?.type === 'folder');
    const end = found.get(path);
    if (isBehindFolders && end?.type === 'file') looks.set(path, { kind: 'file', stat: fileStat(end) });
  }
  return looks;
}

async function find(
  attempt: Attempt,
  root: string,
  paths: ReadonlySet<RelativePath>,
): Promise<ReadonlyMap<RelativePath, Found>> {
  // Behind what find starts with come its options: a list of paths goes before them only by way of a shell.
  const each = quote(`find "$@" -maxdepth 0 -printf ${FOUND_FORMAT}`);
  const script = `cd ${quote(root)} || exit 66; LC_ALL=C; export LC_ALL; xargs -0 sh -c ${each} sh; printf 'end %s\\0' "$?"`;
  const list = Buffer.from([...paths].map((path) => (path === '' ? '.\0' : `./${path}\0`)).join(''));
  const result = await attempt(script, {
    stdin: list,
    maxBytes: paths.size * BYTES_PER_PATH + 2 * list.length,
    timeoutMs: WITHIN_MS,
  });
  const found = result === null ? null : parseFound(result.stdout, FINE);
  return new Map(found?.map((one) => [one.path, one]));
}
