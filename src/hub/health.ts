import { statSync } from 'node:fs';
import type { Logger } from 'pino';
import type { MachineName, UnixMs } from '../core/domain.ts';
import type { Finding, Severity } from '../core/alerts/alert.ts';
import { ALL_MACHINES } from '../core/metrics/point.ts';
import { successRate } from '../core/metrics/series.ts';
import type { Alert } from '../protocol/alerts.ts';
import type { HubNotification } from '../protocol/notifications.ts';
import { PRODUCT_VERSION } from '../protocol/product-version.ts';
import type { HubService } from '../protocol/service.ts';
import type { StatusResult, Traffic } from '../protocol/status.ts';
import { AlertBoard } from './alerts/alert-board.ts';
import { createAlertService } from './alerts/alert-service.ts';
import { CommandHook } from './alerts/command-hook.ts';
import { HubFacts } from './alerts/facts.ts';
import type { SyncEvent } from './engine/events.ts';
import type { MachineLink } from './engine/machines/link.ts';
import type { Hub } from './hub.ts';
import { EventLog } from './log/event-log.ts';
import type { Gauges, MachineGauges } from './metrics/sample.ts';
import type { Figures as OpenMetricsFigures } from './metrics/open-metrics.ts';
import { Meter } from './metrics/meter.ts';
import { createMetricsService } from './metrics/metrics-service.ts';
import { OnlineShare } from './metrics/online-share.ts';
import { Sampler } from './metrics/sampler.ts';
import { Notices } from './notices.ts';
import type { Clock } from './ports/clock.ts';
import { firstSyncOf } from './reports.ts';

/** What the health of a hub is watched with. */
export interface HealthOptions {
  readonly hub: Hub;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly startedAt: UnixMs;
  /** `isWanted`: whether anybody listens. */
  readonly notifications: { readonly isWanted: () => boolean; readonly send: (notification: HubNotification) => void };
}

/**
 * What is counted, logged and told of the sync while it goes on: figures, alerts, log lines, and notices to clients. It listens; nothing of
 * the sync waits for it.
 */
export class Health {
  readonly alerts: AlertBoard;
  readonly requests: Pick<HubService, 'metrics/series' | 'metrics/text' | 'alerts/list' | 'alerts/dismiss'>;
  readonly #options: HealthOptions;
  readonly #meter: Meter;
  readonly #sampler: Sampler;
  readonly #eventLog: EventLog;
  readonly #notices: Notices;
  readonly #online: OnlineShare;
  readonly #listeners: readonly { note(event: SyncEvent): unknown }[];
  #trouble: string | null = null;

