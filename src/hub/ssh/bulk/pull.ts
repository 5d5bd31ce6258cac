import { mkdir, rm } from 'node:fs/promises';
import type { Look } from '../../../core/domain.ts';
import type { CopyThreads } from '../../replica/many/copy-threads.ts';
import type { Copied } from '../../replica/many/messages.ts';
import { FETCH_LIMIT_BYTES, type Fetched, type FetchRequest, type Intake } from '../../replica/replica.ts';
import { refusedPath } from '../../replica/safe-walk.ts';
import type { RsyncLink } from './rsync-link.ts';

/** What a pull works with. */
export interface PullOptions {
  readonly link: RsyncLink;
  /** Absolute claudeDir there. */
  readonly remoteFolder: string;
  readonly threads: CopyThreads;
  /** Looks at files there, each with its whole way. */
  readonly look: (paths: readonly string[]) => Promise<readonly Look[]>;
  /** Makes a folder of the hub's staging for a path in it; see `Intake.place`. */
  readonly place: (name: string) => string;
}

/**
 * Copies many whole files of a machine into the hub's staging with one rsync: into a folder there, from which each becomes staged content
 * by a rename. A file counts when what lies on the machine afterwards, behind real folders, has the length and time of what arrived.
 * @returns in the order of the requests; `left` for what has to be fetched in another way.
 */
export async function pullMany(
  options: PullOptions,
  requests: readonly FetchRequest[],
  intake: Intake,
): Promise<readonly (Fetched | 'left')[]> {
  const { link, threads, place } = options;
  const folder = place(`${intake.newName()}-pull`);
  const wanted = requests.filter(({ path }) => refusedPath(path) === null);
  await mkdir(folder, { mode: 0o700 });
  try {
    const worthALook = await link.transfer(
      'pull',
      folder,
      options.remoteFolder,
      wanted.map(({ path }) => path),
    );
    if (!worthALook) return requests.map(() => 'left');
    const names = wanted.map(() => intake.newName());
    const files = wanted.map((request, index) => ({ ...request, target: place(names[index] ?? '') }));
    const [copied, looks] = await Promise.all([
      threads.fetch({ kind: 'fetch', root: folder, files, longest: FETCH_LIMIT_BYTES, adopt: true }),
      options.look(wanted.map(({ path }) => path)),
    ]);
    const byRequest = new Map<FetchRequest, Fetched | 'left'>();
    for (const [index, request] of wanted.entries()) {
      const [one, look, name] = [copied[index], looks[index], names[index] ?? ''];
      const fetched = one === undefined || look === undefined ? 'left' : judged(one, look, name);
      if (fetched === 'left' && one?.kind === 'copied')
        await intake.discard({ name, sha256: one.facts.sha256, bytes: one.facts.bytes });
      byRequest.set(request, fetched);
    }
    return requests.map((request) => byRequest.get(request) ?? 'left');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function judged(copied: Copied, look: Look, name: string): Fetched | 'left' {
  if (copied.kind === 'left' || look.kind !== 'file') return 'left';
  const { facts, stat, folders, hasFolder } = copied;
  // rsync gives a file the time that it had; over SFTP times are whole seconds.
  const isSame = look.stat.size === facts.bytes && look.stat.mtimeMs === Math.floor(stat.mtimeMs / 1000) * 1000;
  if (!isSame) return 'left';
  return { staged: { name, sha256: facts.sha256, bytes: facts.bytes }, stat: look.stat, facts, folders, hasFolder };
}
