import { createHash } from 'node:crypto';
import type { Head, Key } from '../core/domain.ts';
import type { ResumeMode, ResumePlan } from '../protocol/machines.ts';
import { isUnchanged } from './engine/files/base.ts';
import type { MachineLink } from './engine/machines/link.ts';
import type { Hub } from './hub.ts';
import { FileSystemError } from './ports/file-system.ts';

const EXAMPLES = 20;
/** Longer files are not read for a mere preview, bytes. */
const COMPARED_BYTES = 8_000_000;

/**
 * What letting a stopped machine go on would do, from one listing and without changing anything. What differs in size from its head
 * counts as changed; what is as long, and short enough to be read, is compared.
 */
export async function planResume(hub: Hub, link: MachineLink, mode: ResumeMode): Promise<ResumePlan> {
  const written = { files: 0, bytes: 0 };
  const read = { files: 0, bytes: 0 };
  const deletes: Key[] = [];
  const others: Key[] = [];
  let conflicts = 0;
  const scan = await link.replica.scan('', (path) =>
    path.endsWith('/') ? hub.rules.folderWanted(path) : hub.rules.ofPath(path).allowed,
  );
  const present = new Set<Key>();
  for (const [path, stat] of scan.files) {
    const pair = hub.store.pairs.atPath(link.name, path);
    if (pair) present.add(pair.key);
    if (pair?.base?.kind === 'file' && isUnchanged(pair.base, stat)) continue;
    const rule = hub.rules.ofPath(path);
    const head = pair && hub.store.heads.get(pair.key);
    if (head && (await isTheSame(link, { path, size: stat.size }, head))) continue;
    read.files += 1;
    read.bytes += stat.size;
    if (mode !== 'accept-deletes' && head && rule.merge !== 'log' && rule.merge !== 'union') conflicts += 1;
    if (pair) others.push(pair.key);
  }
  for (const head of hub.store.heads.values()) {
    const rule = hub.rules.ofKey(head.key);
    if (!rule.allowed || head.kind !== 'file' || present.has(head.key)) continue;
    const had = link.pair(head.key)?.base?.kind === 'file';
    if (mode === 'accept-deletes' && had) {
      if (rule.delete === 'tombstone') deletes.push(head.key);
      continue;
    }
    written.files += 1;
    written.bytes += head.size;
    others.push(head.key);
  }
  return {
    mode,
    written,
    read,
    deleted: deletes.length,
    conflicts,
    examples: [...deletes, ...others].slice(0, EXAMPLES),
  };
}

async function isTheSame(
  link: MachineLink,
  file: { readonly path: string; readonly size: number },
  head: Head,
): Promise<boolean> {
  if (head.kind !== 'file' || head.hash === null || head.size !== file.size || file.size > COMPARED_BYTES) return false;
  const hash = createHash('sha256');
  try {
    for await (const chunk of link.replica.read(file.path, 0, file.size)) hash.update(chunk);
  } catch (error) {
    // It went away, or may not be read: then it is no copy that is the same.
    if (FileSystemError.is(error)) return false;
    throw error;
  }
  return hash.digest('hex') === head.hash;
}
