import type { Alert, MachineReport, StatusResult } from '../protocol/status.ts';
import type { MachineEntry } from '../protocol/machines.ts';
import { PRODUCT_VERSION } from '../protocol/product-version.ts';
import type { UnixMs } from '../core/domain.ts';
import type { MachineLink } from './engine/machines/link.ts';
import { lastComparison } from './engine/upkeep/comparison.ts';
import { lastRetention } from './engine/upkeep/retention.ts';
import { heldReasons } from './held-reasons.ts';
import type { Hub } from './hub.ts';

/** Rates are told over this span. */
const RATE_WINDOW_MS = 10_000;

/** Bytes moved, to tell a rate. */
export class TransferRate {
  #mark: { at: UnixMs; bytes: number } | null = null;
  #rate = 0;

  /** Bytes per second over the last seconds, given the total so far. */
  at(now: UnixMs, total: number): number {
    if (this.#mark === null) this.#mark = { at: now, bytes: total };
    const span = now - this.#mark.at;
    if (span >= RATE_WINDOW_MS) {
      this.#rate = ((total - this.#mark.bytes) * 1000) / span;
      this.#mark = { at: now, bytes: total };
    } else if (span > 0) {
      this.#rate = ((total - this.#mark.bytes) * 1000) / Math.max(span, 1_000);
    }
    // What was under way and came to nothing takes bytes back.
    return Math.max(0, Math.round(this.#rate));
  }
}

/** `status --json` (docs: README, contract of the command line). */
export function statusOf(
  hub: Hub,
  process: { pid: number; startedAt: UnixMs },
  now: UnixMs,
  rate: TransferRate,
): StatusResult {
  const links = [...hub.engine.links.values()];
  const machines = links.map((link) => machineReport(hub, link));
  const sent = links.reduce((sum, link) => sum + link.bytesSent, 0);
  const received = links.reduce((sum, link) => sum + link.bytesReceived, 0);
  const totals = hub.store.syncLog.totals();
  const tried = totals.syncs + totals.failed;
  return {
    hub: {
      pid: process.pid,
      version: PRODUCT_VERSION,
      startedAt: process.startedAt,
      uptimeMs: now - process.startedAt,
    },
    inSync:
      links.some((link) => link.writable) &&
      hub.engine.inSync() &&
      machines.every(({ unsettled }) => !unsettled?.failed),
    machines,
    conflicts: { open: hub.store.conflicts.openCount() },
    alerts: alertsOf(hub, now),
    totals: {
      syncs: totals.syncs,
      failed: totals.failed,
      successRate: tried === 0 ? 1 : totals.syncs / tried,
      bytesSent: sent,
      bytesReceived: received,
      bytesPerSecond: rate.at(now, sent + received + links.reduce((sum, link) => sum + link.bytesUnderWay, 0)),
    },
    approvals: { waiting: hub.store.approvals.list('waiting').length },
  };
}

/** One machine, as `status` tells it. */
export function machineReport(hub: Hub, link: MachineLink): MachineReport {
  const { row } = link;
  const { status, reason } = link.status;
  const { counts, files, bytes } = hub.engine.holdings(link);
  let waiting = 0;
  let waitingBytes = 0;
  if (link.pairing) {
    waiting = counts.behind;
    waitingBytes = [...hub.store.heads.values()].reduce((sum, head) => sum + head.size, 0);
  }
  return {
    name: link.name,
    role: isHubsOwn(hub, link.name) ? 'hub' : 'spoke',
    os: link.os,
    status,
    lastSeenAt: (link.connected ? hub.engine.now() : row.lastSeenAt) ?? 0,
    lastSyncAt: row.lastSyncAt ?? 0,
    files,
    bytes,
    pending: Math.max(counts.behind, link.queue.busy),
    watcher: link.replica.watcher,
    latencyMs: link.latency.percentiles(),
    reason: reason ?? firstNotice(link),
    unsettled: {
      held: counts.held,
      ...(counts.held > 0 ? { heldBecause: heldReasons(hub, link) } : {}),
      evicted: counts.evicted,
      deferredLive: counts['deferred-live'],
      manual: counts.manual,
      failed: counts.failed,
      unreadable: link.notices.size,
    },
    ...(link.pairing
      ? {
          firstSync: {
            machine: link.name,
            phase: link.lastScanAt === null ? ('scanning' as const) : ('writing' as const),
            filesDone: files,
            filesTotal: files + waiting,
            bytesDone: Math.min(bytes + link.bytesUnderWay, Math.max(bytes, waitingBytes)),
            bytesTotal: Math.max(bytes, waitingBytes),
          },
        }
      : {}),
  };
}

/** One machine, with its configuration. */
export function machineEntry(hub: Hub, link: MachineLink): MachineEntry {
  const config = hub.config.machines[link.name];
  return {
    ...machineReport(hub, link),
    transport: config?.transport ?? 'local',
    claudeDir: link.row.claudeDir,
    home: link.row.home,
    trust: config?.trust ?? 'full',
  };
}

/** The next step where another hub syncs the same folder. */
export const OTHER_HUB_NEXT =
  'Stop one of the two hubs (claude-sync down, with the --data-dir of that one); this one goes on by itself within minutes.';

/** What the user should know. */
export function alertsOf(hub: Hub, now: UnixMs): Alert[] {
  const alerts: Alert[] = [];
  const diskTrouble = hub.diskTrouble.at(now);
  if (diskTrouble !== null) {
    alerts.push({
      id: 'hub-disk',
      severity: 'error',
      message: `the hub's disk refuses writes: ${diskTrouble}; nothing is lost, syncing waits`,
      next: 'Make room on the disk of the hub; it goes on by itself.',
      machine: null,
      key: null,
      at: now,
    });
  }
  const { configProblem } = hub;
  if (configProblem !== null) {
    alerts.push({
      id: 'configuration',
      severity: 'error',
      message: `the configuration cannot be used, the last good one stays in force: ${configProblem.message.replaceAll('\n', '; ')}`,
      next: `Correct ${hub.configFile ?? 'the configuration file'}; it is read again by itself.`,
      machine: null,
      key: null,
      at: configProblem.at,
    });
  }
  for (const link of hub.engine.links.values()) {
    const { status, reason } = link.status;
    if (status === 'quarantined') {
      alerts.push({
        id: `quarantine/${link.name}`,
        severity: 'error',
        message: reason ?? 'stopped by a safeguard',
        next: link.otherHub ? OTHER_HUB_NEXT : `claude-sync machines resume ${link.name}`,
        machine: link.name,
        key: null,
        at: link.row.lastSeenAt ?? now,
      });
    } else if (status === 'degraded' || status === 'offline') {
      alerts.push({
        id: `unreachable/${link.name}`,
        severity: status === 'offline' ? 'warning' : 'info',
        message: reason ?? 'cannot be reached',
        next: 'claude-sync doctor',
        machine: link.name,
        key: null,
        at: link.row.lastSeenAt ?? now,
      });
    }
    const { failed } = hub.engine.counts(link);
    if (failed > 0) {
      alerts.push({
        id: `failed/${link.name}`,
        severity: 'error',
        message: `${failed} files could not be brought level on ${link.name} (${firstFailure(link) ?? 'no reason known'}); everything else goes on`,
        next: 'claude-sync doctor',
        machine: link.name,
        key: null,
        at: now,
      });
    }
  }
  alerts.push(...retentionAlerts(hub), ...damageAlerts(hub));
  const waiting = hub.store.approvals.list('waiting').length;
  if (waiting > 0) {
    alerts.push({
      id: 'approvals',
      severity: 'warning',
      message: `${waiting} changes of executable content wait for your approval`,
      next: 'claude-sync approve',
      machine: null,
      key: null,
      at: now,
    });
  }
  return alerts;
}

/** The limit for kept versions took some before their time, or cannot be kept. */
function retentionAlerts(hub: Hub): Alert[] {
  const last = lastRetention(hub.store);
  if (last === null || (last.forced === 0 && !last.stillOver)) return [];
  const { keepDays, maxBytes } = hub.config.versions;
  const forced = `${last.forced} versions younger than ${keepDays} days were removed, because all of them were over versions.maxBytes (${maxBytes})`;
  const over = `the versions that must be kept take ${last.bytesAfter} bytes, more than versions.maxBytes (${maxBytes})`;
  const message = [...(last.forced > 0 ? [forced] : []), ...(last.stillOver ? [over] : [])].join('; ');
  const next = 'Raise versions.maxBytes in the configuration, or lower versions.keepDays.';
  return [{ id: 'versions-limit', severity: 'warning', message, next, machine: null, key: null, at: last.at }];
}

/** What the last comparison found wrong with the hub's own files. */
function damageAlerts(hub: Hub): Alert[] {
  const alerts: Alert[] = hub.engine.damage.values().map(({ key, at, what }) => ({
    id: `damaged/${key}`,
    severity: 'error',
    message: `the hub's own file of ${key} is damaged (${what}) and is not passed on; it is mended as soon as a machine that has it whole can be reached`,
    next: 'Check the disk of the hub. claude-sync versions lists what is kept of it.',
    machine: null,
    key,
    at,
  }));
  const last = lastComparison(hub.store);
  if (last !== null && last.healed > 0) {
    const message = `${last.healed} of the hub's own files were damaged on its disk and have been mended`;
    alerts.push({
      id: 'mended',
      severity: 'warning',
      message,
      next: 'Check the disk of the hub.',
      machine: null,
      key: null,
      at: last.endedAt,
    });
  }
  return alerts;
}

/** The hub's own replica is the first local one; further local folders are spokes like any machine. */
function isHubsOwn(hub: Hub, name: string): boolean {
  return Object.entries(hub.config.machines).find(([, machine]) => machine.transport === 'local')?.[0] === name;
}

function firstFailure(link: MachineLink): string | null {
  for (const pair of link.pairsBelow('')) if (pair.state === 'failed') return pair.reason;
  return null;
}

/** Things that are not carried are named, the first one here, all of them in `doctor`. */
function firstNotice(link: MachineLink): string | null {
  const first = link.notices.entries().next();
  if (first.done) return null;
  const [path, reason] = first.value;
  const more = link.notices.size > 1 ? ` (and ${link.notices.size - 1} more, see claude-sync doctor)` : '';
  return `not carried: ${path}: ${reason}${more}`;
}
