import { stripVTControlCharacters } from 'node:util';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { execa } from 'execa';
import type { RelativePath } from '../../core/domain.ts';
import { delay } from '../ports/clock.ts';
import type { Clock } from '../ports/clock.ts';
import { ProgressReader } from './rsync-progress.ts';
import type { RsyncProgress } from './rsync-progress.ts';
import { parseRsyncVersion } from './rsync-version.ts';
import type { RsyncVersion } from './rsync-version.ts';
import { rsyncWords } from './rsync-words.ts';
import type { RsyncCommand } from './rsync-words.ts';

/** A transfer of many files between a folder here and one on a machine. */
export interface RsyncOptions extends RsyncCommand {
  /** Plain files below both folders; folders on the way are made. */
  readonly paths: Iterable<RelativePath>;
  readonly clock: Clock;
  /** Nothing moved for so long: it is ended. rsync's own `--timeout` does not end a pull whose other side hangs. Default: a minute. */
  readonly stallMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RsyncProgress) => void;
  /** Default: `rsync` of the PATH. */
  readonly program?: string;
}

/**
 * What became of a transfer. In every case some of the files may have arrived, each whole and under its name; what arrived of another
 * one is in the partial folder, and the next transfer goes on from there. `said` is the end of what rsync and ssh said, for the user.
 */
export type RsyncOutcome =
  | { readonly kind: 'done' }
  /** Some could not be read, or are gone. */
  | { readonly kind: 'partial'; readonly said: string }
  /** On the receiving side, or a quota there is used up. `said` may be empty. */
  | { readonly kind: 'disk-full'; readonly said: string }
  /** No connection could be made, the machine refused the key or changed its own, or the connection ended. */
  | { readonly kind: 'unreachable'; readonly said: string }
  /** Nothing moved for `stallMs`. */
  | { readonly kind: 'stalled'; readonly said: string }
  /** By `signal`. */
  | { readonly kind: 'aborted' }
  /** `code`: exit code of rsync, `null` when it could not be run or was killed by somebody else. */
  | { readonly kind: 'failed'; readonly code: number | null; readonly said: string };

const STALL_MS = 60_000;
/** An ssh that goes on after its rsync has so long to say the rest. */
const LAST_WORDS_MS = 3000;
/** rsync keeps what arrived when it is asked to end. */
const KILL_AFTER_MS = 3000;
const MOST_SAID = 8192;
/**
 * Runs a command that ends with this process, also when that is killed: an rsync that goes on alone fills folders that the next process is
 * clearing. It holds the other end of pipe 3, and the whole group goes when that closes. Asked to end, the shell leaves the word to rsync.
 */
const WITH_THE_HUB = [
  `trap : TERM`,
  `( read -r _ <&3; kill -9 0 ) >/dev/null 2>&1 & guard=$!`,
  `"$@" 3<&-; code=$?`,
  `kill -9 "$guard"; exit "$code"`,
].join('\n');
/** Socket, protocol stream, timeouts, and ssh's own failure. */
const CONNECTION_CODES = new Set([10, 12, 30, 35, 255]);
/** Reading or writing a file failed in a way that ends all of it. */
const WRITE_FAILED = 11;
/** Some files were not transferred; some vanished. */
const PARTIAL_CODES = new Set([23, 24]);

/**
 * Transfers files with the system's rsync and ssh. Resolves with what became of it; throws `RsyncRefused` before anything was run when
 * a setting cannot be handed on.
 */
