import { readFile, stat } from 'node:fs/promises';
import type { Finding } from '../protocol/doctor.ts';
import type { MachineLink } from './engine/machines/link.ts';
import { lastComparison } from './engine/upkeep/comparison.ts';
import { lastRetention } from './engine/upkeep/retention.ts';
import type { Hub } from './hub.ts';
import { sshFailureOf, sshFindings } from './doctor-ssh.ts';
import type { Clock } from './ports/clock.ts';
import { CLEAN_UP_DAYS_WANTED, cleanUpAge, SETTINGS_FILE } from './probe/clean-up-age.ts';
import { SshReplica } from './ssh/ssh-replica.ts';
import { noticeFix } from './notice-fix.ts';
import { OTHER_HUB_NEXT } from './alerts/facts.ts';

const WANTED_WATCHES = 65_536;
const LOW_DISK_SHARE = 0.1;
/** Longest time for one check of a machine. */
const CHECK_MS = 10_000;

/**
 * Checks every prerequisite on the hub and on each machine; each finding that is not `ok` names its fix. A machine that does not answer
 * is a finding of its own and hides none of the others.
 */
export async function examine(hub: Hub, dataDir: string, clock: Clock): Promise<Finding[]> {
  const links = [...hub.engine.links.values()];
  // All at once: one that does not answer keeps nobody waiting.
  const machines = links.map((link) => machineFindings(hub, link, clock));
  return [...(await hubFindings(hub, dataDir)), ...(await Promise.all(machines)).flat()];
}

async function hubFindings(hub: Hub, dataDir: string): Promise<Finding[]> {
  const findings: Finding[] = [ok('node-version', null, `Node ${process.versions.node}`)];
  const mode = (await stat(dataDir)).mode & 0o077;
  findings.push(
    mode === 0
      ? ok('data-folder', null, `only you can read ${dataDir}`)
      : {
          check: 'data-folder',
          severity: 'problem',
          machine: null,
          message: `others can read ${dataDir}, which holds your conversations`,
          fix: `chmod 700 ${dataDir}`,
        },
  );
  findings.push(disk(null, 'the hub', await hub.archive.space()));
  if (hub.configFile !== null) {
    const problem = hub.configProblem;
    findings.push(
      problem === null
        ? ok('configuration', null, `${hub.configFile} is good`)
        : {
            check: 'configuration',
            severity: 'problem',
            machine: null,
            message: problem.message,
            fix: `Correct ${hub.configFile}; the last good one stays in force until then.`,
          },
    );
  }
  findings.push(versions(hub), ...contents(hub));
  const watches = await watchLimit();
  if (watches !== null) {
    findings.push(
      watches >= WANTED_WATCHES
        ? ok('watch-limit', null, `${watches} file watches`)
        : {
            check: 'watch-limit',
            severity: 'warning',
            machine: null,
            message: `the system allows ${watches} file watches; large trees need more`,
            fix: `echo fs.inotify.max_user_watches=${WANTED_WATCHES} | sudo tee /etc/sysctl.d/60-claude-sync.conf && sudo sysctl --system`,
          },
    );
  }
  if (hub.config.machines && Object.keys(hub.config.machines).length === 1) {
    findings.push({
      check: 'machines',
      severity: 'warning',
      machine: null,
      message: 'there is only one machine: it is archived and protected, but synced with nobody',
      fix: 'claude-sync machines add NAME [user@]host',
    });
  }
  return findings;
}

async function machineFindings(hub: Hub, link: MachineLink, clock: Clock): Promise<Finding[]> {
  const machine = link.name;
  const { status, reason } = link.status;
  const findings: Finding[] = [];
  if (status === 'online')
    findings.push(ok('reachable', machine, `${link.replica.claudeDir}, watched by ${link.replica.watcher}`));
  else {
    const isStopped = status === 'paused' || status === 'quarantined';
    const why = !isStopped && link.replica instanceof SshReplica ? sshFailureOf(link.replica) : null;
    findings.push({
      check: 'reachable',
      severity: status === 'paused' ? 'warning' : 'problem',
      machine,
      message: `${status}: ${why?.reason ?? reason ?? 'no reason known'}`,
      fix: link.otherHub
        ? OTHER_HUB_NEXT
        : isStopped
          ? `claude-sync machines resume ${machine}`
          : (why?.next ?? 'Check that its Claude folder exists and can be read; the hub tries again by itself.'),
    });
  }
  if (link.connected) {
    const config = hub.config.machines[machine];
    const { replica } = link;
    const checks: (() => Promise<Finding[]>)[] = [
      async () => [disk(machine, machine, await replica.space())],
      async () => [await retention(link)],
      ...(replica instanceof SshReplica && config?.transport === 'ssh'
        ? [() => sshFindings(machine, replica, config, link.clockOffsetMs)]
        : []),
    ];
    findings.push(...(await Promise.all(checks.map((check) => inTime(machine, check, clock)))).flat());
  }
  for (const [path, why] of link.notices) {
    findings.push({
      check: 'not-carried',
      severity: 'warning',
      machine,
      message: `${path}: ${why}`,
      fix: noticeFix(why),
    });
  }
  return findings;
}

