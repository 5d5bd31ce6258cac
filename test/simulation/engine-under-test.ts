import type { Rule, Rules } from '../../src/core/rules/classify.ts';
import { createRules } from '../../src/core/rules/classify.ts';
import { createArchive } from '../../src/hub/archive/create-archive.ts';
import { createEngine } from '../../src/hub/engine/engine.ts';
import type { EngineUnderTest, HubParts } from './hub-under-test.ts';

/** Machines that tell of changes are scanned this rarely by the product; in the simulation one rhythm serves all, s. */
const SCAN_SECONDS = 20;

/** Puts the real engine together, as the product's composition root does. */
export function bootEngine(parts: HubParts): EngineUnderTest {
  const { clock, random, guards, store, disk, replicas, world } = parts;
  const archive = createArchive({ fs: disk, random, guards });
  const engine = createEngine({
    store,
    archive,
    clock,
    random,
    guards,
    rules: remembering(createRules({ include: [], exclude: [] })),
    settings: {
      projects: {},
      conflictStrategy: 'last-write-wins',
      conflictOverrides: [],
      scanSeconds: SCAN_SECONDS,
    },
    machines: replicas.map((replica) => ({
      replica,
      settings: {
        trust: 'full',
        paused: false,
        scope: { projects: null, maxAgeDays: null, maxFileBytes: null, placement: 'always' },
      },
    })),
    onTrouble: (error) => world.scheduler.note(`hub: ${error.message}`),
  });
  return {
    archive,
    async start() {
      await archive.open();
      await engine.start();
    },
    stop: () => engine.stop(),
    settled: () =>
      engine.settled() && [...engine.links.values()].every((link) => link.connected || link.quarantine !== null),
    scanAll: () => engine.scanAll(),
    async forget(session) {
      await engine.actions.forget(session);
    },
    resume(machine, mode) {
      engine.links.get(machine)?.release(mode);
      return Promise.resolve();
    },
    quarantined() {
      return new Map(
        [...engine.links.values()].flatMap((link) => (link.quarantine === null ? [] : [[link.name, link.quarantine]])),
      );
    },
  };
}

/** A world has a few dozen paths and asks about them a hundred thousand times. */
function remembering(rules: Rules): Rules {
  const once = (ask: (name: string) => Rule): ((name: string) => Rule) => {
    const known = new Map<string, Rule>();
    return (name) => {
      let rule = known.get(name);
      if (!rule) known.set(name, (rule = ask(name)));
      return rule;
    };
  };
  return {
    ofPath: once((path) => rules.ofPath(path)),
    ofKey: once((key) => rules.ofKey(key)),
    folderWanted: (folder) => rules.folderWanted(folder),
    excludesKey: (key) => rules.excludesKey(key),
  };
}
