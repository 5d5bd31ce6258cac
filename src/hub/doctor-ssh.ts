import type { Finding } from '../protocol/doctor.ts';
import type { SshMachineConfig } from './config/schema.ts';
import { CLOCK_OFF_MS } from '../core/alerts/clock-off.ts';
import { clockFix, lackedExtensions, rsyncAdvice, watcherAdvice } from './probe/advice.ts';
import { filesOf, remoteWatchLimit } from './probe/remote-facts.ts';
import { SshFailure } from './ssh/failures.ts';
import { rsyncVersion } from './ssh/rsync.ts';
import type { SshReplica } from './ssh/ssh-replica.ts';

/** Fewer watches than folders, and changes in the rest are found by polling only. */
const WANTED_WATCHES = 65_536;

/** What keeps a machine over SSH from being reached; `null` when nothing is known of that. */
export function sshFailureOf(replica: SshReplica): SshFailure | null {
  const { failure } = replica;
  return failure instanceof SshFailure ? failure : null;
}

/**
 * What helps to sync a machine over SSH and is there or not. Uses the connection of the hub.
 * @param clockOffsetMs as the hub measured it last.
 * @throws {FileSystemError} {SshFailure} the connection ended meanwhile.
 */
export async function sshFindings(
  machine: string,
  replica: SshReplica,
  config: SshMachineConfig,
  clockOffsetMs: number,
): Promise<Finding[]> {
  const { session } = replica;
  if (session === null) return [];
  const { facts, probe, channel } = session;
  const ok = (check: string, message: string): Finding => ({ check, severity: 'ok', machine, message, fix: null });
  const warning = (check: string, message: string, fix: string): Finding => ({
    check,
    severity: 'warning',
    machine,
    message,
    fix,
  });
  const findings: Finding[] = [];

  const watcher = watcherAdvice(facts.os, probe, config.watch);
  findings.push(
    watcher.fix === null
      ? ok('watcher', `changes there are noticed by ${watcher.kind}`)
      : warning(
          'watcher',
          'nothing there can watch folders: they are polled, and a change is seen within 10 s',
          `Install a watcher there: ${watcher.fix}`,
        ),
  );

  if (config.rsync === 'never') findings.push(ok('rsync', 'not used (rsync: never): everything goes over SFTP'));
  else {
    const rsync = rsyncAdvice(facts.os, probe, await rsyncVersion());
    findings.push(
      rsync.fix === null
        ? ok(
            'rsync',
            rsync.there === null ? 'none: everything goes over SFTP' : `there ${rsync.there}, here ${rsync.here}`,
          )
        : warning('rsync', 'first syncs and large files go over SFTP, which takes longer', rsync.fix),
    );
  }

  const seconds = Math.round(clockOffsetMs / 1000);
  findings.push(
    Math.abs(clockOffsetMs) <= CLOCK_OFF_MS
      ? ok('clock', 'its clock is right')
      : warning(
          'clock',
          `its clock is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} the hub's; times are converted, and what the clock of Claude Code there says is off`,
          clockFix(facts.os),
        ),
  );

  const lacks = lackedExtensions(channel);
  if (lacks.length === 0) findings.push(ok('sftp', 'its SFTP server can do everything that is needed'));
  for (const { extension, means } of lacks)
    findings.push(
      warning(
        'sftp',
        `its SFTP server lacks ${extension}: ${means}`,
        'Install a newer OpenSSH server there; syncing works all the same.',
      ),
    );

  // Only a watcher needs watches.
  const limit = facts.os === 'linux' && watcher.kind !== 'poll' ? await remoteWatchLimit(filesOf(session, '/')) : null;
  if (limit !== null)
    findings.push(
      limit >= WANTED_WATCHES
        ? ok('watch-limit', `${limit} file watches`)
        : warning(
            'watch-limit',
            `its system allows ${limit} file watches; large trees need more`,
            `There: echo fs.inotify.max_user_watches=${WANTED_WATCHES} | sudo tee /etc/sysctl.d/60-claude-sync.conf && sudo sysctl --system`,
          ),
    );
  return findings;
}
