import { homedir, tmpdir } from 'node:os';
import type { Readable, Writable } from 'node:stream';

/** A stream that text is printed to. */
export type TextSink = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** Everything around the program that a command may look at or write to; tests bring their own. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly cwd: string;
  readonly home: string;
  readonly tmp: string;
  readonly platform: NodeJS.Platform;
  /** Number of the user, '' where there is none. */
  readonly uid: string;
  /** Wall clock, Unix ms. */
  now(): number;
  /** How this program is started again, as a process of its own. */
  readonly self: { readonly command: string; readonly args: readonly string[] };
}

/** The real ones. A reader that goes away (`| head`) ends the program quietly. */
export function processSurroundings(): Surroundings {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      // Words that find no room on a full disk (`logs/hub.out`) are lost; that must not end a hub that goes on.
      if (error.code === 'ENOSPC') return;
      throw error;
    });
  }
  return {
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    cwd: process.cwd(),
    home: homedir(),
    tmp: tmpdir(),
    platform: process.platform,
    uid: String(process.getuid?.() ?? ''),
    now: () => Date.now(),
    self: { command: process.execPath, args: process.argv.slice(1, 2) },
  };
}
