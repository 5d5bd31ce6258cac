import type { RelativePath, Sha256 } from '../../core/domain.ts';
import type { Sha256Tool } from './posix-probe.ts';
import type { RemoteCommands } from './remote-commands.ts';
import { quote } from './shell-words.ts';
import { lastLine } from './watcher-text.ts';

/** The hashes of many files could not be had from the machine at once. They can be read one by one instead. */
export class RemoteHashesFailure extends Error {
  constructor(reason: string) {
    super(`the machine could not hash its files (${reason}); nothing was changed, they are read over SFTP instead`);
    this.name = 'RemoteHashesFailure';
  }
}

/** What hashing works with. */
export interface RemoteHashesOptions {
  readonly commands: RemoteCommands;
  readonly tool: Sha256Tool;
  /** Absolute folder there that the paths are below. */
  readonly root: string;
  /** For all of them. A pipe among them would keep it waiting. */
  readonly timeoutMs: number;
}

/** A line is a hash, two signs and a path, in which a sign may have become two. */
const BYTES_PER_FILE = 96;
/** xargs: 0 all done; 1 and 123: some could not be read. */
const FINE = new Set([0, 1, 123]);
const NO_FOLDER = 66;

/**
 * SHA-256 of many files, hashed where they are, with one command. Files that are not there, or may not be read, are left out.
 * Symlinks are followed: only paths that were seen as regular files belong in here, and a hash of anything else tells nothing more
 * than whether it is the expected one.
 * @param paths below `root`; may hold anything but NUL.
 * @throws {RemoteHashesFailure} when the tool does not do it, and as `RemoteCommands.run` does.
 */
export async function remoteHashes(
  { commands, tool, root, timeoutMs }: RemoteHashesOptions,
  paths: readonly RelativePath[],
): Promise<Map<RelativePath, Sha256>> {
  const wanted = new Set(paths.filter((path) => path !== '' && !path.includes('\0')));
  const hashes = new Map<RelativePath, Sha256>();
  if (wanted.size === 0) return hashes;
  // With the folder in front no path is taken for an option, or for the standard input.
  const list = Buffer.from([...wanted].map((path) => `./${path}\0`).join(''));
  const words = tool.kind === 'shasum' ? `${quote(tool.path)} -a 256` : quote(tool.path);
  const { code, stdout, stderr } = await commands.run(
    `cd ${quote(root)} || exit ${NO_FOLDER}; LC_ALL=C; export LC_ALL; exec xargs -0 ${words}`,
    { stdin: list, maxBytes: wanted.size * BYTES_PER_FILE + 2 * list.length, timeoutMs },
  );
  if (code === null || !FINE.has(code)) throw new RemoteHashesFailure(lastLine(stderr));
  for (const line of stdout.toString('utf8').split('\n')) {
    const found = parseHashLine(line);
    if (found?.path.startsWith('./') !== true) continue;
    const path = found.path.slice(2);
    if (wanted.has(path)) hashes.set(path, found.hash);
  }
  return hashes;
}

/** A line of sha256sum or shasum: one that begins with `\` has the odd signs of its name escaped. */
export function parseHashLine(line: string): { readonly hash: Sha256; readonly path: string } | null {
  const [, escaped, hash, name] = /^(\\?)([0-9a-f]{64}) [ *]([^]+)$/.exec(line) ?? [];
  if (hash === undefined || name === undefined) return null;
  if (escaped === '') return { hash, path: name };
  const signs: Readonly<Record<string, string>> = { n: '\n', r: '\r', '\\': '\\' };
  return { hash, path: name.replaceAll(/\\([nr\\])/g, (_, sign: string) => signs[sign] ?? '') };
}
