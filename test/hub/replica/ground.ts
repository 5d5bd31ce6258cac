import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { FileStat } from '../../../src/core/domain.ts';
import { Guards } from '../../../src/hub/engine/guards.ts';
import type { Guard } from '../../../src/hub/engine/guards.ts';
import type { Clock, Random } from '../../../src/hub/ports/clock.ts';
import type { FileSystem, OpenFile } from '../../../src/hub/ports/file-system.ts';
import { createNodeFileSystem } from '../../../src/hub/replica/node-file-system.ts';
import type { PutRequest, Replica } from '../../../src/hub/replica/replica.ts';
import { createTreeReplica } from '../../../src/hub/replica/tree-replica.ts';
import type { TreeReplicaOptions } from '../../../src/hub/replica/tree-replica.ts';
import type { IntentRow, IntentTable, UndoRow, UndoTable } from '../../../src/hub/store/store.ts';

export const MTIME = 1_700_000_000_000;

/** The rows that a store would keep, with nothing behind them. */
export class Rows {
  intentRows: IntentRow[] = [];
  undoRows: UndoRow[] = [];
  #id = 0;
  readonly intents: IntentTable = {
    add: (row) => {
      const added = { ...row, id: ++this.#id };
      this.intentRows.push(added);
      return added;
    },
    delete: (id) => {
      this.intentRows = this.intentRows.filter((row) => row.id !== id);
    },
    ofMachine: (machine) => this.intentRows.filter((row) => row.machine === machine),
  };
  readonly undo: UndoTable = {
    put: (row) => {
      this.undoRows = [...this.undoRows.filter((other) => other.name !== row.name), row];
    },
    delete: (_machine, name) => {
      this.undoRows = this.undoRows.filter((row) => row.name !== name);
    },
    ofMachine: (machine) => this.undoRows.filter((row) => row.machine === machine),
  };
}

/** Runs `before` ahead of the operation it names; what it does is what another process does at that moment. */
export type Interference = (operation: string, path: string) => void | Promise<void>;

export function disturbed(fs: FileSystem, before: Interference): FileSystem {
  const wrapped: Record<string, unknown> = {};
  for (const [name, method] of Object.entries(fs) as [string, (...args: unknown[]) => Promise<unknown>][]) {
    wrapped[name] = async (...args: unknown[]) => {
      await before(name, String(args[0]));
      const result = await method(...args);
      return name === 'open' ? disturbedFile(result as OpenFile, String(args[0]), before) : result;
    };
  }
  return wrapped as unknown as FileSystem;
}

function disturbedFile(file: OpenFile, path: string, before: Interference): OpenFile {
  const during =
    <A extends unknown[], T>(name: string, method: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      await before(`file.${name}`, path);
      return method(...args);
    };
  return {
    read: during('read', (p: number, l: number) => file.read(p, l)),
    write: during('write', (b: Uint8Array) => file.write(b)),
    stat: during('stat', () => file.stat()),
    setTimes: during('setTimes', (m: number) => file.setTimes(m)),
    setExecutable: during('setExecutable', (e: boolean) => file.setExecutable(e)),
    sync: during('sync', () => file.sync()),
    close: during('close', () => file.close()),
  };
}

export const realClock: Clock = {
  now: () => Date.now(),
  after: (ms, task) => {
    const timer = setTimeout(task, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export const realRandom: Random = { hex: (bytes) => randomBytes(bytes).toString('hex') };

/** A claudeDir on a real disk and the replica over it. */
export class Ground {
  readonly root: string;
  readonly rows = new Rows();
  epoch = 1;
  now: number | null = null;
  flushes = 0;
  interference: Interference = () => undefined;
  readonly fs: FileSystem;

  constructor(root = mkdtempSync(join(tmpdir(), 'replica-'))) {
    this.root = root;
    this.fs = disturbed(createNodeFileSystem(root), (operation, path) => this.interference(operation, path));
  }

  replica(options: Partial<TreeReplicaOptions> = {}, guardsOff: Guard[] = []): Replica {
    return createTreeReplica({
      machine: 'xps',
      os: 'linux',
      home: '/home/u',
      claudeDir: this.root,
      fs: this.fs,
      outside: createNodeFileSystem('/'),
      clock: { ...realClock, now: () => this.now ?? Date.now() },
      random: realRandom,
      guards: new Guards(guardsOff),
      intents: this.rows.intents,
      undo: this.rows.undo,
      flush: () => {
        this.flushes++;
        return Promise.resolve();
      },
      epoch: () => this.epoch,
      watch: { name: 'none', start: () => Promise.resolve(), close: () => Promise.resolve() },
      live: { liveSessions: () => Promise.resolve(new Set<string>()) },
      ...options,
    });
  }

  async connected(options: Partial<TreeReplicaOptions> = {}, guardsOff: Guard[] = []): Promise<Replica> {
    const replica = this.replica(options, guardsOff);
    await replica.connect();
    return replica;
  }

  at(path: string): string {
    return join(this.root, path);
  }

  write(path: string, content: string): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    writeFileSync(this.at(path), content);
  }

  text(path: string): string {
    return readFileSync(this.at(path), 'utf8');
  }

  exists(path: string): boolean {
    return lstatSync(this.at(path), { throwIfNoEntry: false }) !== undefined;
  }

  names(folder: string): string[] {
    return readdirSync(this.at(folder)).sort();
  }

  undoTexts(): string[] {
    return this.names('.claude-sync/undo').map((name) => this.text(`.claude-sync/undo/${name}`));
  }

  stat(path: string): FileStat {
    const stats = lstatSync(this.at(path));
    return {
      size: stats.size,
      mtimeMs: stats.mtimeMs,
      inode: `${stats.dev}-${stats.ino}`,
      executable: (stats.mode & 0o100) !== 0,
    };
  }

  /** Lets `task` happen once, right before the named operation on a path that ends in `path`. */
  once(operation: string, path: string | RegExp, task: () => void): void {
    let done = false;
    this.interference = (name, at) => {
      if (done || name !== operation || !(typeof path === 'string' ? at === path : path.test(at))) return;
      done = true;
      task();
    };
  }

  remove(): void {
    chmodSync(this.root, 0o700);
    rmSync(this.root, { recursive: true, force: true });
  }
}

export function putOf(
  text: string,
  expect: FileStat | null,
  how: PutRequest['how'] = 'exchange',
  executable = false,
): PutRequest {
  const bytes = Buffer.from(text);
  return {
    expect: expect === null ? { kind: 'absent' } : { kind: 'file', stat: expect },
    content: async function* () {
      yield bytes;
    },
    size: bytes.length,
    mtimeMs: MTIME,
    executable,
    how,
  };
}
