import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { BOUNDS_MS, Histogram } from '../../../src/core/metrics/histogram.ts';
import { NO_COUNTS } from '../../../src/core/metrics/roll-up.ts';
import { openMetrics, type Figures } from '../../../src/hub/metrics/open-metrics.ts';

const SAMPLES = [0, 1, 2, 3, 17, 64, 65, 900, 1_024, 70_000, 9_000_000];
const NASTY = 'a "b" \\n c\\\nd\\"\n\\ é {x="y"} # EOF';
const COUNTS = { syncs: 11, failed: 2, conflicts: 3, bytesSent: 4_000_000_000_000, bytesReceived: 5 };

const FIGURES: Figures = {
  hub: { version: '1.2.3', startedAt: 1_700_000_000_123, residentBytes: 98_304_000 },
  totals: { ...COUNTS, syncs: 1_000 },
  machines: [
    {
      ...{ name: NASTY, status: 'online', counts: COUNTS, files: 7, bytes: 8, pending: 9 },
      ...{ lastSyncAt: 1_700_000_001_500, latency: Histogram.of(SAMPLES) },
    },
    {
      ...{ name: 'mac', status: 'quarantined', counts: NO_COUNTS, files: 0, bytes: 0, pending: 0 },
      ...{ lastSyncAt: null, latency: Histogram.EMPTY },
    },
  ],
  openConflicts: 4,
  activeAlerts: { info: 1, warning: 0, error: 2 },
  archiveBytes: 123,
  versionBytes: 456,
};

/** The reference parser; a family: type, unit, help, samples as [name, labels, value]. */
const PARSER = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
print(json.dumps({family.name: [family.type, family.unit, family.documentation, [[s.name, s.labels, s.value] for s in family.samples]]
    for family in text_string_to_metric_families(sys.stdin.buffer.read().decode())}))
`;
type Family = readonly [type: string, unit: string, help: string, samples: [string, Record<string, string>, number][]];

/** The first of these that has the parser: another Python than the system's often comes first in the path. */
const python = ['/usr/bin/python3', 'python3'].find(
  (command) => spawnSync(command, ['-c', 'import prometheus_client.openmetrics.parser']).status === 0,
);

function parse(text: string): Record<string, Family> {
  const { status, stdout, stderr } = spawnSync(python!, ['-c', PARSER], { input: text, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Record<string, Family>;
}

describe('figures as OpenMetrics', () => {
  describe(`by the reference parser${python === undefined ? ' (skipped: python3-prometheus-client is not installed)' : ''}`, () => {
    before(function () {
      if (python === undefined) this.skip();
    });

    it('every value is what was put in, with type and unit', () => {
      const families = parse(openMetrics(FIGURES));
      const told = Object.fromEntries(
        Object.entries(families).map(([name, [type, unit, , samples]]) => [name, [type, unit, samples]]),
      );
      const both = (of: (machine: Figures['machines'][number]) => number, name: string): unknown[] =>
        FIGURES.machines.map((one) => [name, { machine: one.name }, of(one)]);
      const counters = (
        [
          ['syncs', '', 'syncs'],
          ['failures', '', 'failed'],
          ['conflicts', '', 'conflicts'],
          ['sent_bytes', 'bytes', 'bytesSent'],
          ['received_bytes', 'bytes', 'bytesReceived'],
        ] as const
      ).flatMap(([name, unit, of]) => [
        [`claude_sync_${name}`, ['counter', unit, both(({ counts }) => counts[of], `claude_sync_${name}_total`)]],
        [`claude_sync_all_${name}`, ['counter', unit, [[`claude_sync_all_${name}_total`, {}, FIGURES.totals[of]]]]],
      ]) as [string, unknown][];
      const single = (name: string, unit: string, value: number): [string, unknown] => [
        name,
        ['gauge', unit, [[name, {}, value]]],
      ];
      const each = (
        name: string,
        unit: string,
        of: (machine: Figures['machines'][number]) => number,
      ): [string, unknown] => [name, ['gauge', unit, both(of, name)]];
      const statuses = ['online', 'degraded', 'offline', 'paused', 'quarantined'];
      const latency = 'claude_sync_sync_latency_seconds';
      assert.deepEqual(
        told,
        Object.fromEntries([
          ['claude_sync_hub', ['info', '', [['claude_sync_hub_info', { version: '1.2.3' }, 1]]]],
          single('claude_sync_hub_start_time_seconds', 'seconds', 1_700_000_000.123),
          single('process_resident_memory_bytes', 'bytes', 98_304_000),
          ...counters,
          each('claude_sync_up', '', ({ status }) => (status === 'online' ? 1 : 0)),
          [
            'claude_sync_status',
            [
              'stateset',
              '',
              FIGURES.machines.flatMap(({ name, status }) =>
                statuses.map((one) => [
                  'claude_sync_status',
                  { machine: name, claude_sync_status: one },
                  one === status ? 1 : 0,
                ]),
              ),
            ],
          ],
          each('claude_sync_files', '', ({ files }) => files),
          each('claude_sync_size_bytes', 'bytes', ({ bytes }) => bytes),
          each('claude_sync_pending', '', ({ pending }) => pending),
          [
            'claude_sync_last_sync_timestamp_seconds',
            ['gauge', 'seconds', [['claude_sync_last_sync_timestamp_seconds', { machine: NASTY }, 1_700_000_001.5]]],
          ],
          [
            latency,
            [
              'histogram',
              'seconds',
              FIGURES.machines.flatMap(({ name: machine }, index) => {
                const samples = index === 0 ? SAMPLES : [];
                return [
                  ...BOUNDS_MS.map((bound) => [
                    `${latency}_bucket`,
                    { machine, le: String(bound / 1_000) },
                    samples.filter((ms) => ms <= bound).length,
                  ]),
                  [`${latency}_bucket`, { machine, le: '+Inf' }, samples.length],
                  [`${latency}_count`, { machine }, samples.length],
                  [`${latency}_sum`, { machine }, samples.reduce((a, b) => a + b, 0) / 1_000],
                  [`${latency}_created`, { machine }, 1_700_000_000.123],
                ];
              }),
            ],
          ],
          single('claude_sync_open_conflicts', '', 4),
          [
            'claude_sync_active_alerts',
            [
              'gauge',
              '',
              Object.entries(FIGURES.activeAlerts).map(([severity, number]) => [
                'claude_sync_active_alerts',
                { severity },
                number,
              ]),
            ],
          ],
          single('claude_sync_archive_bytes', 'bytes', 123),
          single('claude_sync_version_bytes', 'bytes', 456),
        ]),
      );
      for (const [name, [, , help]] of Object.entries(families)) assert.match(help, /^[A-Z].+\.$/, name);
    });

    it('is sound while there is no machine', () => {
      const families = parse(openMetrics({ ...FIGURES, machines: [] }));
      assert.deepEqual(families['claude_sync_files']?.[3], []);
      assert.equal(families['claude_sync_all_syncs']?.[3][0]?.[2], 1_000);
    });
  });

  it('ends as it has to, and has no line that a name made', () => {
    const text = openMetrics(FIGURES);
    assert.ok(text.endsWith('\n# EOF\n'));
    for (const line of text.split('\n').slice(0, -2))
      assert.match(line, /^(# (TYPE|UNIT|HELP) )?(claude_sync|process)_[a-z_]+(\{.*\})? .*$/);
  });
});
