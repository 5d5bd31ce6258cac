import { readFile } from 'node:fs/promises';
import type { UnixMs } from '../../core/domain.ts';
import type { Clock } from '../ports/clock.ts';
import { FileSystemError } from '../ports/file-system.ts';
import type { FileSystem } from '../ports/file-system.ts';
import { startTicksOf } from './proc-stat.ts';

/** Tells which sessions a running CLI has open on a machine. */
export interface LivenessProbe {
  /**
   * Session ids. Rejects with `FileSystemError` when the machine cannot say.
   * @param clockOffsetMs machine clock minus hub clock: the times in session files are the machine's.
   */
  liveSessions(clockOffsetMs: number): Promise<ReadonlySet<string>>;
}

/** The processes of the machine, where they can be seen. */
export interface ProcessTable {
  /** Start time of a running process in the words of the system (Linux: clock ticks since boot), `null` when there is none. */
  startOf(pid: number): Promise<string | null>;
}

/** How long a session counts as live after its last sign of life where its process cannot be checked. */
export const LIVE_WITHOUT_PROOF_MS: UnixMs = 10 * 60_000;

const MAX_SESSION_FILE_BYTES = 64 * 1024;

/**
 * Reads `sessions/<pid>.json`. Such a file outlives a CLI that crashed, and its pid may belong to another process by now;
 * so with `processes` a session is live when its process runs and started when the file says. Without `processes`, or
 * where the file records no start, the pid proves little and the time of the last update decides
 * (docs/sync.md section 6).
 */
export function createLivenessProbe(options: {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly processes: ProcessTable | null;
}): LivenessProbe {
  const { fs, clock, processes } = options;

  async function isLive(session: SessionFile | HalfWritten, now: UnixMs): Promise<boolean> {
    if (session.proof === 'half-written') return true;
    if (processes !== null) {
      const start = await processes.startOf(session.pid);
      if (start === null) return false;
      if (session.procStart !== null) return start === session.procStart;
    }
    return session.updatedAt !== null && Math.abs(now - session.updatedAt) <= LIVE_WITHOUT_PROOF_MS;
  }

  return {
    async liveSessions(clockOffsetMs) {
      const now = clock.now() + clockOffsetMs;
      const live = new Set<string>();
      for (const name of await sessionFiles(fs)) {
        const session = parseSessionFile(await readSmall(fs, `sessions/${name}`));
        if (session !== null && (await isLive(session, now))) live.add(session.sessionId);
      }
      return live;
    },
  };
}

/** The processes of this Linux machine, from `/proc`. */
export function linuxProcesses(procFolder = '/proc'): ProcessTable {
  return {
    async startOf(pid) {
      let line: string;
      try {
        line = await readFile(`${procFolder}/${pid}/stat`, 'latin1');
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code === 'ENOENT' || code === 'ESRCH') return null;
        throw error;
      }
      return startTicksOf(line);
    },
  };
}

interface HalfWritten {
  readonly proof: 'half-written';
  readonly sessionId: string;
}

interface SessionFile {
  readonly proof: 'process';
  readonly pid: number;
  readonly procStart: string | null;
  readonly sessionId: string;
  readonly updatedAt: UnixMs | null;
}

async function sessionFiles(fs: FileSystem): Promise<string[]> {
  try {
    const entries = await fs.list('sessions');
    return entries
      .filter((e) => e.type === 'file' && /^\d+\.json$/.test(e.name) && e.size <= MAX_SESSION_FILE_BYTES)
      .map((e) => e.name);
  } catch (error) {
    if (FileSystemError.is(error, 'missing')) return [];
    throw error;
  }
}

/** The bytes of a small file; empty when it is gone by now, which is how a session ends. */
async function readSmall(fs: FileSystem, path: string): Promise<string> {
  try {
    const file = await fs.open(path, 'read');
    try {
      return (await file.read(0, MAX_SESSION_FILE_BYTES)).toString('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (FileSystemError.is(error, 'missing')) return '';
    throw error;
  }
}

/** Lenient: the format is Claude's and changes. What names no session names nothing that could be protected. */
function parseSessionFile(text: string): SessionFile | HalfWritten | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // Caught while the CLI was writing it. Taking a live session for a quiet one costs more than the reverse.
    const sessionId = /"sessionId"\s*:\s*"([^"]+)"/.exec(text)?.[1];
    return sessionId === undefined ? null : { proof: 'half-written', sessionId };
  }
  if (typeof value !== 'object' || value === null) return null;
  const { pid, procStart, sessionId, updatedAt } = value as Record<string, unknown>;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0 || typeof sessionId !== 'string') return null;
  return {
    proof: 'process',
    pid,
    procStart: typeof procStart === 'string' || typeof procStart === 'number' ? String(procStart) : null,
    sessionId,
    updatedAt: toUnixMs(updatedAt),
  };
}

function toUnixMs(value: unknown): UnixMs | null {
  const ms = typeof value === 'string' ? Date.parse(value) : value;
  return typeof ms === 'number' && Number.isFinite(ms) ? ms : null;
}
