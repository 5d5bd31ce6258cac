import Database from 'better-sqlite3';
import type { Archive } from '../../src/hub/archive/archive.ts';
import type { Guards } from '../../src/hub/engine/guards.ts';
import type { Clock, Random } from '../../src/hub/ports/clock.ts';
import type { FileSystem } from '../../src/hub/ports/file-system.ts';
import { FileSystemError } from '../../src/hub/ports/file-system.ts';
import { createLivenessProbe } from '../../src/hub/replica/liveness.ts';
import type { Hint, Replica } from '../../src/hub/replica/replica.ts';
import { ReplicaUnreachable } from '../../src/hub/replica/replica.ts';
import { createTreeReplica } from '../../src/hub/replica/tree-replica.ts';
import type { WatchSource } from '../../src/hub/replica/watch-source.ts';
import type { InlineStore } from '../../src/hub/store/open-store.ts';
import { openStoreOn } from '../../src/hub/store/open-store.ts';
import type { Store } from '../../src/hub/store/store.ts';
import { HubProcess } from './hub-process.ts';
import type { SimulatedMachine } from './machine.ts';
import { createMemoryFileSystem } from './memory-file-system.ts';
import type { Prng } from './prng.ts';
import type { HubContents, SimulatedHub } from './simulated-hub.ts';
import type { World } from './world.ts';

/** What one life of the hub is made of: real parts on simulated disks, clocks and links. */
export interface HubParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly guards: Guards;
  readonly store: Store;
  /** The hub's data folder. */
  readonly disk: FileSystem;
  readonly replicas: readonly Replica[];
  readonly world: World;
}

/** An engine as the adapter drives it. */
export interface EngineUnderTest {
  readonly archive: Archive;
  start(): Promise<void>;
  stop(): Promise<void>;
  settled(): boolean;
  scanAll(): Promise<void>;
  forget(session: string): Promise<void>;
  resume(machine: string, mode: 'refill' | 'accept-deletes'): Promise<void>;
  quarantined(): ReadonlyMap<string, string>;
}

interface Life {
  readonly process: HubProcess;
  readonly store: InlineStore;
  readonly engine: EngineUnderTest;
}

/**
 * The real hub in a simulated world: real store (SQLite in memory), real archive, real replica protocols and real engine,
 * which `boot` puts together; disks, links, clocks and randomness are the world's. Each start is a new life on what the
 * last one left on disk.
 */
export function createHubUnderTest(
  world: World,
  guards: Guards,
  boot: (parts: HubParts) => EngineUnderTest,
): SimulatedHub {
  const { scheduler, hubVolume } = world;
  const prng = world.prng.fork('lives');
  const losesPower = (world.flavour.weights.powerLoss ?? 0) > 0;
  let db = new Database(':memory:');
  // What a power loss goes back to; taken at each durable commit where power can be lost at all.
  let durable: Buffer | null = null;
  let life: Life | null = null;
  let lives = 0;

  const current = (): Life => {
    if (!life) throw new Error('the simulated hub is not running');
    return life;
  };

  const begin = (): Life => {
    const process = new HubProcess({ scheduler, prng: prng.fork('process'), volume: hubVolume, life: ++lives });
    const store = openStoreOn(db, { clock: process.clock });
    const snapshot = (): void => void (durable = losesPower ? db.serialize() : null);
    // A kernel writes out by itself what is older than this.
    const writeBack = (): void => {
      if (!process.alive) return;
      snapshot();
      scheduler.after(30_000, 'hub disk writes back', writeBack);
    };
    if (losesPower) scheduler.after(30_000, 'hub disk writes back', writeBack);
    const flushing: Store = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (name !== 'flush') return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
        return async (options?: { readonly durable?: boolean }) => {
          await target.flush(options);
          if (options?.durable === true) snapshot();
        };
      },
    });
    const replicas = world.machines.map((machine) =>
      replicaOf(machine, process, flushing, guards, prng.fork(machine.name)),
    );
    const { clock, random, disk } = process;
    const engine = boot({ clock, random, guards, store: flushing, disk, replicas, world });
    return { process, store, engine };
  };

  return {
    get running() {
      return life !== null;
    },
    async start() {
      life ??= begin();
      await life.engine.start();
    },
    crash(how) {
      if (!life) return;
      life.process.die();
      life.store.abandon();
      for (const machine of world.machines) machine.link.hubDied();
      life = null;
      if (how === 'kill') return;
      hubVolume.losePower((unsynced) => prng.int(0, unsynced));
      if (prng.chance(0.6)) {
        const survived = durable;
        db.close();
        db = survived ? new Database(survived) : new Database(':memory:');
      }
      // What is found after a power loss came from the disk, so the next one does not take it away.
      durable = db.serialize();
    },
    async stop() {
      const stopping = life;
      if (!stopping) return;
      await stopping.engine.stop();
      if (life !== stopping) return;
      await stopping.store.close();
      stopping.process.die();
      for (const machine of world.machines) machine.link.hubDied();
      life = null;
    },
    settled: () => current().engine.settled(),
    waitsForQuiet: () =>
      world.machines.some(({ name }) =>
        [...current().store.pairs.ofMachine(name)].some(({ state }) => state === 'deferred-live'),
      ),
    scanAll: () => current().engine.scanAll(),
    forget: (session) => current().engine.forget(session),
    resume: (machine, mode) => current().engine.resume(machine, mode),
    quarantined: () => life?.engine.quarantined() ?? new Map<string, string>(),
    contents: () => readContents(world, current(), db),
  };
}

