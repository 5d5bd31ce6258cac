import type { Key } from '../core/domain.ts';
import type { ResumeMode, ResumePlan } from '../protocol/machines.ts';
import { isUnchanged } from './engine/file-base.ts';
import type { MachineLink } from './engine/machine-link.ts';
import type { Hub } from './hub.ts';

const EXAMPLES = 20;

/**
 * What letting a stopped machine go on would do, from one listing and without changing anything. Contents are not read: what
 * differs in size or time counts as changed.
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
    read.files += 1;
    read.bytes += stat.size;
    const rule = hub.rules.ofPath(path);
    const head = pair && hub.store.heads.get(pair.key);
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
  return { mode, written, read, deleted: deletes.length, conflicts, examples: [...deletes, ...others].slice(0, EXAMPLES) };
}
