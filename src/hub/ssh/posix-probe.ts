import { SshFailure } from './failures.ts';
import { RemoteCommandFailure } from './remote-commands.ts';
import type { RemoteCommands } from './remote-commands.ts';
import { parseRsyncVersion } from './rsync-version.ts';
import type { RsyncVersion } from './rsync-version.ts';

/** What a POSIX machine is and which of the tools that help are there, each by its absolute path. */
export interface PosixMachine {
  readonly system: 'linux' | 'darwin' | 'other';
  /** As `uname -m` says: `x86_64`, `arm64`, ... */
  readonly architecture: string;
  /** `$HOME`; '' when it is not set or not absolute. */
  readonly home: string;
  /** `hasNul`: it can end records with NUL (3.20 and later), which a name cannot hold. */
  readonly inotifywait: { readonly path: string; readonly hasNul: boolean } | null;
  readonly fswatch: string | null;
  /** `version` is `null` when it does not say. */
  readonly rsync: { readonly path: string; readonly version: RsyncVersion | null } | null;
  readonly sha256: Sha256Tool | null;
}

/** A program that hashes files. */
export interface Sha256Tool {
  readonly path: string;
  readonly kind: 'sha256sum' | 'shasum';
}

const MOST_BYTES = 64 * 1024;
const WITHIN_MS = 20_000;
/** A command over SSH gets a bare PATH on macOS. What the user installed comes first: the rsync of macOS is from 2006. */
const PLACES = '/opt/homebrew/bin:/usr/local/bin:/opt/local/bin:$HOME/.local/bin:$HOME/bin';
const TOOLS = ['inotifywait', 'fswatch', 'rsync', 'sha256sum', 'shasum'] as const;

/** Only what /bin/sh has built in, and uname: the rest may be missing. Two lines of a version are enough. */
const SCRIPT = [
  `PATH="${PLACES}:$PATH"`,
  `u=uname; for p in /usr/bin/uname /bin/uname; do if [ -x "$p" ]; then u=$p; fi; done`,
  `printf 'system=%s\\0machine=%s\\0home=%s\\0' "$("$u" -s)" "$("$u" -m)" "$HOME"`,
  `for t in ${TOOLS.join(' ')}; do if p=$(command -v "$t"); then printf 'tool=%s=%s\\0' "$t" "$p"; fi; done`,
  `if p=$(command -v rsync); then`,
  `  printf 'version=%s\\0' "$("$p" --version 2>/dev/null </dev/null | { IFS= read -r a; IFS= read -r b; printf '%s %s' "$a" "$b"; })"; fi`,
  `if p=$(command -v inotifywait); then case "$("$p" --help 2>&1 </dev/null)" in *--no-newline*) printf 'nul=yes\\0' ;; esac; fi`,
  `printf 'end=yes\\0'; exit 0`,
].join('\n');

/**
 * Asks a machine what it is, with one command. `null` when it has no POSIX shell for this account (file transfer only, Windows).
 * Rejects as `RemoteCommands.run` does when it cannot be asked.
 */
export async function probePosix(commands: RemoteCommands): Promise<PosixMachine | null> {
  try {
    const { stdout } = await commands.run(SCRIPT, { maxBytes: MOST_BYTES, timeoutMs: WITHIN_MS });
    return parseProbe(stdout.toString('utf8'));
  } catch (error) {
    // A server for files says it in one of these ways: it runs something else, refuses, or ends the channel without a word. Where it is the
    // connection that ended, the next request says so.
    if (error instanceof RemoteCommandFailure && (error.code === 'no-shell' || error.code === 'cut')) return null;
    if (SshFailure.is(error, 'no-exec')) return null;
    throw error;
  }
}

/** Reads the answer. Lenient: what it does not know is left out; an answer that breaks off is none. */
export function parseProbe(text: string): PosixMachine | null {
  const facts = new Map<string, string>();
  const tools = new Map<string, string>();
  for (const record of text.split('\0')) {
    const [, name, value] = /^([a-z]+)=([^]*)$/.exec(record) ?? [];
    if (name === undefined || value === undefined) continue;
    const [, tool, path] = /^([a-z0-9]+)=(\/[^\p{Cc}]*)$/u.exec(value) ?? [];
    // An alias or a function is no path.
    if (name === 'tool' && tool !== undefined && path !== undefined) tools.set(tool, path);
    else facts.set(name, value);
  }
  const system = facts.get('system')?.toLowerCase();
  if (system === undefined || system === '' || !facts.has('end')) return null;
  const home = facts.get('home') ?? '';
  const inotifywait = tools.get('inotifywait');
  const rsync = tools.get('rsync');
  const hashing = (['sha256sum', 'shasum'] as const).find((kind) => tools.has(kind));
  return {
    system: system === 'linux' || system === 'darwin' ? system : 'other',
    architecture: facts.get('machine') ?? '',
    home: home.startsWith('/') ? home : '',
    inotifywait: inotifywait === undefined ? null : { path: inotifywait, hasNul: facts.has('nul') },
    fswatch: tools.get('fswatch') ?? null,
    rsync: rsync === undefined ? null : { path: rsync, version: parseRsyncVersion(facts.get('version') ?? '') },
    sha256: hashing === undefined ? null : { path: tools.get(hashing) ?? '', kind: hashing },
  };
}
