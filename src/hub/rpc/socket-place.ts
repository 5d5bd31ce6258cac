import { chmod, lstat } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { makeFolders } from '../make-folders.ts';

/** Longest socket path that every Unix takes, in bytes (the kernel's field has 104 on macOS, with the final NUL). */
export const LONGEST_SOCKET_PATH_BYTES = 103;

/** The hub cannot open its socket at this path. */
export class SocketPlaceRefused extends Error {
  readonly socketPath: string;
  readonly next: string;

  constructor(socketPath: string, reason: string, next: string) {
    super(`cannot open the hub's socket ${socketPath}: ${reason}`);
    this.name = 'SocketPlaceRefused';
    this.socketPath = socketPath;
    this.next = next;
  }
}

/** Whether `socketPath` names a Windows pipe; those live in no folder. */
export function isPipe(socketPath: string): boolean {
  return socketPath.startsWith('\\\\.\\pipe\\') || socketPath.startsWith('\\\\?\\pipe\\');
}

/**
 * Makes sure that nobody else can put something in the place of a socket at `socketPath`: its folder is created 0700, or is one
 * in which others cannot replace our files. Reaching the socket is another matter: the file itself is 0600 from its first moment.
 * A folder that others can write to is refused, not repaired: it may be a shared one that was named by mistake.
 * @throws {SocketPlaceRefused}
 */
export async function prepareSocketFolder(socketPath: string): Promise<void> {
  if (isPipe(socketPath)) return;
  if (Buffer.byteLength(socketPath) > LONGEST_SOCKET_PATH_BYTES) {
    throw new SocketPlaceRefused(
      socketPath,
      `the path has more than ${LONGEST_SOCKET_PATH_BYTES} bytes`,
      'Give a shorter path with --socket.',
    );
  }
  const folder = dirname(socketPath);
  await makeFolders(folder);
  const stat = await lstat(folder);
  const next = 'Give a path in a folder that only you can write to with --socket.';
  if (!stat.isDirectory()) throw new SocketPlaceRefused(socketPath, `${folder} is not a folder (a symlink?)`, next);
  const uid = process.getuid?.();
  if (uid === undefined) return;
  if (stat.uid !== uid && stat.uid !== 0)
    throw new SocketPlaceRefused(socketPath, `${folder} belongs to somebody else`, next);
  // With the sticky bit (as in /tmp) others may make files of their own there, but not move ours away.
  const shared = (stat.mode & 0o022) !== 0 && (stat.mode & 0o1000) === 0;
  if (shared) throw new SocketPlaceRefused(socketPath, `others can write to ${folder}`, next);
}

/** Closes the socket file itself to others, once it exists. */
export async function protectSocket(socketPath: string): Promise<void> {
  if (!isPipe(socketPath)) await chmod(socketPath, 0o600);
}

/** What a connection attempt tells: somebody listens, nobody does (the file is left over), or there is nothing. */
export type SocketState = 'answers' | 'refused' | 'nothing';

/**
 * Tries to connect. A socket that neither answers nor refuses within `timeoutMs` counts as answering: its owner may be
 * stopped or overloaded, and must not lose its socket.
 */
export function probeSocket(socketPath: string, timeoutMs = 2000): Promise<SocketState> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const finish = (state: SocketState): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(state);
    };
    const timer = setTimeout(() => finish('answers'), timeoutMs);
    socket.once('connect', () => finish('answers'));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // EAGAIN: the backlog is full, so somebody listens. ENOTSOCK: a file that is not a socket; not ours to remove.
      if (error.code === 'ECONNREFUSED') finish('refused');
      else if (error.code === 'ENOENT') finish('nothing');
      else if (error.code === 'EAGAIN') finish('answers');
      else {
        clearTimeout(timer);
        reject(error);
      }
    });
  });
}
