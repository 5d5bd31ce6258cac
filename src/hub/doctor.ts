import { readFile, stat } from 'node:fs/promises';
import type { Finding } from '../protocol/doctor.ts';
import type { MachineLink } from './engine/machines/link.ts';
import { lastComparison } from './engine/upkeep/comparison.ts';
import { lastRetention } from './engine/upkeep/retention.ts';
import type { Hub } from './hub.ts';
import { noticeFix } from './notice-fix.ts';
import { OTHER_HUB_NEXT } from './reports.ts';

const WANTED_WATCHES = 65_536;
const LOW_DISK_SHARE = 0.1;
const CLEANUP_DAYS_DEFAULT = 30;
const CLEANUP_DAYS_WANTED = 365;

/** Checks every prerequisite on the hub and on each machine; each finding that is not `ok` names its fix. */
export async function examine(hub: Hub, dataDir: string): Promise<Finding[]> {
  const findings = [...(await hubFindings(hub, dataDir))];
  for (const link of hub.engine.links.values()) findings.push(...(await machineFindings(link)));
  return findings;
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
      fix: 'Add another machine to the configuration.',
    });
  }
  return findings;
}

async function machineFindings(link: MachineLink): Promise<Finding[]> {
  const machine = link.name;
  const { status, reason } = link.status;
  const findings: Finding[] = [];
  if (status === 'online')
    findings.push(ok('reachable', machine, `${link.replica.claudeDir}, watched by ${link.replica.watcher}`));
  else {
    findings.push({
      check: 'reachable',
      severity: status === 'paused' ? 'warning' : 'problem',
      machine,
      message: `${status}: ${reason ?? 'no reason known'}`,
      fix: link.otherHub
        ? OTHER_HUB_NEXT
        : status === 'paused' || status === 'quarantined'
          ? `claude-sync machines resume ${machine}`
          : 'Check that its Claude folder exists and can be read; the hub tries again by itself.',
    });
  }
  if (link.connected) {
    findings.push(disk(machine, machine, await link.replica.space()));
    findings.push(await retention(link));
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

/** Claude deletes old sessions at its start: the hub keeps them, but the machine loses them. */
async function retention(link: MachineLink): Promise<Finding> {
  let days = CLEANUP_DAYS_DEFAULT;
  const chunks: Buffer[] = [];
  const look = await link.replica.look('settings.json');
  if (look.kind === 'file' && look.stat.size < 1024 * 1024) {
    for await (const chunk of link.replica.read('settings.json', 0, look.stat.size)) chunks.push(chunk);
    try {
      const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      if (
        typeof value === 'object' &&
        value !== null &&
        'cleanupPeriodDays' in value &&
        typeof value.cleanupPeriodDays === 'number'
      )
        days = value.cleanupPeriodDays;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return {
        check: 'clean-up',
        severity: 'warning',
        machine: link.name,
        message: 'settings.json cannot be read as JSON',
        fix: 'Mend it; Claude Code ignores it as it is.',
      };
    }
  }
  if (days >= CLEANUP_DAYS_WANTED) return ok('clean-up', link.name, `Claude Code keeps sessions for ${days} days`);
  return {
    check: 'clean-up',
    severity: 'warning',
    machine: link.name,
    message: `Claude Code there deletes sessions after ${days} days; the hub keeps them all the same`,
    fix: `Set "cleanupPeriodDays": ${CLEANUP_DAYS_WANTED} in settings.json there to have them on the machine for longer.`,
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