export async function runRsync(options: RsyncOptions): Promise<RsyncOutcome> {
  const { clock, signal, stallMs = STALL_MS, onProgress } = options;
  const words = rsyncWords(options);
  if (signal?.aborted === true) return { kind: 'aborted' };
  const running = execa('/bin/sh', ['-c', WITH_THE_HUB, 'sh', options.program ?? 'rsync', ...words], {
    input: Readable.from(nulList(options.paths)),
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env: environment(),
    reject: false,
    buffer: false,
    stripFinalNewline: false,
    // A process group of its own, so that ssh goes with it: rsync does not end an ssh whose other side hangs.
    detached: true,
  });
  let ending: 'stalled' | 'aborted' | null = null;
  let stderr = '';
  let cancelStall = (): void => undefined;
  let cancelKill = (): void => undefined;

  const end = (why: 'stalled' | 'aborted'): void => {
    if (ending !== null) return;
    ending = why;
    signalGroup(running.pid, 'SIGTERM');
    cancelKill = clock.after(KILL_AFTER_MS, () => signalGroup(running.pid, 'SIGKILL'));
  };
  const moved = (): void => {
    cancelStall();
    if (ending === null) cancelStall = clock.after(stallMs, () => end('stalled'));
  };
  const onAbort = (): void => end('aborted');
  const progress = new ProgressReader();
  running.stdout.on('data', (chunk: Buffer) => {
    moved();
    const now = progress.push(chunk.toString('latin1'));
    if (now !== null && ending === null) onProgress?.(now);
  });
  running.stderr.on('data', (chunk: Buffer) => {
    moved();
    stderr = (stderr + chunk.toString('utf8')).slice(-MOST_SAID);
  });
  signal?.addEventListener('abort', onAbort, { once: true });
  const heardInTime = new AbortController();
  // A pipe that breaks says no more either.
  const heard = finished(running.stderr).catch(() => undefined);
  moved();
  try {
    const result = await running;
    // ssh hands on what the other side says, perhaps after rsync has ended: why a disk there is full, for one.
    await Promise.race([heard, delay(clock, LAST_WORDS_MS, heardInTime.signal)]);
    const said = fitToShow(stderr) || (result.exitCode === undefined ? fitToShow(result.shortMessage ?? '') : '');
    return outcomeOf({ ending, code: result.exitCode ?? null, said });
  } finally {
    heardInTime.abort();
    cancelStall();
    cancelKill();
    signal?.removeEventListener('abort', onAbort);
    // rsync may have ended before its ssh, which waits for a machine that hangs.
    if (ending !== null) signalGroup(running.pid, 'SIGKILL');
  }
}

/** The rsync of this computer, `null` when there is none that works. */
export async function rsyncVersion(program = 'rsync'): Promise<RsyncVersion | null> {
  const { exitCode, stdout } = await execa(program, ['--version'], {
    ...{ reject: false, timeout: 10_000, stdin: 'ignore', env: environment() },
    maxBuffer: 64 * 1024,
  });
  return exitCode === 0 ? parseRsyncVersion(stdout.split('\n').slice(0, 2).join(' ')) : null;
}

function outcomeOf(end: {
  readonly ending: 'stalled' | 'aborted' | null;
  readonly code: number | null;
  readonly said: string;
}): RsyncOutcome {
  const { ending, code, said } = end;
  // It may have been done just then.
  if (code === 0) return { kind: 'done' };
  if (ending === 'aborted') return { kind: 'aborted' };
  if (ending === 'stalled') return { kind: 'stalled', said };
  // The code is the same for other trouble with files; the words are those of the system, and in English (LC_ALL).
  if (/No space left on device|Disk quota exceeded/i.test(said)) return { kind: 'disk-full', said };
  // A push whose other side cannot write ends its own ssh, often before that has handed on why. It is hardly ever anything else.
  if (code === WRITE_FAILED && !/failed/.test(said)) return { kind: 'disk-full', said };
  if (code !== null && PARTIAL_CODES.has(code)) return { kind: 'partial', said };
  if (code !== null && CONNECTION_CODES.has(code)) return { kind: 'unreachable', said };
  return { kind: 'failed', code, said };
}

function* nulList(paths: Iterable<RelativePath>): Iterable<string> {
  let part = '';
  for (const path of paths) {
    // A comment, or an end, where the list is read.
    if (path === '' || path.includes('\0')) continue;
    part += `./${path}\0`;
    if (part.length > 64 * 1024) {
      yield part;
      part = '';
    }
  }
  yield part;
}

/** English, and none of the variables by which a user changes what rsync does. */
function environment(): Record<string, string | undefined> {
  const own = Object.keys(process.env).filter((name) => name.startsWith('RSYNC_'));
  return { ...Object.fromEntries(own.map((name) => [name, undefined])), LC_ALL: 'C' };
}

function signalGroup(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch (error) {
    // The whole group is gone.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The last lines, without what a terminal would obey. */
function fitToShow(text: string): string {
  return stripVTControlCharacters(text)
    .split(/[\r\n]+/)
    .map((line) => line.replaceAll(/\p{Cc}/gu, '').trim())
    .filter((line) => line !== '')
    .slice(-8)
    .join('\n')
    .slice(-1000);
}
