import type { MachineName, Pair } from '../core/domain.ts';
import type { Rules } from '../core/rules/classify.ts';
import type { MachineConfig } from './config/schema.ts';
import type { FileSystem } from './ports/file-system.ts';
import { FollowedRoots, type RootTarget } from './replica/followed-roots.ts';
import type { Store } from './store/store.ts';

/** A machine whose configuration may name links to be followed. */
export interface MachineRootsOptions {
  readonly name: MachineName;
  readonly config: Pick<MachineConfig, 'followRoots'>;
  readonly store: Store;
  readonly rules: Rules;
  /** Absolute data folder of the hub, which no link may lead to; `null` on a machine that is not the hub's. */
  readonly dataDir: string | null;
  /** Absolute claudeDir, symlinks resolved. */
  readonly claudeDir: string;
  /** Rooted at claudeDir. */
  readonly fs: FileSystem;
  /** Rooted at '/'. */
  readonly outside: FileSystem;
}

/** The links of a machine that are followed on purpose; `null` when there are none. */
export function followedRootsOf(options: MachineRootsOptions): FollowedRoots | null {
  const { name, config, store, rules, dataDir, claudeDir, fs, outside } = options;
  if (config.followRoots.length === 0) return null;
  const setting = (root: string): string => `follow/${name}/${root}`;
  const pairsAt = (root: string): Pair[] => {
    const one = store.pairs.atPath(name, root);
    return [...(one === undefined ? [] : [one]), ...store.pairs.belowPath(name, `${root}/`)];
  };
  return new FollowedRoots({
    roots: config.followRoots,
    claudeDir,
    fs,
    outside,
    memory: {
      get(root) {
        const text = store.getSetting(setting(root)) ?? '';
        return text === '' ? null : (JSON.parse(text) as RootTarget);
      },
      set: (root, target) => store.setSetting(setting(root), target === null ? '' : JSON.stringify(target)),
      hasFiles: (root) => pairsAt(root).some(({ base }) => base?.kind === 'file'),
      startOver(root) {
        for (const pair of pairsAt(root))
          store.pairs.put({ ...pair, base: null, evictedSeq: null, state: 'ok', reason: null });
      },
    },
    refusal: (target) => {
      if (rules.ofPath(target.slice(1)).class === 'secret') return `${target} holds secrets and is not followed`;
      const isHubs =
        dataDir !== null &&
        (target === dataDir || target.startsWith(`${dataDir}/`) || dataDir.startsWith(`${target}/`));
      return isHubs ? `${target} is a part of the hub's data, or has it inside` : null;
    },
  });
}