/** What a check found, or that it found nothing in time. */
async function inTime(machine: string, check: () => Promise<Finding[]>, clock: Clock): Promise<Finding[]> {
  let cancel = (): void => undefined;
  const late = new Promise<Finding[]>((resolve) => {
    cancel = clock.after(CHECK_MS, () => resolve([unanswered(machine, `nothing came within ${CHECK_MS / 1000} s`)]));
  });
  try {
    return await Promise.race([check(), late]);
  } catch (error) {
    return [unanswered(machine, error instanceof Error ? error.message : String(error))];
  } finally {
    cancel();
  }
}

function unanswered(machine: string, why: string): Finding {
  return {
    check: 'answers',
    severity: 'problem',
    machine,
    message: `it was asked and did not answer: ${why}`,
    fix: `claude-sync machines test ${machine}`,
  };
}

/** Claude deletes old sessions at its start: the hub keeps them, but the machine loses them. */
async function retention(link: MachineLink): Promise<Finding> {
  const chunks: Buffer[] = [];
  const look = await link.replica.look(SETTINGS_FILE);
  if (look.kind === 'file' && look.stat.size < 1024 * 1024) {
    for await (const chunk of link.replica.read(SETTINGS_FILE, 0, look.stat.size)) chunks.push(chunk);
  }
  const { days, problem } = cleanUpAge(chunks.length === 0 ? null : Buffer.concat(chunks).toString('utf8'));
  if (problem !== null) {
    return {
      check: 'clean-up',
      severity: 'warning',
      machine: link.name,
      message: problem,
      fix: 'Mend it; Claude Code ignores it as it is.',
    };
  }
  if (days >= CLEAN_UP_DAYS_WANTED) return ok('clean-up', link.name, `Claude Code keeps sessions for ${days} days`);
  return {
    check: 'clean-up',
    severity: 'warning',
    machine: link.name,
    message: `Claude Code there deletes sessions after ${days} days; the hub keeps them all the same`,
    fix: `Set "cleanupPeriodDays": ${CLEAN_UP_DAYS_WANTED} in settings.json there to have them on the machine for longer.`,
  };
}

/** How much is kept, and what the last retention did. */
function versions(hub: Hub): Finding {
  const { keepDays, maxBytes } = hub.config.versions;
  const last = lastRetention(hub.store);
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  const removed = last === null ? 'nothing was removed yet' : `the last clean-up removed ${last.expired + last.forced}`;
  const message = `earlier versions take ${megabytes(hub.store.versions.totalBytes())} uncompressed, limit ${megabytes(maxBytes)}, kept for ${keepDays} days; ${removed}`;
  if (last === null || (last.forced === 0 && !last.stillOver)) return ok('versions', null, message);
  return {
    check: 'versions',
    severity: 'warning',
    machine: null,
    message: last.forced > 0 ? `${message}, ${last.forced} of them younger than that` : message,
    fix: 'Raise versions.maxBytes in the configuration, or lower versions.keepDays.',
  };
}

/** What the last comparison of all contents found. */
function contents(hub: Hub): Finding[] {
  const damaged: Finding[] = hub.engine.damage.values().map(({ key, what }) => ({
    check: 'contents',
    severity: 'problem',
    machine: null,
    message: `the hub's own file of ${key} is damaged: ${what}`,
    fix: 'Check the disk of the hub, and bring a machine online that has it; the next comparison mends it from there.',
  }));
  const last = lastComparison(hub.store);
  if (last === null)
    return [
      ...damaged,
      ok('contents', null, 'all contents are compared some minutes after a start, then every 6 hours'),
    ];
  const told = `${last.heads} files of the hub and ${last.copies} copies were compared at ${new Date(last.endedAt).toISOString()}`;
  const silent = last.silent > 0 ? `, ${last.silent} copies had changed without a sign` : '';
  const healed = last.healed > 0 ? `, ${last.healed} files of the hub were damaged and mended` : '';
  const finding = ok('contents', null, `${told}${silent}${healed}`);
  return [...damaged, healed === '' ? finding : { ...finding, severity: 'warning', fix: 'Check the disk of the hub.' }];
}

function disk(machine: string | null, where: string, space: { freeBytes: number; totalBytes: number } | null): Finding {
  if (space === null) return ok('disk', machine, 'free space cannot be told');
  const gigabytes = (space.freeBytes / 1e9).toFixed(1);
  if (space.freeBytes >= space.totalBytes * LOW_DISK_SHARE) return ok('disk', machine, `${gigabytes} GB free`);
  return {
    check: 'disk',
    severity: 'warning',
    machine,
    message: `only ${gigabytes} GB free on the disk of ${where}`,
    fix: 'Make room; nothing is lost while it is full, but syncing stops.',
  };
}

function ok(check: string, machine: string | null, message: string): Finding {
  return { check, severity: 'ok', machine, message, fix: null };
}

async function watchLimit(): Promise<number | null> {
  try {
    return Number((await readFile('/proc/sys/fs/inotify/max_user_watches', 'utf8')).trim());
  } catch (error) {
    // No such file: not Linux, and no such limit.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
