import { lstat, unlink } from 'node:fs/promises';
import Database from 'better-sqlite3';
import { lockPath } from './lock-path.ts';
import { makeFolders } from './make-folders.ts';
import { readHubFile, removeHubFile, writeHubFile, type HubFile } from './rpc/hub-file.ts';
import { isPipe, prepareSocketFolder, probeSocket, SocketPlaceRefused } from './rpc/socket-place.ts';

/** How long the second of two hubs looks for the name of the first one (which may be starting just now), in ms. */
const NAME_WAIT_MS = 2000;
const NAME_POLL_MS = 50;
/** Somebody who only looks whether the lock is taken (`lockOwner`) holds it for less than this, in ms. */
const LOOKED_AT_MS = 200;

/** Another hub holds this data folder, or this socket. Nothing was touched. */
export class HubAlreadyRunning extends Error {
  /** `null` when the other hub has not said so yet. */
  readonly pid: number | null;
  readonly socket: string;
  readonly dataDir: string;
  /** What to do. */
  readonly next = 'Use the one that runs, or stop it first with claude-sync down.';

  constructor(
    other: { readonly pid: number | null; readonly socket: string; readonly dataDir: string },
    what: 'data folder' | 'socket' = 'data folder',
  ) {
    const who = other.pid === null ? 'a hub' : `a hub (pid ${other.pid})`;
    super(
      what === 'data folder'
        ? `${who} is already running on ${other.dataDir}, socket ${other.socket}`
        : `another hub, with other data, is already running at the socket ${other.socket}`,
    );
    this.name = 'HubAlreadyRunning';
    this.pid = other.pid;
    this.socket = other.socket;
    this.dataDir = other.dataDir;
  }
}

/** Proof that this process is the only hub on its data folder and its socket. */
export interface HubLock {
  /** Writes `hub.json`; call it once the socket listens. */
  publish(file: HubFile): Promise<void>;
  /**
   * Removes `hub.json` and keeps the lock for as long as this process lives: whatever is still at work in it (a machine that hangs, a
   * database that could not be closed), no other hub begins beside it. Call it last, after the server is closed.
   */
  withdraw(): Promise<void>;
  /** Removes `hub.json`, then lets go. For a process that goes on without its hub. Calling it again does nothing. */
  release(): Promise<void>;
}

/**
 * Makes this process the one hub of `dataDir` (created 0700 when missing) and of `socketPath`, and removes a socket file that a
 * killed hub left there. Order of a start: this, then `startRpcServer`, then `publish`.
 *
 * Why it takes two locks. A pid file cannot be checked and taken in one step, and "probe, unlink, listen" has a hole: two hubs both
 * see a dead socket, the first unlinks and listens, the second unlinks the living socket and listens too. So both steps happen
 * under locks of the operating system: SQLite's exclusive file lock (fcntl, LockFileEx), taken in one step and let go by the
 * kernel when the process dies, however it dies. One lies in the data folder, and one beside the socket, because hubs with
 * different data folders can be told to use the same socket.
 *
 * The data folder has to be on a file system with working locks; on a network file system without them two hubs on two
 * computers could both start. One more hub, of a stranger's make or on a pipe, that answers at the socket is respected as well.
 *
 * @throws {HubAlreadyRunning}
 * @throws {SocketPlaceRefused} when the socket's folder is not safe.
 */
export async function acquireHubLock(options: {
  readonly dataDir: string;
  readonly socketPath: string;
}): Promise<HubLock> {
  const { dataDir, socketPath } = options;
  await makeFolders(dataDir);
  await prepareSocketFolder(socketPath);
  const held: Database.Database[] = [];
  const letGo = (): void => {
    for (const lock of held.splice(0).reverse()) lock.close();
    process.off('exit', letGo);
  };
  // Also keeps them from being collected as garbage, which would let go of the lock in the middle of everything.
  process.once('exit', letGo);
  try {
    held.push(exclusively(lockPath(dataDir), 'data folder'));
    if (!isPipe(socketPath)) held.push(exclusively(`${socketPath}.lock`, 'socket'));
    if ((await probeSocket(socketPath)) === 'answers') throw new Busy('socket');
    // Nobody listens and nobody can begin to while the lock is held, so what is there is a dead hub's.
    if (!isPipe(socketPath)) await removeDead(socketPath);
    await removeHubFile(dataDir);
  } catch (error) {
    letGo();
    if (!(error instanceof Busy)) throw error;
    if (error.what === 'data folder') throw await nameOther(dataDir, socketPath);
    throw new HubAlreadyRunning({ pid: null, socket: socketPath, dataDir }, 'socket');
  }
  let released = false;
  return {
    publish: (file) => writeHubFile(file),
    withdraw: () => removeHubFile(dataDir),
    release: async () => {
      if (released) return;
      released = true;
      await removeHubFile(dataDir);
      letGo();
    },
  };
}

/** Somebody else holds the lock. */
class Busy extends Error {
  readonly what: 'data folder' | 'socket';

  constructor(what: 'data folder' | 'socket') {
    super(`the ${what} is taken`);
    this.what = what;
  }
}

/** Takes the lock or fails. The file stays empty: nothing is ever written in the transaction that holds it. */
function exclusively(path: string, what: 'data folder' | 'socket'): Database.Database {
  const database = new Database(path, { timeout: LOOKED_AT_MS });
  try {
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) throw new Busy(what);
    throw error;
  }
}

/** @throws {SocketPlaceRefused} when a file that is no socket is there: connecting to it is refused too, but it is not ours. */
async function removeDead(socketPath: string): Promise<void> {
  try {
    if (!(await lstat(socketPath)).isSocket()) {
      throw new SocketPlaceRefused(socketPath, 'a file that is no socket is there', 'Give another path with --socket.');
    }
    await unlink(socketPath);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** The other hub by name. It writes hub.json only when it listens, so the loser of a race waits a moment for it. */
async function nameOther(dataDir: string, socketPath: string): Promise<HubAlreadyRunning> {
  const deadline = performance.now() + NAME_WAIT_MS;
  for (;;) {
    const file = await readHubFile(dataDir);
    if (file !== null && isAlive(file.pid)) return new HubAlreadyRunning(file);
    if (performance.now() >= deadline) return new HubAlreadyRunning({ pid: null, socket: socketPath, dataDir });
    await new Promise((resolve) => setTimeout(resolve, NAME_POLL_MS));
  }
}

/** Whether a process with this number exists (EPERM: it does, and belongs to somebody else). */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
