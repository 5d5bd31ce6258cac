import { isAtLeast } from './rsync-version.ts';
import type { RsyncVersion } from './rsync-version.ts';
import { quote, throughSh } from './shell-words.ts';

/** How the system's ssh reaches a machine. Files are absolute paths. */
export interface SshSettings {
  /** Name in the user's ssh configuration, or the host itself. */
  readonly host: string;
  readonly hostName?: string;
  readonly port?: number;
  readonly user?: string;
  /** When there are any, no other key is offered. */
  readonly identityFiles?: readonly string[];
  readonly knownHostsFiles?: readonly string[];
  /** Instead of the user's and the system's. */
  readonly configFile?: string;
  /** As `ssh -J` takes it. */
  readonly jump?: string;
  readonly connectTimeoutSeconds?: number;
}

/** What of a transfer becomes words of the rsync command. */
export interface RsyncCommand {
  readonly direction: 'pull' | 'push';
  readonly ssh: SshSettings;
  /** Absolute folders that the paths are below; both exist. */
  readonly localFolder: string;
  readonly remoteFolder: string;
  /** The rsync here. One before 3.1 knows no progress of the whole. */
  readonly localVersion: RsyncVersion;
  /** Absolute path of rsync there. */
  readonly remoteRsync: string;
  /** Folder for what arrived of a file that broke off, beside the file, or absolute on the receiving side. */
  readonly partialDir: string;
  readonly bytesPerSecond?: number;
  readonly compress?: boolean;
  /** For `compress`; rsync limits it to what its algorithm knows. Default: the algorithm's own. */
  readonly compressLevel?: number;
  /** No comparison with what is there: for files of which nothing is. */
  readonly wholeFile?: boolean;
}

/** A setting cannot become part of an rsync command. Nothing was run. */
export class RsyncRefused extends Error {
  constructor(what: string, value: string) {
    super(
      `${what} ${JSON.stringify(value.slice(0, 120))} cannot be handed to rsync and ssh; nothing was run. Change it`,
    );
    this.name = 'RsyncRefused';
  }
}

/**
 * The words after `rsync`. Contents and times of plain files travel, and the mode of a new one as far as the umask lets it (077 there).
 * Owner, group, devices, links, modes of existing files and times of folders do not; nothing is ever deleted or written in place.
 *
 * The other side may be the rsync 2.6.9 or the openrsync that macOS ships. So what is sent there are options of that age, without
 * `--protect-args` and `--ignore-missing-args` (a file that is not there makes the outcome `partial`), and no path: the command goes to
 * its folder by itself, and the names travel in the list.
 *
 * A pull does not have rsync 3.2.5 and later compare what comes with the list: names that reach that list in the middle of a read are refused by
 * chance (RsyncProject/rsync#611). It goes into a folder of its own, from which only what was asked for is taken.
 * @throws {RsyncRefused}
 */
export function rsyncWords(command: RsyncCommand): string[] {
  const { direction, ssh, localFolder, remoteFolder, localVersion, remoteRsync, partialDir } = command;
  const isModern = isAtLeast(localVersion, 3, 1);
  if (!localFolder.startsWith('/')) throw new RsyncRefused('the folder', localFolder);
  // A push sends it through the shell there.
  if (direction === 'push' && !/^[\w./-]+$/.test(partialDir)) throw new RsyncRefused('the partial folder', partialDir);
  const host = plain('the host', ssh.host);
  const remote = `${host.includes(':') ? `[${host}]` : host}:./`;
  const local = localFolder.endsWith('/') ? localFolder : `${localFolder}/`;
  const script = [
    // What printf made of the script is the first word.
    `shift; umask 077; LC_ALL=C; export LC_ALL; cd ${quote(remoteFolder)} || exit 3;`,
    `exec ${quote(remoteRsync)} "$@"`,
  ].join(' ');
  return [
    ...['-t', '-O', '--files-from=-', '--from0', `--partial-dir=${partialDir}`],
    ...(isModern ? ['--info=progress2', '--outbuf=L', '--no-h'] : ['--progress']),
    ...(command.bytesPerSecond === undefined
      ? []
      : [`--bwlimit=${Math.max(1, Math.round(command.bytesPerSecond / 1024))}`]),
    ...(command.compress === true ? ['-z'] : []),
    ...(command.compress === true && command.compressLevel !== undefined ? [`--zl=${command.compressLevel}`] : []),
    ...(command.wholeFile === true ? ['-W'] : []),
    ...(direction === 'pull' && isAtLeast(localVersion, 3, 2, 5) ? ['--trust-sender'] : []),
    `--rsync-path=${throughSh(script)}`,
    ...['-e', sshWords(ssh).map(forRsync).join(' ')],
    '--',
    ...(direction === 'pull' ? [remote, local] : [local, remote]),
  ];
}

/** ssh with everything that could ask, linger or lead elsewhere turned off. */
function sshWords(ssh: SshSettings): string[] {
  const { hostName, port, user, identityFiles = [], knownHostsFiles = [], configFile, jump } = ssh;
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    'ServerAliveInterval=5',
    'ServerAliveCountMax=3',
    `ConnectTimeout=${ssh.connectTimeoutSeconds ?? 15}`,
    // A connection that others could use would outlive this one, and hold its output open.
    'ControlMaster=no',
    'ClearAllForwardings=yes',
    'ForwardAgent=no',
    'PermitLocalCommand=no',
    'RemoteCommand=none',
    ...(hostName === undefined ? [] : [`HostName=${plain('the host name', hostName)}`]),
    ...(identityFiles.length === 0 ? [] : ['IdentitiesOnly=yes']),
    // Not `-i`, which looks for the file before it expands what is in its name.
    ...identityFiles.map((path) => `IdentityFile=${forSshOption(path)}`),
    ...(knownHostsFiles.length === 0 ? [] : [`UserKnownHostsFile=${knownHostsFiles.map(forSshOption).join(' ')}`]),
  ];
  return [
    ...['ssh', '-T'],
    ...(configFile === undefined ? [] : ['-F', file(configFile)]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(user === undefined ? [] : ['-l', plain('the user', user)]),
    ...(jump === undefined ? [] : ['-J', plain('the jump host', jump)]),
    ...options.flatMap((option) => ['-o', option]),
  ];
}

/** A word that must not be taken for an option, and holds nothing that ends one. */
function plain(what: string, word: string): string {
  if (word === '' || word.startsWith('-') || /[\s\p{Cc}'"/;&|<>$`(){}]/u.test(word)) throw new RsyncRefused(what, word);
  return word;
}

function file(path: string): string {
  if (!path.startsWith('/') || /\p{Cc}/u.test(path)) throw new RsyncRefused('the file', path);
  return path;
}

/** In options ssh separates by spaces, knows double quotes, and expands `%`. */
function forSshOption(path: string): string {
  if (file(path).includes('"') || path.includes('\\')) throw new RsyncRefused('the file', path);
  return `"${path.replaceAll('%', '%%')}"`;
}

/** rsync cuts the command itself: quotes hold a word together, a doubled one is itself, and nothing else is special. */
function forRsync(word: string): string {
  return `'${word.replaceAll("'", "''")}'`;
}
