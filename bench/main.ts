/**
 * `npm run bench`: measures a real hub, with local machines and with machines over SSH, against its goals (docs/performance.md). One JSON
 * object on stdout, progress on stderr; exit code 1 when a goal is missed.
 *
 * `--only first-sync,memory,idle,append,restart,small,file-size,huge,health,history,ssh-append,ssh-wire,ssh-first-sync,ssh-sixteen,ssh-scan,ssh-idle`,
 * `--quick` (small trees: to see that it runs, not to judge), `--long` (15 minutes of idling instead of two),
 * `--source` (the sources instead of dist/), `--folder DIR` (where the trees are made; default: the temporary folder).
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Figure, Scene } from './figure.ts';
import { fileSize } from './file-size.ts';
import { health } from './health.ts';
import { history } from './history.ts';
import { hugeFile } from './huge-file.ts';
import { largeTree } from './large-tree.ts';
import { smallTree } from './small-tree.ts';
import { sshAppend } from './ssh/append.ts';
import { sshFirstSync } from './ssh/first-sync.ts';
import { whyNoSsh } from './ssh/ground.ts';
import { sshIdle } from './ssh/idle.ts';
import { sshScan } from './ssh/scan.ts';
import { sshSixteen } from './ssh/sixteen.ts';
import { sshWire } from './ssh/wire.ts';

const SCENARIOS: readonly {
  readonly groups: readonly string[];
  readonly measure: (scene: Scene) => Promise<Figure[]>;
  /** Why it cannot be measured here, `null` when it can. */
  readonly unavailable?: () => string | null;
}[] = [
  { groups: ['small'], measure: smallTree },
  { groups: ['first-sync', 'memory', 'idle', 'append', 'restart'], measure: largeTree },
  { groups: ['file-size'], measure: fileSize },
  { groups: ['huge'], measure: hugeFile },
  { groups: ['health'], measure: health },
  { groups: ['history'], measure: history },
  { groups: ['ssh-append'], measure: sshAppend, unavailable: whyNoSsh },
  { groups: ['ssh-wire'], measure: sshWire, unavailable: whyNoSsh },
  { groups: ['ssh-first-sync'], measure: sshFirstSync, unavailable: whyNoSsh },
  { groups: ['ssh-sixteen'], measure: sshSixteen, unavailable: whyNoSsh },
  { groups: ['ssh-scan'], measure: sshScan, unavailable: whyNoSsh },
  { groups: ['ssh-idle'], measure: sshIdle, unavailable: whyNoSsh },
];
const GROUPS = SCENARIOS.flatMap((scenario) => scenario.groups);
const ROOT = join(import.meta.dirname, '..');

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: GROUPS.join(',') },
    quick: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    source: { type: 'boolean', default: false },
    folder: { type: 'string', default: tmpdir() },
    program: { type: 'string' },
  },
});
const only = values.only.split(',');
const unknown = only.filter((group) => !GROUPS.includes(group));
if (unknown.length > 0) throw new Error(`--only takes ${GROUPS.join(', ')}; not ${unknown.join(', ')}`);
if (process.platform !== 'linux') throw new Error('the bench reads /proc, so it runs on Linux only');

const program = [
  process.execPath,
  values.program ?? join(ROOT, values.source ? 'src/cli/main.ts' : 'dist/claude-sync.js'),
];
const figures: Figure[] = [];
const skipped: Record<string, string> = {};
for (const { groups, measure, unavailable } of SCENARIOS) {
  if (!groups.some((group) => only.includes(group))) continue;
  const reason = unavailable?.() ?? null;
  if (reason !== null) {
    skipped[groups.join(',')] = reason;
    continue;
  }
  const folder = realpathSync(mkdtempSync(join(values.folder, 'claude-sync-bench-')));
  const say = (text: string): void => void process.stderr.write(`[${groups[0]}] ${text}\n`);
  try {
    const { quick, long } = values;
    const found = await measure({ folder, quick, long, wants: (group) => only.includes(group), say, program });
    for (const { name, value, unit, goal, pass } of found) {
      say(`${name}: ${value} ${unit}${goal === null ? '' : ` (goal ${goal}: ${pass ? 'kept' : 'MISSED'})`}`);
    }
    figures.push(...found);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
const missed = figures.filter((found) => found.pass === false).length;
console.log(
  JSON.stringify(
    {
      machine: {
        cpu: cpus()[0]?.model ?? 'unknown',
        cores: cpus().length,
        memoryMB: Math.round(totalmem() / 1e6),
        kernel: release(),
        node: process.version,
        load: loadavg().map((load) => Number(load.toFixed(1))),
      },
      quick: values.quick,
      figures,
      missed,
      skipped,
    },
    null,
    2,
  ),
);
process.exitCode = missed > 0 ? 1 : 0;
