/** State of one key on one machine, as the hub tells it. */
export interface PairView {
  readonly state: string;
  readonly evicted: boolean;
  readonly reason: string | null;
}

/** Everything the hub holds, read when nothing moves. */
export interface HubContents {
  /** Head bytes by key; `null` for a tombstone. */
  readonly heads: ReadonlyMap<string, Buffer | null>;
  /** All kept contents with the key they belong to. */
  readonly versions: readonly { readonly key: string; readonly bytes: Buffer }[];
  /** Every byte on the hub's own disk that is content, for the search for secrets. */
  readonly allBytes: readonly { readonly where: string; readonly bytes: Buffer }[];
  pair(machine: string, key: string): PairView | null;
  /** The key of a file of a machine, `null` when the hub does not carry it. */
  keyAt(machine: string, path: string): string | null;
  /** Machine -> why it is quarantined. */
  readonly quarantined: ReadonlyMap<string, string>;
}

/** A hub as the simulated world drives it. The real one is behind `hub-under-test.ts`. */
export interface SimulatedHub {
  readonly running: boolean;
  /** Starts the process. Resolves when it has read its own data; machines are connected afterwards. */
  start(): Promise<void>;
  /** The process dies at this very moment. With `power-loss` the hub's disk also forgets what was not synced. */
  crash(how: 'kill' | 'power-loss'): void;
  /** A clean end. */
  stop(): Promise<void>;
  /** Whether, as far as the hub knows, there is nothing left to do on the machines that it can reach. */
  settled(): boolean;
  /** Whether it keeps something back until a session is quiet. */
  waitsForQuiet(): boolean;
  /** Scans all machines now (what `claude-sync wait` does first). */
  scanAll(): Promise<void>;
  /** `claude-sync forget`. */
  forget(session: string): Promise<void>;
  /** `claude-sync machines resume`. */
  resume(machine: string, mode: 'refill' | 'accept-deletes'): Promise<void>;
  quarantined(): ReadonlyMap<string, string>;
  contents(): Promise<HubContents>;
}

/** A hub that does nothing, to see what a world looks like without one. */
export function createIdleHub(): SimulatedHub {
  let running = false;
  return {
    get running() {
      return running;
    },
    async start() {
      running = true;
    },
    crash() {
      running = false;
    },
    async stop() {
      running = false;
    },
    settled: () => true,
    waitsForQuiet: () => false,
    async scanAll() {},
    async forget() {},
    async resume() {},
    quarantined: () => new Map(),
    async contents() {
      return {
        heads: new Map(),
        versions: [],
        allBytes: [],
        pair: () => null,
        keyAt: () => null,
        quarantined: new Map(),
      };
    },
  };
}
