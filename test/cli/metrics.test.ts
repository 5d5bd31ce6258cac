import assert from 'node:assert/strict';
import type { MetricsPoint } from '../../src/protocol/metrics.ts';
import { Bench } from './run.ts';

/** The clock of the bench. */
const NOW = 1_700_000_005_000;
const HOUR = 3_600_000;
const TEXT = '# TYPE a gauge\na{machine="x\u001b[31m"} 1\n# EOF\n';

function point(more: Partial<MetricsPoint>): MetricsPoint {
  return {
    ...{ at: NOW - HOUR, observedMs: 0, online: 0, syncs: 0, failed: 0, successRate: 0, conflicts: 0 },
    ...{ bytesSent: 0, bytesReceived: 0, bytesSentPerSecond: 0, bytesReceivedPerSecond: 0 },
    ...{ files: 0, bytes: 0, pending: 0, mostPending: 0, archiveBytes: 0, versionBytes: 0 },
    latencyMs: { count: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 },
    ...more,
  };
}

const POINTS = [
  point({}),
  point({ at: 1_700_000_000_000, observedMs: 300_000, online: 0.9996, syncs: 12, failed: 1, bytesSent: 1_234_567 }),
  point({ observedMs: 1, online: 1, latencyMs: { count: 3, mean: 40, p50: 40, p90: 60, p99: 1_500, max: 1_600 } }),
];

describe('figures on the command line', () => {
  let bench: Bench;
  let asked: object[];

  beforeEach(async () => {
    asked = [];
    bench = await Bench.open();
  });

  afterEach(() => bench.close());

  const hub = (): Promise<void> =>
    bench.hub({
      'metrics/text': () => Promise.resolve({ contentType: 'text', text: TEXT }),
      'metrics/series': (params) => {
        asked.push(params);
        return Promise.resolve({ resolution: 'minute', stepMs: params.stepMs, points: POINTS });
      },
    });

  it('are the text of the hub, without what a name would do to a terminal', async () => {
    await hub();
    const { code, stdout } = await bench.run(['metrics']);
    assert.equal(code, 0);
    assert.equal(stdout, '# TYPE a gauge\na{machine="x"} 1\n# EOF\n');
    assert.deepEqual(JSON.parse((await bench.run(['metrics', '--json'])).stdout), { contentType: 'text', text: TEXT });
  });

  it('over time are a table, in which nothing is known of a time without the hub', async () => {
    await hub();
    const { code, stdout } = await bench.run(['metrics', '--machine', 'mac']);
    assert.equal(code, 0);
    const [heading, without, some, latency] = stdout.split('\n');
    assert.match(heading ?? '', /^TIME +SYNCS +FAILED +SENT +RECEIVED +P50\/P99 +ONLINE$/);
    assert.match(without ?? '', /^2023-11-14 21:13:25Z( +-){6}$/);
    assert.match(some ?? '', /^2023-11-14 22:13:20Z +12 +1 +1\.2 MB +0 B +- +99\.9 %$/);
    assert.match(latency ?? '', / 40 ms \/ 1\.5 s +100 %$/);
  });

  it('ask for what was said, and for about 24 rows where nothing was', async () => {
    await hub();
    const said = ['metrics', '--machine', 'mac', '--since', '90m', '--step', '10s', '--json'];
    const { stdout } = await bench.run(said);
    assert.deepEqual(JSON.parse(stdout), { resolution: 'minute', stepMs: 10_000, points: POINTS });
    for (const since of ['10s', '2h', '7d', '1000d']) await bench.run(['metrics', '--since', since]);
    await bench.run(['metrics', '--step', '5m']);
    const lately = (ms: number, stepMs: number): object => ({ from: NOW - ms, to: NOW, stepMs });
    assert.deepEqual(asked, [
      { ...lately(1.5 * HOUR, 10_000), machine: 'mac' },
      lately(10_000, 10_000),
      lately(2 * HOUR, 300_000),
      lately(168 * HOUR, 86_400_000),
      lately(24_000 * HOUR, 86_400_000),
      lately(24 * HOUR, 300_000),
    ]);
  });

  for (const args of [['--since', '5'], ['--since', '9s'], ['--step', '5x'], ['--step', '-1m'], ['--machine'], ['mac']])
    it(`2 for wrong usage: claude-sync metrics ${args.join(' ')}`, async () => {
      await hub();
      const { code, stdout, stderr } = await bench.run(['metrics', ...args]);
      assert.deepEqual([code, stdout, asked], [2, '', []]);
      assert.notEqual(stderr, '');
    });

  it('3 when no hub runs', async () => {
    for (const args of [['metrics'], ['metrics', '--since', '1h']]) assert.equal((await bench.run(args)).code, 3);
  });
});