  constructor(options: HealthOptions) {
    this.#options = options;
    const { hub, clock, log, notifications } = options;
    const { store } = hub;
    this.#meter = new Meter({ totals: store.totals, clock });
    this.#sampler = new Sampler({ metrics: store.metrics, meter: this.#meter, clock, gauges: () => this.#gauges() });
    this.#online = new OnlineShare(store.metrics, clock);
    this.#eventLog = new EventLog(log, clock);
    this.#notices = new Notices({
      clock,
      hasListeners: notifications.isWanted,
      send: notifications.send,
      openConflicts: () => store.conflicts.openCount(),
      firstSyncs: () => [...hub.engine.links.values()].flatMap((link) => firstSyncOf(hub, link) ?? []),
    });
    const onTrouble = (error: Error): void => log.warn({ err: error }, 'trouble with alerts');
    this.alerts = new AlertBoard({
      facts: new HubFacts({ hub: () => hub, clock, onTrouble }),
      store,
      clock,
      hook: new CommandHook({ command: () => hub.config.alerts.command, clock, onTrouble }),
      onRaised: (alert) => log[alert.severity === 'warning' ? 'warn' : alert.severity](about(alert), 'alert'),
      onCleared: (alert) => log.info(about(alert), 'alert cleared'),
      onChanged: (params) => notifications.send({ method: 'alerts/changed', params }),
      onTrouble,
    });
    this.#listeners = [this.#meter, this.#eventLog, this.#notices, this.alerts];
    this.requests = {
      ...createMetricsService({
        metrics: store.metrics,
        sampler: this.#sampler,
        clock,
        knows: (machine) => hub.engine.links.has(machine) || store.machines.get(machine) !== undefined,
        figures: () => this.#figures(),
      }).requests,
      ...createAlertService(this.alerts).requests,
    };
  }

  /** What the engine tells, in the middle of its work: whatever is wrong with those who listen is not its trouble. */
  note(event: SyncEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener.note(event);
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  #failed(error: unknown): void {
    const trouble = error instanceof Error ? error : new Error(String(error));
    // It would fail with each event again.
    if (trouble.message === this.#trouble) return;
    this.#trouble = trouble.message;
    this.#options.log.error({ err: trouble }, 'an event of the sync could not be counted, logged or told');
  }

  /** Something that `status` shows may be another. */
  changed(): void {
    this.#notices.changed();
    this.alerts.changed();
  }

  start(): void {
    this.#sampler.start();
    this.alerts.start();
  }

  /** The last figures are in the store when it resolves; before the store is closed. */
  async stop(): Promise<void> {
    this.#notices.stop();
    this.#sampler.stop();
    this.#eventLog.flush();
    await this.alerts.stop();
  }

  /** What `status` shows. */
  active(): Alert[] {
    return this.alerts.active();
  }

  /** @param machine one, or `ALL_MACHINES`. */
  traffic(machine: MachineName): Traffic {
    const { totals } = this.#options.hub.store;
    const counts = machine === ALL_MACHINES ? totals.all() : totals.of(machine);
    const rates = this.#meter.rates(machine);
    return {
      ...counts,
      successRate: successRate(counts),
      bytesSentPerSecond: rates.sent,
      bytesReceivedPerSecond: rates.received,
      onlineShare: this.#online.of(machine),
    };
  }

  /** What the hub has on its disk. */
  storage(): NonNullable<StatusResult['storage']> {
    const { hub, dataDir } = this.#options;
    const { count, bytes } = hub.store.heads.files;
    return {
      archiveBytes: bytes,
      archiveFiles: count,
      versionBytes: hub.store.versions.totalBytes(),
      databaseBytes: ['sync.db', 'sync.db-wal', 'history.db', 'history.db-wal'].reduce((sum, name) => sum + sizeOf(`${dataDir}/${name}`), 0),
    };
  }

  #gauges(): Gauges {
    const { hub } = this.#options;
    return {
      machines: [...hub.engine.links.values()].map((link) => {
        const isOnline = link.status.status === 'online';
        return { name: link.name, isOnline, ...holdingsOf(hub, link) };
      }),
      archiveBytes: hub.store.heads.files.bytes,
      versionBytes: hub.store.versions.totalBytes(),
    };
  }

  #figures(): OpenMetricsFigures {
    const { hub, startedAt } = this.#options;
    const active = this.active();
    const bySeverity = (wanted: Severity): number => active.filter(({ severity }) => severity === wanted).length;
    return {
      hub: { version: PRODUCT_VERSION, startedAt, residentBytes: process.memoryUsage.rss() },
      totals: hub.store.totals.all(),
      machines: [...hub.engine.links.values()].map((link) => ({
        name: link.name,
        status: link.status.status,
        counts: hub.store.totals.of(link.name),
        ...holdingsOf(hub, link),
        lastSyncAt: link.row.lastSyncAt,
        latency: this.#meter.latency(link.name),
      })),
      openConflicts: hub.store.conflicts.openCount(),
      activeAlerts: { info: bySeverity('info'), warning: bySeverity('warning'), error: bySeverity('error') },
      archiveBytes: hub.store.heads.files.bytes,
      versionBytes: hub.store.versions.totalBytes(),
    };
  }
}

/** What the log tells of an alert: what is to be done about it is for people. */
function about({ id, machine, key, message }: Finding): object {
  return { alert: id, ...(machine === null ? {} : { machine }), ...(key === null ? {} : { key }), reason: message };
}

function holdingsOf(hub: Hub, link: MachineLink): Pick<MachineGauges, 'files' | 'bytes' | 'pending'> {
  const { counts, files, bytes } = hub.engine.holdings(link);
  return { files, bytes, pending: Math.max(counts.behind, link.queue.busy) };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
