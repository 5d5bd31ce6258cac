import type { MachineOs } from '../../core/domain.ts';
import type { RsyncVersion } from '../ssh/rsync-version.ts';
import type { PosixMachine } from '../ssh/posix-probe.ts';

/** How changes on a machine are noticed, and what would be faster. */
export interface WatcherAdvice {
  readonly kind: 'inotifywait' | 'fswatch' | 'poll';
  /** What to install; `null` when there is nothing to do. */
  readonly fix: string | null;
}

/** What is installed where the fast watcher of a system is missing. */
const INSTALL_WATCHER: Readonly<Record<MachineOs, string | null>> = {
  linux: 'sudo apt-get install inotify-tools (or the package of that name of your distribution)',
  macos: 'brew install fswatch',
  // SFTP is all that is counted on there.
  windows: null,
};

/** What there is to watch with. `mode`: what the configuration wants. */
export function watcherAdvice(
  os: MachineOs,
  probe: PosixMachine | null,
  mode: 'auto' | 'inotifywait' | 'fswatch' | 'poll',
): WatcherAdvice {
  if (mode === 'poll') return { kind: 'poll', fix: null };
  const usual = os === 'macos' ? (['fswatch', 'inotifywait'] as const) : (['inotifywait', 'fswatch'] as const);
  const kind = (mode === 'auto' ? usual : [mode]).find((tool) => probe !== null && probe[tool] !== null);
  if (kind !== undefined) return { kind, fix: null };
  // Without a shell nothing that is installed could be run.
  if (probe === null) return { kind: 'poll', fix: null };
  return {
    kind: 'poll',
    fix: mode === 'auto' ? INSTALL_WATCHER[os] : INSTALL_WATCHER[mode === 'fswatch' ? 'macos' : 'linux'],
  };
}

/** rsync on both sides. */
export interface RsyncAdvice {
  /** For the user; `null` where there is none. */
  readonly there: string | null;
  readonly here: string | null;
  readonly fix: string | null;
}

/** Whether rsync can help with many or large files, and what to install where it is missing. Without it everything goes over SFTP. */
export function rsyncAdvice(os: MachineOs, probe: PosixMachine | null, here: RsyncVersion | null): RsyncAdvice {
  const found = probe?.rsync ?? null;
  const version = found?.version ?? null;
  const there = found === null ? null : version === null ? 'rsync of an unknown version' : rsyncName(version);
  const fixThere = os === 'macos' ? 'brew install rsync' : 'sudo apt-get install rsync';
  const fixHere = here === null ? 'install rsync on the hub: sudo apt-get install rsync' : null;
  // No shell, no rsync: nothing that could be installed changes that.
  const fix = probe === null ? null : found === null ? `install rsync there: ${fixThere}` : fixHere;
  return { there, here: here === null ? null : rsyncName(here), fix };
}

function rsyncName({ implementation, major, minor }: RsyncVersion): string {
  return `${implementation} ${major}.${minor}`;
}

/** Extensions of SFTP that matter, and what their absence means. OpenSSH has had all of them since 2013. */
const EXTENSIONS: readonly (readonly [name: string, means: string])[] = [
  ['posix-rename@openssh.com', 'a file is replaced in two steps, with the old one put aside for a moment'],
  ['hardlink@openssh.com', 'a new file is put into place by a rename, which on some servers may meet another new one'],
  [
    'fsync@openssh.com',
    'what was written there survives a power failure only after the system has written it by itself',
  ],
  ['statvfs@openssh.com', 'free space there cannot be told, and a full disk is noticed by the failing write only'],
];

/** What a server lacks of the extensions that are used. */
export function lackedExtensions(channel: { hasExtension(name: string): boolean }): {
  extension: string;
  means: string;
}[] {
  return EXTENSIONS.filter(([name]) => !channel.hasExtension(name)).map(([extension, means]) => ({ extension, means }));
}

/** How a clock is put right. */
export function clockFix(os: MachineOs): string {
  if (os === 'linux') return 'Let it follow the time of the network: sudo timedatectl set-ntp true';
  if (os === 'macos') return 'Let it follow the time of the network: sudo sntp -sS time.apple.com';
  return 'Let it follow the time of the network: w32tm /resync';
}
