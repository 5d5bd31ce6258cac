import { setTimeout as pause } from 'node:timers/promises';
import { timeAppends } from '../append.ts';
import { figure, type Figure, type Scene } from '../figure.ts';
import { LINE_BYTES, SMALL, TINY, settled, tailed, type Settled } from './append.ts';

/** What was sent and answered after the last line still belongs to it. */
const AFTER_MS = 2_000;
/** A line to each target may cost so much on the wire, both ways, with everything. */
const GOAL = 6_144;

/** Bytes on the wire for a line of 4 KB: at the machine that it is written on, and at those that it goes to. */
export async function sshWire(scene: Scene): Promise<Figure[]> {
  const { quick, say } = scene;
  const count = quick ? 20 : 100;
  const where = { folder: scene.folder, ssh: ['a', 'b', 'c'], local: ['own'], reach: 'counted' } as const;
  const here = await settled(scene, where, quick ? TINY : SMALL);
  const { ground } = here;
  try {
    say(ground.counter === 'cable' ? 'counted at a cable of each machine' : 'counted in a proxy: without headers');
    await timeAppends(here.route, 10, LINE_BYTES);
    const rates = await quietRates(here, quick ? 5_000 : 30_000);
    const hub = await perLine(here, count, rates, () => timeAppends(here.route, count, LINE_BYTES));
    const note = ground.counter === 'cable' ? '' : ' (payload of TCP only)';
    const figures = [
      figure(`ssh wire per line, target b${note}`, hub['b'] ?? 0, 'B', GOAL),
      figure(`ssh wire per line, target c${note}`, hub['c'] ?? 0, 'B', GOAL),
      figure(`ssh wire per line, source${note}`, hub['a'] ?? 0, 'B'),
    ];
    const floor = await perLine(here, count + 5, rates, () => tailed(here, count));
    return [...figures, figure(`ssh wire per line, target, floor: ssh cat${note}`, floor['b'] ?? 0, 'B')];
  } finally {
    await ground.close();
  }
}

type PerMachine = Readonly<Record<string, number>>;

async function bytesOf({ ground }: Settled): Promise<PerMachine> {
  const counts: Record<string, number> = {};
  for (const name of ground.machines.keys()) counts[name] = await ground.bytes(name);
  return counts;
}

/** B/ms to and from each machine while nothing happens. */
async function quietRates(here: Settled, ms: number): Promise<PerMachine> {
  await pause(3_000);
  const began = performance.now();
  const before = await bytesOf(here);
  await pause(ms);
  const after = await bytesOf(here);
  const passed = performance.now() - began;
  return Object.fromEntries(
    Object.entries(after).map(([name, bytes]) => [name, (bytes - (before[name] ?? 0)) / passed]),
  );
}

async function perLine(
  here: Settled,
  count: number,
  rates: PerMachine,
  work: () => Promise<unknown>,
): Promise<PerMachine> {
  const began = performance.now();
  const before = await bytesOf(here);
  await work();
  await pause(AFTER_MS);
  const after = await bytesOf(here);
  const passed = performance.now() - began;
  return Object.fromEntries(
    Object.entries(after).map(([name, bytes]) => [
      name,
      (bytes - (before[name] ?? 0) - (rates[name] ?? 0) * passed) / count,
    ]),
  );
}
