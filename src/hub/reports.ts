import type { FirstSyncProgress, MachineReport, StatusResult } from '../protocol/status.ts';
import type { MachineEntry } from '../protocol/machines.ts';
import { PRODUCT_VERSION } from '../protocol/product-version.ts';
import type { UnixMs } from '../core/domain.ts';
import { ALL_MACHINES } from '../core/metrics/point.ts';
import type { MachineLink } from './engine/machines/link.ts';
import type { Health } from './health.ts';
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

/** What `status` shows besides what the engine knows. */
export type Figures = Pick<Health, 'traffic' | 'storage' | 'active'>;

/** `status --json` (docs: README, contract of the command line). */
export function statusOf(
  hub: Hub,
  process: { pid: number; startedAt: UnixMs },
  now: UnixMs,
  rate: TransferRate,
  health: Figures,
): StatusResult {
  const links = [...hub.engine.links.values()];
  const machines = links.map((link) => ({ ...machineReport(hub, link), traffic: health.traffic(link.name) }));
  const { syncs, failed, successRate, bytesSent, bytesReceived } = health.traffic(ALL_MACHINES);
  const underWay = links.reduce((sum, link) => sum + link.bytesUnderWay, 0);
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
    alerts: health.active(),
    totals: {
      ...{ syncs, failed, successRate, bytesSent, bytesReceived },
      bytesPerSecond: rate.at(now, bytesSent + bytesReceived + underWay),
    },
    storage: health.storage(),
    approvals: { waiting: hub.store.approvals.list('waiting').length },
  };
}

/** One machine, as `status` tells it. */
export function machineReport(hub: Hub, link: MachineLink): MachineReport {
  const { row } = link;
  const { status, reason } = link.status;
  const { counts, files, bytes } = hub.engine.holdings(link);
  const firstSync = firstSyncOf(hub, link);
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
    ...(firstSync === null ? {} : { firstSync }),
  };
}

/** How far the first sync of a machine is, `null` when it is done. */
export function firstSyncOf(hub: Hub, link: MachineLink): FirstSyncProgress | null {
  if (!link.pairing) return null;
  const { counts, files, bytes } = hub.engine.holdings(link);
  const bytesTotal = Math.max(bytes, hub.store.heads.files.bytes);
  return {
    machine: link.name,
    phase: link.lastScanAt === null ? 'scanning' : 'writing',
    filesDone: files,
    filesTotal: files + counts.behind,
    bytesDone: Math.min(bytes + link.bytesUnderWay, bytesTotal),
    bytesTotal,
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

/** The hub's own replica is the first local one; further local folders are spokes like any machine. */
function isHubsOwn(hub: Hub, name: string): boolean {
  return Object.entries(hub.config.machines).find(([, machine]) => machine.transport === 'local')?.[0] === name;
}

/** Things that are not carried are named, the first one here, all of them in `doctor`. */
function firstNotice(link: MachineLink): string | null {
  const first = link.notices.entries().next();
  if (first.done) return null;
  const [path, reason] = first.value;
  const more = link.notices.size > 1 ? ` (and ${link.notices.size - 1} more, see claude-sync doctor)` : '';
  return `not carried: ${path}: ${reason}${more}`;
}