/** A replica over a machine's link: the product's protocol code on a simulated disk. */
export function replicaOf(
  machine: SimulatedMachine,
  process: HubProcess,
  store: Pick<Store, 'intents' | 'undo' | 'machines' | 'flush'>,
  guards: Guards,
  prng: Prng,
): Replica {
  const { spec, volume, link } = machine;
  const fs = asHub(machine, machine.root);
  const startOf = (pid: number): Promise<string | null> => {
    const start = machine.processes.get(pid);
    return Promise.resolve(start === undefined ? null : String(start));
  };
  const replica = createTreeReplica({
    machine: machine.name,
    hub: { id: 'hub', host: 'hub', pid: 1, isGone: () => false },
    os: spec.os,
    home: spec.home,
    claudeDir: `${spec.home}/.claude`,
    fs,
    outside: createMemoryFileSystem(volume, '', link.execute),
    clock: process.clock,
    random: process.random,
    guards,
    intents: store.intents,
    undo: store.undo,
    flush: () => store.flush({ durable: true }),
    epoch: () => store.machines.get(machine.name)?.connectionEpoch ?? 0,
    watch: watchOf(machine, process, prng),
    overNetwork: spec.kind === 'remote',
    // Only where processes can be seen is a registration proof; elsewhere its age has to do.
    live: createLivenessProbe({ fs, clock: process.clock, processes: spec.os === 'linux' ? { startOf } : null }),
  });
  return {
    ...replica,
    async connect() {
      try {
        await link.connect();
      } catch (error) {
        if (FileSystemError.is(error, 'disconnected')) throw new ReplicaUnreachable(machine.name, error.message, error);
        throw error;
      }
      await replica.connect();
    },
  };
}

/** The machine's disk over its link, with every change marked as the hub's. */
function asHub(machine: SimulatedMachine, root: string): FileSystem {
  return createMemoryFileSystem(machine.volume, root, (request, run) =>
    machine.link.execute(request, () => machine.volume.as('hub', run)),
  );
}

/** Hints of a machine's watcher: a little late, and none while nobody is connected. */
function watchOf(machine: SimulatedMachine, process: HubProcess, prng: Prng): WatchSource {
  const { spec, link } = machine;
  let tell: ((hint: Hint) => void) | null = null;
  const hears = (): boolean => tell !== null && process.alive && link.connected;
  if (spec.watching === 'events') {
    machine.onChange((path, change) => {
      if (!hears() || path.startsWith('.claude-sync')) return;
      const kind = change.inode.type === 'folder' ? 'folder' : 'file';
      machine.hint(
        prng.int(0, 3) + (spec.kind === 'remote' ? spec.delayMs : 0),
        () => hears() && tell?.({ path, kind }),
      );
    });
  }
  return {
    name: spec.watching === 'poll' ? 'poll' : 'simulated',
    start(onHint, onTrouble) {
      tell = onHint;
      link.onLost = () => process.alive && tell !== null && onTrouble('the connection is lost');
      return Promise.resolve();
    },
    close() {
      tell = null;
      return Promise.resolve();
    },
  };
}

async function readContents(world: World, { engine, store }: Life, db: Database.Database): Promise<HubContents> {
  const collect = async (chunks: AsyncIterable<Buffer>): Promise<Buffer> => {
    const parts: Buffer[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    return Buffer.concat(parts);
  };
  const heads = new Map<string, Buffer | null>();
  for (const head of store.heads.values()) {
    // The head of the history has no file of its own: each machine's lines are kept under that machine's name.
    if (head.key === 'history') continue;
    heads.set(head.key, head.kind === 'tombstone' ? null : await collect(engine.archive.read(head.key, 0, head.size)));
  }
  const versions: { key: string; bytes: Buffer }[] = [];
  for (const { key, sha256 } of store.versions.all())
    versions.push({ key, bytes: await collect(engine.archive.readVersion(sha256)) });
  const files = [...world.hubVolume.walk()].flatMap(({ path, inode }) =>
    inode.type === 'file' ? [{ where: path, bytes: Buffer.from(inode.data.subarray(0, inode.size)) }] : [],
  );
  const kept = versions.map(({ key, bytes }) => ({ where: `version of ${key}`, bytes }));
  await store.flush();
  return {
    heads,
    versions,
    allBytes: [...files, ...kept, { where: 'database', bytes: db.serialize() }],
    pair(machine, key) {
      const pair = store.pairs.get(machine, key);
      return pair
        ? { state: pair.state, evicted: pair.evictedSeq !== null && pair.evictedSeq >= 0, reason: pair.reason }
        : null;
    },
    keyAt: (machine, path) => store.pairs.atPath(machine, path)?.key ?? null,
    quarantined: engine.quarantined(),
  };
}
