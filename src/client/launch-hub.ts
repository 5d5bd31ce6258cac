import { spawn } from 'node:child_process';
import { open, stat, statfs, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { makeFolders } from '../hub/make-folders.ts';
import { startFailure } from '../hub/start-failure.ts';
import type { HubPaths } from '../hub/config/paths.ts';
import { SERVICE_VARIABLES } from '../hub/run-by-service.ts';
import { HubError, type HubErrorCode } from '../protocol/errors.ts';
import { PRODUCT_VERSION } from '../protocol/product-version.ts';
import { connectToHub, type HubClient } from './connect.ts';

const POLL_MS = 30;
/** What `claude-sync` ends with when its configuration is at fault. */
const CONFIG_EXIT = 2;
/** A start that could not even be tried counts as failed. */
const FAILED_EXIT = 1;
/** Most of a dead hub's last words that are shown. */
const LAST_WORDS_BYTES = 4000;
/** A start that lost against another one is given this long to end, in ms. */
const STEP_BACK_MS = 5_000;
/** With less than this free, in bytes, a disk is as good as full. */
const NO_ROOM_BYTES = 64 * 1024;

/** What a hub is started with. */
export interface LaunchOptions {
  /** Where it is to keep things and to listen. */
  readonly places: HubPaths;
  /** How `claude-sync` is started: a program, and the words before the command. */
  readonly program: { readonly command: string; readonly args: readonly string[] };
  /** Its environment, but for options that are meant for the process that starts it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Who connects to it, for its log: `cli`, `extension`. */
  readonly client: string;
  /** How long it may take to answer, ms. */
  readonly timeoutMs: number;
}

/**
 * Starts a hub as a process of its own that outlives this one, and returns a connection to it as soon as it answers. What it
 * prints goes to `logs/hub.out` in the data folder.
 * @throws {HubError} with what the hub printed, when it ended instead (`config` when its configuration was at fault);
 * `io` when its data folder cannot be used; `timed-out` when it does not answer in time (it may still be starting).
 */
export async function launchHub({ places, program, env, client, timeoutMs }: LaunchOptions): Promise<HubClient> {
  const logs = join(places.dataDir, 'logs');
  const outPath = join(logs, 'hub.out');
  const out = await openOutput(logs, outPath, places.dataDir);
  const before = (await stat(outPath)).size;
  const args = [
    ...program.args,
    'hub',
    '--data-dir',
    places.dataDir,
    '--socket',
    places.socket,
    ...(places.configFileNamed ? ['--config', places.configFile] : []),
  ];
  const child = spawn(program.command, args, {
    detached: true,
    // The data folder is always there; the folder of the moment may be on a disk that goes away.
    cwd: places.dataDir,
    stdio: ['ignore', out.fd, out.fd],
    env: hubEnvironment(env),
  });
  let ended: number | null = null;
  const exited = new Promise<void>((resolve) => {
    const end = (code: number | null): void => {
      ended = code ?? FAILED_EXIT;
      resolve();
    };
    child.once('exit', end);
    child.once('error', () => end(null));
  });
  child.unref();
  await out.close();

  const deadline = performance.now() + timeoutMs;
  for (;;) {
    // Looked at before connecting: a start that lost against another one ends, and then the other one answers.
    const endedWith = ended as number | null;
    try {
      const hub = await connectToHub(places.socket, { client, version: PRODUCT_VERSION });
      // A start may fail after it shook hands; then its last words tell why, not the broken connection.
      await hub.request('hub/where', {});
      // Another start won. Ours must not wait in the wings: it would become the hub when that one is stopped meanwhile.
      if (hub.hello.pid !== child.pid && child.kill()) await Promise.race([exited, setTimeout(STEP_BACK_MS)]);
      return hub;
    } catch (error) {
      if (!HubError.is(error, 'not-running', 'timed-out', 'disconnected')) throw error;
    }
    if (endedWith !== null)
      throw await lastWords({ outPath, from: before, exitCode: endedWith, dataDir: places.dataDir });
    if (performance.now() >= deadline) {
      throw new HubError('timed-out', `the hub (pid ${child.pid}) does not answer after ${timeoutMs / 1000} s`, {
        unchanged: 'It was left running.',
        next: `See ${outPath} and ${places.logFile}, then claude-sync status.`,
      });
    }
    await setTimeout(POLL_MS);
  }
}

/**
 * What is meant for the process that starts a hub, and not for the hub: options of its Node, such as a debugger's, would stop or slow the new
 * one; and it belongs to no service because the editor or the shell does.
 */
const NOT_FOR_THE_HUB: ReadonlySet<string> = new Set(['NODE_OPTIONS', ...SERVICE_VARIABLES]);

function hubEnvironment(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_FOR_THE_HUB.has(name)));
}

/** @throws {HubError} `io` when the data folder cannot be made or written. */
async function openOutput(logs: string, outPath: string, dataDir: string): Promise<FileHandle> {
  try {
    await makeFolders(logs);
    return await open(outPath, 'a', 0o600);
  } catch (error) {
    throw startFailure(error, dataDir);
  }
}

async function lastWords(ended: {
  readonly outPath: string;
  readonly from: number;
  readonly exitCode: number;
  readonly dataDir: string;
}): Promise<HubError> {
  const { outPath, from, exitCode, dataDir } = ended;
  const file = await open(outPath, 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(from, size - LAST_WORDS_BYTES);
    const buffer = Buffer.alloc(Math.max(0, size - start));
    await file.read(buffer, 0, buffer.length, start);
    const words = buffer
      .toString('utf8')
      .trim()
      .replace(/^error: /, '');
    const code: HubErrorCode = exitCode === CONFIG_EXIT ? 'config' : 'internal';
    return new HubError(code, `the hub did not start: ${words === '' ? await silentEnd(exitCode, dataDir) : words}`, {
      unchanged: 'No hub is running.',
      next: `All it printed is in ${outPath}.`,
    });
  } finally {
    await file.close();
  }
}

/** Why a hub said nothing: its words go to the very disk that may be full. */
async function silentEnd(exitCode: number, dataDir: string): Promise<string> {
  const { bavail, bsize } = await statfs(dataDir);
  if (bavail * bsize >= NO_ROOM_BYTES) return `it ended with code ${exitCode}`;
  return `the disk of its data folder ${dataDir} is full. Make room there, then: claude-sync up`;
}
