import { randomUUID } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Histogram } from '../src/core/metrics/histogram.ts';
import { ALL_MACHINES, type MetricPoint } from '../src/core/metrics/point.ts';
import { RESOLUTIONS } from '../src/core/metrics/resolution.ts';
import { parseConfig } from '../src/hub/config/parse.ts';
import type { SyncEvent } from '../src/hub/engine/events.ts';
import { Health } from '../src/hub/health.ts';
import { Hub } from '../src/hub/hub.ts';
import { openLog } from '../src/hub/log/open-log.ts';
import { systemClock, systemRandom } from '../src/hub/ports/system.ts';
import { openStoreInline } from '../src/hub/store/open-store.ts';
import { timeAppends } from './append.ts';
import { figure, type Figure, type Scene } from './figure.ts';
import { HubProcess } from './hub-process.ts';
import { routeOf } from './large-tree.ts';
import { addConversation, makeTree } from './tree.ts';

const LINE_BYTES = 4_096;

/** What it costs to count, log and watch: of the time of a sync, and on the disk after a year of eight machines. */
export async function health(scene: Scene): Promise<Figure[]> {
  const spent = await cpuOfALine(scene);
  const counted = await cpuOfItsEvents(scene);
  const year = await sizeOfAYear(scene, 'usual');
  const full = await sizeOfAYear(scene, 'all');
  return [
    figure('a line to two others, CPU of the hub', spent, 'ms'),
    figure('its figures, log line and alerts, CPU', counted, 'ms'),
    figure('health of the CPU of a sync', (counted / spent) * 100, '%', 1),
    figure('a year of figures of 8 machines, database', year, 'MB', 50),
    figure('the same with syncs in every span of the year', full, 'MB'),
  ];
}

/** CPU time (user and system, all threads) that a real hub takes for a line, ms. */
async function cpuOfALine(scene: Scene): Promise<number> {
  const hub = new HubProcess(scene.folder, ['a', 'b', 'c'], scene.program);
  const tree = makeTree(hub.home('a'), { projects: 2, files: 40, bytes: 4e6, longest: 1e6 });
  await hub.start();
  try {
    await hub.inSync(tree.files, 100);
    const session = addConversation(hub.home('a'), 100_000, 8);
    await hub.inSync(tree.files + 1, 100);
    const count = scene.quick ? 40 : 300;
    const before = hub.cpuMs();
    await timeAppends(routeOf(hub, session), count, LINE_BYTES);
    return (hub.cpuMs() - before) / count;
  } finally {
    await hub.stop();
  }
}

/** CPU time of this process for the events of one line to two others, ms: counters, totals in the database, log and alerts. */
async function cpuOfItsEvents(scene: Scene): Promise<number> {
  const root = join(scene.folder, 'events');
  const dataDir = join(root, 'data');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const machine = (name: string): object => ({ transport: 'local', claudeDir: join(root, name), home: root });
  const machines = { a: machine('a'), b: machine('b'), c: machine('c') };
  const config = parseConfig(JSON.stringify({ machines }), 'bench', root);
  const hub = await Hub.open({
    ...{ dataDir, home: root, platform: process.platform, clock: systemClock, random: systemRandom },
    loaded: { config, file: null },
    onChange: () => undefined,
    onTrouble: (error) => scene.say(error.message),
  });
  const log = openLog({ file: join(dataDir, 'logs', 'hub.log'), onTrouble: (reason) => scene.say(reason) });
  const notifications = { isWanted: () => false, send: () => undefined };
  const watched = new Health({
    hub,
    dataDir,
    clock: systemClock,
    log: log.logger,
    startedAt: Date.now(),
    notifications,
  });
  watched.start();
  const key = `session/${randomUUID()}`;
  const path = `projects/-home-a/${key.slice(8)}.jsonl`;
  const delivered = { kind: 'delivered', key, bytes: LINE_BYTES, latencyMs: 3, isWhole: true } as const;
  const events: SyncEvent[] = [
    { kind: 'heard', machine: 'a', path },
    { kind: 'received', machine: 'a', bytes: LINE_BYTES },
    { kind: 'taken', machine: 'a', key },
    { ...delivered, machine: 'b' },
    { ...delivered, machine: 'c' },
    // The hub hears of its own writes.
    { kind: 'heard', machine: 'b', path },
    { kind: 'heard', machine: 'c', path },
  ];
  const lines = scene.quick ? 2_000 : 20_000;
  const began = process.cpuUsage();
  for (let line = 0; line < lines; line += 1) {
    for (const event of events) watched.note(event);
    // A hundred lines a second at most, so that groups of writes are as in real life.
    if (line % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await hub.store.flush();
  const { user, system } = process.cpuUsage(began);
  await watched.stop();
  await hub.close();
  log.close();
  return (user + system) / 1_000 / lines;
}

/** How much a span has of syncs: an ordinary working day, and every span of a year full. */
const LOADS = {
  // Eight hours a day; in them every fourth of ten seconds has a few lines, and most minutes have some.
  usual: { raw: [1 / 12, 4], minute: [1 / 4, 20], hour: [1 / 3, 1_000] },
  all: { raw: [1, 40], minute: [1, 200], hour: [1, 10_000] },
} as const;

/** Size of a database with all the figures that are ever kept of 8 machines, MB; written in the order of time, as the hub does. */
async function sizeOfAYear(scene: Scene, load: keyof typeof LOADS): Promise<number> {
  const path = join(scene.folder, `year-${load}.db`);
  const store = openStoreInline({ path, clock: systemClock });
  const now = Date.now();
  const machines = [ALL_MACHINES, ...Array.from({ length: 8 }, (_, index) => `machine-${index}`)];
  const dice = { next: 1 };
  for (const { name, stepMs, keepMs } of Object.values(RESOLUTIONS)) {
    const [share, syncs] = LOADS[load][name];
    const points = Math.ceil((scene.quick ? keepMs / 20 : keepMs) / stepMs);
    for (let index = 0; index < points; index += 1) {
      const at = now - (points - index) * stepMs;
      for (const machine of machines) {
        const count = index % Math.round(1 / share) === 0 ? syncs : 0;
        store.metrics.put(name, { ...pointOf(machine, stepMs, latencies(dice, count)), at });
      }
      if (index % 100 === 0) await store.flush();
    }
  }
  await store.close();
  const bytes = statSync(path).size;
  return (scene.quick ? bytes * 20 : bytes) / 1e6;
}

/** Latencies as they are measured: most within a few ms, some ten times as long. */
function latencies(dice: { next: number }, count: number): Histogram {
  const samples: number[] = [];
  for (let index = 0; index < Math.min(count, 1_000); index += 1) {
    dice.next = (dice.next * 48_271) % 2_147_483_647;
    const random = dice.next / 2_147_483_647;
    samples.push(Math.round(2 + 3 * random + (random > 0.97 ? 40 * random : 0)));
  }
  return Histogram.of(samples);
}

function pointOf(machine: string, spanMs: number, latency: Histogram): Omit<MetricPoint, 'at'> {
  const bytes = latency.count * 4_096;
  const counts = { syncs: latency.count, failed: 0, conflicts: 0, bytesSent: bytes, bytesReceived: bytes };
  const holdings = { files: 10_000, bytes: 684_000_000, pending: 3, mostPending: 12 };
  return { machine, spanMs, onlineMs: spanMs, ...counts, ...holdings, archiveBytes: 7e8, versionBytes: 2e8, latency };
}
