import type { Severity } from '../../core/alerts/alert.ts';
import type { MachineName, UnixMs } from '../../core/domain.ts';
import { BOUNDS_MS, type Histogram } from '../../core/metrics/histogram.ts';
import type { Counts } from '../../core/metrics/point.ts';
import type { MachineRow } from '../store/store.ts';

/** Type of what `openMetrics` makes. */
export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

const STATUSES: readonly MachineRow['status'][] = ['online', 'degraded', 'offline', 'paused', 'quarantined'];
const SEVERITIES: readonly Severity[] = ['info', 'warning', 'error'];

/** A machine as it is told to whoever collects metrics. */
export interface MachineFigures {
  readonly name: MachineName;
  readonly status: MachineRow['status'];
  /** Since the database was made. */
  readonly counts: Counts;
  readonly files: number;
  readonly bytes: number;
  readonly pending: number;
  readonly lastSyncAt: UnixMs | null;
  /** Since the hub started. */
  readonly latency: Histogram;
}

/** All figures of now. */
export interface Figures {
  readonly hub: {
    readonly version: string;
    readonly startedAt: UnixMs;
    /** Memory of the process. */
    readonly residentBytes: number;
  };
  /** Of all machines, those among them that are gone. */
  readonly totals: Counts;
  readonly machines: readonly MachineFigures[];
  readonly openConflicts: number;
  readonly activeAlerts: Readonly<Record<Severity, number>>;
  readonly archiveBytes: number;
  readonly versionBytes: number;
}

/**
 * All figures as OpenMetrics 1.0 text. Written here and not by a library: prom-client fills its histograms one sample at a time and cannot
 * tell one that is counted already.
 */
export function openMetrics(figures: Figures): string {
  const { hub, totals, openConflicts, activeAlerts, archiveBytes, versionBytes } = figures;
  const families: Family[] = [
    {
      ...{ name: 'claude_sync_hub', type: 'info', help: 'The hub.' },
      samples: [['_info', { version: hub.version }, 1]],
    },
    gauge('claude_sync_hub_start_time_seconds', 'When the hub started, since the Unix epoch.', [
      [{}, hub.startedAt / 1_000],
    ]),
    gauge('process_resident_memory_bytes', 'Memory of the process of the hub.', [[{}, hub.residentBytes]]),
    ...COUNTERS.flatMap(({ name, what, of }) => [
      counter(
        `claude_sync_${name}`,
        `${what}, since the database was made.`,
        ofEach(figures, ({ counts }) => of(counts)),
      ),
      counter(`claude_sync_all_${name}`, `The same of all machines, also of those that are gone.`, [[{}, of(totals)]]),
    ]),
    ...machineFamilies(figures),
    gauge('claude_sync_open_conflicts', 'Conflicts that need a decision.', [[{}, openConflicts]]),
    gauge(
      'claude_sync_active_alerts',
      'Alerts whose cause lasts and that nobody dismissed.',
      SEVERITIES.map((severity) => [{ severity }, activeAlerts[severity]]),
    ),
    gauge('claude_sync_archive_bytes', 'Contents of now in the archive.', [[{}, archiveBytes]]),
    gauge('claude_sync_version_bytes', 'Kept versions, uncompressed.', [[{}, versionBytes]]),
  ];
  return `${families.map(familyText).join('')}# EOF\n`;
}

type Labels = Readonly<Record<string, string>>;

/** A metric family; a sample is the end of its name, its labels and its value. */
interface Family {
  readonly name: string;
  readonly type: 'info' | 'gauge' | 'counter' | 'histogram' | 'stateset';
  readonly help: string;
  readonly samples: readonly (readonly [suffix: string, labels: Labels, value: number])[];
}

const COUNTERS: readonly { readonly name: string; readonly what: string; readonly of: (counts: Counts) => number }[] = [
  { name: 'syncs', what: 'Changes taken in from a machine or brought to it and verified', of: ({ syncs }) => syncs },
  { name: 'failures', what: 'Files that were given up on', of: ({ failed }) => failed },
  { name: 'conflicts', what: 'Files that it and another had both changed', of: ({ conflicts }) => conflicts },
  { name: 'sent_bytes', what: 'Content brought to a machine', of: ({ bytesSent }) => bytesSent },
  { name: 'received_bytes', what: 'Content taken in from a machine', of: ({ bytesReceived }) => bytesReceived },
];

function machineFamilies(figures: Figures): Family[] {
  const { machines, hub } = figures;
  return [
    gauge(
      'claude_sync_up',
      'Whether a machine is online.',
      ofEach(figures, ({ status }) => Number(status === 'online')),
    ),
    {
      ...{ name: 'claude_sync_status', type: 'stateset', help: 'Status of a machine.' },
      samples: machines.flatMap((one) =>
        STATUSES.map(
          (status) => ['', { machine: one.name, claude_sync_status: status }, Number(one.status === status)] as const,
        ),
      ),
    },
    gauge(
      'claude_sync_files',
      'Files there that take part.',
      ofEach(figures, ({ files }) => files),
    ),
    gauge(
      'claude_sync_size_bytes',
      'Size of the files there that take part.',
      ofEach(figures, ({ bytes }) => bytes),
    ),
    gauge(
      'claude_sync_pending',
      'Changes that are still to be applied there.',
      ofEach(figures, ({ pending }) => pending),
    ),
    gauge(
      'claude_sync_last_sync_timestamp_seconds',
      'When a change was last brought there, since the Unix epoch.',
      machines.flatMap(({ name, lastSyncAt }) =>
        lastSyncAt === null ? [] : [[{ machine: name }, lastSyncAt / 1_000] as const],
      ),
    ),
    {
      ...{ name: 'claude_sync_sync_latency_seconds', type: 'histogram' },
      help: 'From a change being seen to its being verified there, since the hub started.',
      samples: machines.flatMap(({ name, latency }) => histogramSamples({ machine: name }, latency, hub.startedAt)),
    },
  ];
}

function histogramSamples(labels: Labels, latency: Histogram, startedAt: UnixMs): Family['samples'] {
  const counts = latency.cumulative(BOUNDS_MS);
  return [
    ...BOUNDS_MS.map(
      (bound, index) => ['_bucket', { ...labels, le: numberText(bound / 1_000) }, counts[index]!] as const,
    ),
    ['_bucket', { ...labels, le: '+Inf' }, latency.count],
    ['_count', labels, latency.count],
    ['_sum', labels, latency.sum / 1_000],
    ['_created', labels, startedAt / 1_000],
  ];
}

type Values = readonly (readonly [labels: Labels, value: number])[];

function ofEach({ machines }: Figures, value: (machine: MachineFigures) => number): Values {
  return machines.map((machine) => [{ machine: machine.name }, value(machine)]);
}

function gauge(name: string, help: string, values: Values): Family {
  return { name, type: 'gauge', help, samples: values.map(([labels, value]) => ['', labels, value]) };
}

function counter(name: string, help: string, values: Values): Family {
  return { name, type: 'counter', help, samples: values.map(([labels, value]) => ['_total', labels, value]) };
}

/** A name that ends in a unit has to say so. */
const UNIT = /_(seconds|bytes)$/;

function familyText({ name, type, help, samples }: Family): string {
  const unit = UNIT.exec(name)?.[1];
  const lines = [`# TYPE ${name} ${type}`, ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`])];
  lines.push(`# HELP ${name} ${escaped(help)}`);
  for (const [suffix, labels, value] of samples) {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    lines.push(`${name}${suffix}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberText(value)}`);
  }
  return `${lines.join('\n')}\n`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function numberText(value: number): string {
  return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
